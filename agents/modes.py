"""Two switches over every effect. Read-only holds: reading, reasoning, proposing and deciding go on.

What is approved meanwhile waits until the switch is off or its proposal's time is over; then it is judged anew.
The kill switch drops: besides, nothing that was approved or waits for an answer will ever happen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.actions import ActionStatus
from domain.audit import Fact
from domain.decisions import Person
from domain.proposals import ProposalStatus
from domain.record import Record

if TYPE_CHECKING:
    from agents.parts import Runtime

READ_ONLY = "read_only"


class Stopped(Record):
    """What the kill switch dropped. `begun` actions were being carried out: they are finished or settled, not torn."""

    proposals: int
    actions: int
    begun: int


def is_read_only(runtime: Runtime) -> bool:
    return bool(runtime.store.flags.get(READ_ONLY, default=False))


def set_read_only(runtime: Runtime, on: bool, person: Person, reason: str) -> None:  # noqa: FBT001 — a switch
    """Turn the switch. Turning it off wakes what waited behind it."""
    fact = Fact(
        at=runtime.clock.now(),
        actor=f"person:{person.id}",
        verb="mode.read_only_on" if on else "mode.read_only_off",
        subject="accord",
        facts={"reason": reason},
    )
    runtime.store.flags.set(READ_ONLY, on, facts=[fact])
    if not on:
        waiting = runtime.store.actions.waiting()
        for action in waiting:
            runtime.store.actions.set_due(action, fact.at)
        runtime.driver.wake(waiting)


def stop(runtime: Runtime, person: Person, reason: str) -> Stopped:
    """Turn read-only mode on, void every proposal that waits and deny every approved action that has not begun.

    Killed in between, read-only mode holds what is left, and a second call drops it.
    """
    set_read_only(runtime, on=True, person=person, reason=reason)
    because = f"everything was stopped by {person.id}" + (f": {reason}" if reason else "")
    proposals = sum(_void(runtime, each.id, person, because) for each in runtime.store.proposals.pending())
    actions = begun = 0
    waiting = runtime.store.actions.waiting()
    for name in waiting:
        action = runtime.store.actions.get(name)
        if action.status is ActionStatus.EXECUTING:
            begun += 1
        elif action.status is ActionStatus.PENDING:
            actions += _deny(runtime, name, person, because)
    runtime.driver.wake(waiting)
    return Stopped(proposals=proposals, actions=actions, begun=begun)


def _void(runtime: Runtime, proposal: str, person: Person, because: str) -> bool:
    fact = _fact(runtime, person, "proposal.voided", proposal, because)
    pending, void = ProposalStatus.PENDING, ProposalStatus.VOID
    return bool(runtime.store.proposals.move(proposal, pending, void, facts=[fact], detail=because))


def _deny(runtime: Runtime, action: str, person: Person, because: str) -> bool:
    fact = _fact(runtime, person, "action.denied", action, because)
    pending, denied = ActionStatus.PENDING, ActionStatus.DENIED
    return bool(runtime.store.actions.move(action, pending, denied, due_at=None, facts=[fact], detail=because))


def _fact(runtime: Runtime, person: Person, verb: str, subject: str, because: str) -> Fact:
    return Fact(
        at=runtime.clock.now(), actor=f"person:{person.id}", verb=verb, subject=subject, facts={"because": because}
    )
