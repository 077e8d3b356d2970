"""Read-only mode: one switch that stops every effect; reading, reasoning, proposing and deciding go on.

What is approved meanwhile waits until the switch is off or its proposal's time is over; then it is judged anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.audit import Fact
from domain.decisions import Person

if TYPE_CHECKING:
    from agents.parts import Runtime

READ_ONLY = "read_only"


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
