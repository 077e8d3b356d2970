"""Writes the webinar tool: one action kind, `webinar.reminder.set`, whose value is hours before the start (0: none)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accord_webinars.tool import ReminderChanged, UnknownWebinar, WebinarTool
from connectors.contract import Compensation, Diff
from domain.actions import ActionSpec, Receipt
from domain.errors import Conflict, TerminalError

KIND = "webinar.reminder.set"
LONGEST_H = 14 * 24


class WebinarActuator:
    """The tool keeps the key of every write, so a repeated call changes nothing."""

    def __init__(self, tool: WebinarTool) -> None:
        self._tool = tool

    def preview(self, action: ActionSpec) -> Diff:
        before = self.read_back(action).get(KIND)
        return Diff(KIND, action.entity, before, action.value, None, drifted=before != action.expect)

    def validate(self, action: ActionSpec) -> None:
        if not isinstance(action.value, int) or not 0 <= action.value <= LONGEST_H:
            raise TerminalError(f"`value` {action.value!r} is no number of hours. Use 0 to {LONGEST_H}.")

    # --8<-- apply
    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        """Errors of the tool become those of `domain.errors` here and nowhere else."""
        self.validate(action)
        try:
            written = self._tool.set_reminder(action.entity or "", action.value, action.expect, idempotency_key)
        except ReminderChanged as error:
            state = {KIND: error.args[0]}
            raise Conflict(f"The reminder is {error.args[0]} h now. Propose again from that.", state=state) from error
        except UnknownWebinar as error:
            raise TerminalError(f"The tool has no webinar {action.entity!r}. Read its webinars again.") from error
        return Receipt(
            idempotency_key=idempotency_key,
            at=datetime.now(UTC),
            vendor_id=f"reminder:{idempotency_key}",
            read_back=self.read_back(action),
            detail=None if written else "done before under this key",
        )

    # --8<-- end

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        """Asked about any entity of the company: one that is no webinar of ours has no state here."""
        try:
            return {KIND: self._tool.reminder(action.entity or "")}
        except UnknownWebinar:
            return {}

    def compensate(self, receipt: Receipt) -> Compensation:
        try:
            undone = self._tool.take_back(receipt.idempotency_key)
        except ReminderChanged as error:
            return Compensation(done=False, state={KIND: error.args[0]}, why_not="somebody changed it since")
        if undone is None:
            return Compensation(done=False, why_not=f"nothing was written under {receipt.idempotency_key!r}")
        return Compensation(done=True, state={KIND: undone[1]})
