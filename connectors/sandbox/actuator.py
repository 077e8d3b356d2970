"""Writes actions into one tool of the simulated company, and takes back what can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.contract import Compensation, Diff
from connectors.manifest import Manifest
from connectors.sandbox.host import Host, entity_of
from connectors.sandbox.lever import CREATE_KINDS, refusal
from domain.actions import ActionSpec, Receipt
from domain.errors import Conflict, InputError, TerminalError


class SandboxActuator:
    """Accepts the kinds of its manifest only. `now` stamps receipts; the world's own time by default."""

    def __init__(self, manifest: Manifest, host: Host, now: Callable[[], datetime] | None = None) -> None:
        self._manifest, self._host = manifest, host
        self._now = now or host.now

    def preview(self, action: ActionSpec) -> Diff:
        state = self.read_back(action)
        before = None if action.kind in CREATE_KINDS else state.get(action.kind)
        drifted = action.kind not in CREATE_KINDS and before != action.expect
        return Diff(action.kind, action.entity, before, _plain(action)["value"], action.currency, drifted)

    def validate(self, action: ActionSpec) -> None:
        """The tool's dry run. Raises TerminalError, or Conflict when it drifted."""
        state = self.read_back(action)
        why = refusal(_plain(action), state)
        if why is not None:
            raise _error(why, state)

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        self._accept(action)
        result = self._host.apply(_plain(action), idempotency_key)
        if not result["ok"]:
            raise _error(str(result["error"]), result["state"])
        return Receipt(
            idempotency_key=idempotency_key,
            at=self._now(),
            vendor_id=f"sandbox:{idempotency_key}",
            read_back=result["state"],
            detail="done before under this key" if result["replayed"] else None,
        )

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        self._accept(action)
        return self._host.read(entity_of(_plain(action)))

    def compensate(self, receipt: Receipt) -> Compensation:
        action = self._host.recorded(receipt.idempotency_key)
        if action is None:
            return Compensation(done=False, why_not=f"nothing is recorded under {receipt.idempotency_key!r}")
        if not self._manifest.can_undo(str(action["kind"])):
            return Compensation(done=False, why_not=f"{action['kind']} cannot be undone: what was made is already seen")
        result = self._host.compensate(receipt.idempotency_key)
        return Compensation(done=bool(result["ok"]), state=result["state"], why_not=result.get("error"))

    def _accept(self, action: ActionSpec) -> None:
        if action.kind not in self._manifest.kinds:
            raise InputError(
                f"`kind` {action.kind!r} is none of {self._manifest.name!r}. "
                f"Send it to the connector that has it; this one has {', '.join(self._manifest.kinds)}."
            )


def _plain(action: ActionSpec) -> dict[str, Any]:
    return action.model_dump(mode="json")


def _error(why: str, state: dict[str, Any]) -> Conflict | TerminalError:
    if why.startswith("drifted"):
        return Conflict(f"The tool's state {why}. Propose again from the present state.", state=state)
    return TerminalError(f"The tool refused: {why}. Change the action.", state=state)
