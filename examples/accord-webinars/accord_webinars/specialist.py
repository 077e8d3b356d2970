"""The play: remind people of a webinar that stays empty, and call an account that sends many people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from accord_webinars.actuator import KIND
from accord_webinars.detector import EMPTY, SURGE
from domain.actions import ActionKind, ActionSpec
from domain.ports import Context
from domain.proposals import Candidate, Expected, Measurement
from domain.situations import Situation

REMIND_H = 48


# --8<-- specialist
class WebinarSpecialist:
    """Proposes; policy and people decide. What it may know stands in `context`."""

    name = "webinars"

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        entity = situation.entities[0] if situation.entities else ""
        if situation.kind == EMPTY:
            shown = context.state.get(entity, {}).get(KIND)
            if shown is not None and shown != REMIND_H:
                yield _candidate(situation, context, f"remind:{REMIND_H}", _reminder(entity, shown))
        elif situation.kind == SURGE and entity in context.view.tree:
            yield _candidate(situation, context, "call", _call(situation, entity))


def _reminder(webinar: str, shown: int) -> ActionSpec:
    return ActionSpec(kind=KIND, entity=webinar, value=REMIND_H, expect=shown, reason="Seats are still free.")


# --8<-- end


def _call(situation: Situation, account: str) -> ActionSpec:
    due = situation.seen + timedelta(days=2)
    value = {"title": "Call the account", "assignee": "sales", "due": due.isoformat(), "body": situation.summary}
    return ActionSpec(kind=ActionKind.TASK_CREATE, entity=account, value=value, reason=situation.title)


def _candidate(situation: Situation, context: Context, key: str, spec: ActionSpec) -> Candidate:
    """No figure links a reminder or a call to margin, so none is promised and nothing is measured."""
    return Candidate(
        key=key,
        situation=situation.id,
        specialist=WebinarSpecialist.name,
        specs=(spec,),
        title=situation.title,
        why=situation.summary,
        expected=Expected(value=0, low=0, high=0, currency=context.objective.currency),
        measurement=Measurement(
            metric="none", method="none", start=context.view.now, days=0, stop="Nothing to compare with."
        ),
        evidence=situation.evidence,
    )
