"""Undo: the recorded state is set back by an action of its own, authorised by the person who asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agents.execute import same_state
from agents.judgement import judge_undo
from agents.modes import is_read_only
from agents.people import absent_people
from domain.actions import Action, ActionSpec, ActionStatus
from domain.audit import Fact
from domain.decisions import Channel, Decision, DecisionKind, Person, decision_id
from domain.errors import Conflict
from domain.ids import derive_id
from domain.lifecycle import Seat, seat_of
from domain.policy import VerdictKind
from domain.prose import day_text

if TYPE_CHECKING:
    from agents.parts import Runtime


UNDO_WINDOW = timedelta(days=30)
"""How long after it was done an action may be undone; later too much rests on what it set."""


def undo(runtime: Runtime, action_id_: str, person: Person, reason: str, *, channel: Channel = "api") -> Action:
    """The new action that restores what was there before.

    Raises NotFound; Forbidden when the person could not have approved it; Conflict when the action is not
    done, was done longer than UNDO_WINDOW ago, cannot be set back, was undone already, the tool shows a third state
    meanwhile, policy or finance deny the former state now, or Accord is read-only.
    """
    action = runtime.store.actions.get(action_id_)
    if is_read_only(runtime):
        raise Conflict("Accord is read-only, so nothing is set back. Turn read-only mode off first.")
    proposal = runtime.store.proposals.get(action.proposal)
    seat = seat_of(proposal, person, absent_people(runtime, person, runtime.clock.now()))
    restored = _restoring(runtime, action, reason)
    _refuse_if_denied(runtime, restored)
    # An undo of an undo, or a second try, sets what was set before: whose undo and which try make it another action.
    tries = sum(each.undo_of == action.id for each in proposal.actions)
    undoing_id = derive_id("act", proposal.id, restored.argument_hash, action.id, tries)
    undoing = Action(
        id=undoing_id,
        proposal=proposal.id,
        spec=restored,
        authorised_by=decision_id(proposal.id, person.id, DecisionKind.APPROVE, undoing_id),
        undo_of=action.id,
    )
    decision = _decision(undoing, person, seat, runtime.clock.now(), channel)
    fact = _fact(decision, undoing, reason)
    runtime.store.actions.add_undo(undoing, decision, undone=action.id, due_at=decision.at, facts=[fact])
    runtime.driver.wake([undoing.id, action.id])
    return runtime.store.actions.get(undoing.id)


def _decision(undoing: Action, person: Person, seat: Seat, now: datetime, channel: Channel) -> Decision:
    """The word of who asked: an approval under a fingerprint of its own, which answers nothing but this."""
    return Decision(
        id=undoing.authorised_by or "",
        proposal=undoing.proposal,
        kind=DecisionKind.APPROVE,
        by=person.id,
        role=seat.role,
        on_behalf_of=seat.on_behalf_of,
        reason=undoing.spec.reason,
        fingerprint=undoing.spec.argument_hash,
        at=now,
        channel=channel,
    )


def _fact(decision: Decision, undoing: Action, reason: str) -> Fact:
    return Fact(
        at=decision.at,
        actor=f"person:{decision.by}",
        verb="undo.decided",
        subject=undoing.undo_of or "",
        facts={
            "by": undoing.id,
            "decision": decision.id,
            "argument_hash": undoing.spec.argument_hash,
            "reason": reason,
            "on_behalf_of": decision.on_behalf_of,
            "channel": decision.channel,
        },
    )


def _refuse_if_denied(runtime: Runtime, restored: ActionSpec) -> None:
    """What would be denied when it is due is refused at once, with the reason."""
    verdict = judge_undo(runtime, restored)
    if verdict.kind is VerdictKind.DENY:
        raise Conflict(
            f"{restored.entity} stays {restored.expect!r}: to set back {restored.value!r} is denied now, since "
            f"{verdict.reason} ({verdict.rule}). Lift that first, or leave it."
        )


def _restoring(runtime: Runtime, action: Action, reason: str) -> ActionSpec:
    spec = action.spec
    if action.status is not ActionStatus.DONE:
        raise Conflict(f"{action.id} is {action.status}; only an action that is done can be undone.")
    if action.executed_at is not None and runtime.clock.now() > action.executed_at + UNDO_WINDOW:
        raise Conflict(
            f"{action.id} was done on {day_text(action.executed_at)}; undoing is for {UNDO_WINDOW.days} days. "
            "Set it in the tool, or wait for a proposal."
        )
    if not runtime.tools.can_undo(spec) or action.state_before is None:
        raise Conflict(f"{spec.kind} cannot be set back: what was created or said stays. Mend it in the tool itself.")
    shown = runtime.tools.read_back(spec)
    if not same_state(shown, spec.value):
        raise Conflict(
            f"{spec.entity} is {shown!r} now, no longer {spec.value!r}: somebody changed it since. Look first."
        )
    return spec.model_copy(update={"value": action.state_before, "expect": spec.value, "reason": reason or "undo"})
