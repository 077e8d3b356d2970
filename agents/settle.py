"""Settling the unknown: a person looked into the tool and says whether it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.execute import mark_done
from agents.people import absent_people
from domain.actions import Action, ActionStatus, Receipt
from domain.audit import Fact
from domain.decisions import Person
from domain.effects import EffectStatus
from domain.errors import Conflict, ExternalError, InputError
from domain.lifecycle import seat_of

if TYPE_CHECKING:
    from agents.parts import Runtime


def settle_by_person(runtime: Runtime, action_id: str, *, happened: bool, person: Person, reason: str) -> Action:
    """The action as `person` says it ended: done, with their word as its receipt, or denied.

    What did not happen is not tried again by itself: the next round may propose it anew.
    Raises NotFound; Forbidden when the person could not have approved it; InputError without a reason; Conflict
    when the action is not unknown.
    """
    action = runtime.store.actions.get(action_id)
    proposal = runtime.store.proposals.get(action.proposal)
    seat = seat_of(proposal, person, absent_people(runtime, person, runtime.clock.now()))
    if not reason.strip():
        raise InputError("`reason` is empty. Say where you looked and what you saw there.")
    shown = _shown(runtime, action)
    now = runtime.clock.now()
    said = f"{person.id!r} looked into the tool: it {'happened' if happened else 'did not happen'}. {reason}"
    receipt = Receipt(idempotency_key=action.idempotency_key, at=now, read_back=shown, detail=f"by person: {said}")
    seen = {"happened": happened, "reason": reason, "on_behalf_of": seat.on_behalf_of, "read_back": shown}
    fact = Fact(
        at=now,
        actor=f"person:{person.id}",
        verb="effect.settled",
        subject=action.id,
        facts={"proposal": proposal.id, **seen},
    )
    with runtime.store.alone("settled"):
        if runtime.store.actions.get(action_id).status is not ActionStatus.UNKNOWN:
            raise Conflict(f"{action_id} is {action.status}; only what is unknown can be settled. Reload it.")
        status = EffectStatus.CONFIRMED if happened else EffectStatus.FAILED
        kept = receipt if happened else None
        if runtime.store.effects.get(action.idempotency_key) is not None:
            runtime.store.effects.finish(action.idempotency_key, status, at=now, receipt=kept, detail=said)
        runtime.store.audit.append(fact)
        if happened:
            mark_done(runtime, proposal, action_id, receipt)
        else:
            runtime.store.actions.move(
                action_id, ActionStatus.UNKNOWN, ActionStatus.DENIED, due_at=None, facts=[], detail=said
            )
    runtime.driver.wake([action_id])
    return runtime.store.actions.get(action_id)


def _shown(runtime: Runtime, action: Action) -> object:
    """What the tool shows now, kept beside the person's word; None when it cannot be read."""
    try:
        return runtime.tools.read_back(action.spec)
    except ExternalError:
        return None
