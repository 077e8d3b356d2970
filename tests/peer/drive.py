"""Runs cases through a caller, each on addresses of its own, and judges what came back against the vendors' log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from tests.peer.cases import TOTAL_S, Case, Got, Judgement, judge
from tests.peer.catalogue import BY_ID, CASES
from tests.peer.faults import Fault

WARMERS = 6
HUNG_S = 3 * TOTAL_S
"""After so long a call is given up, as a person would."""


class Session(Protocol):
    """A client of some kind, set up for the vendors of one case; state such as a breaker lives as long as it does."""

    async def call(self) -> Got: ...


Caller = Callable[[Case, tuple[str, ...]], AbstractAsyncContextManager[Session]]
"""Opens a session for a case, given the base address of each of its vendors, in the order of preference."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the peer is: its address, a port that refuses, and how its log is read."""

    url: str
    refused_port: int
    counts: Callable[[str], Awaitable[int]]


def script(case: str, name: str) -> tuple[Fault, ...]:
    """What the vendor `name` (p0, p1, …) of a catalogue case does, call by call."""
    return BY_ID[case].routes[int(name[1:])].script


async def judged(case: Case, caller: Caller, place: Place, run: str, *, kinds: bool = True) -> Judgement:
    """One case, all its rounds."""
    names = [f"{run}/{case.id}/p{number}" for number in range(len(case.routes))]
    bases = tuple(
        f"{place.url}/{name}" if route.script else f"http://127.0.0.1:{place.refused_port}/{name}"
        for name, route in zip(names, case.routes, strict=True)
    )
    got: list[Got] = []
    async with caller(case, bases) as session:
        for number in range(case.rounds):
            if number and case.pause_s:
                await asyncio.sleep(case.pause_s)
            got.append(await _timed(session))
    return judge(case, got, [await place.counts(name) for name in names], kinds=kinds)


async def all_judged(
    cases: Iterable[Case], caller: Caller, place: Place, run: str, *, at_once: int = 16, kinds: bool = True
) -> list[Judgement]:
    """Many cases at once, yet so few that a busy machine does not look like a slow vendor."""
    gate = asyncio.Semaphore(at_once)

    async def one(case: Case) -> Judgement:
        async with gate:
            return await judged(case, caller, place, run, kinds=kinds)

    return await asyncio.gather(*(one(case) for case in cases))


async def twice_judged(cases: Iterable[Case], caller: Caller, place: Place, *, kinds: bool = True) -> list[Judgement]:
    """Every case, and once more with little beside it what failed in the crowd, since a busy machine is no vendor's
    fault. A lie is not forgiven.
    """
    first = await all_judged(cases, caller, place, "crowd", kinds=kinds)
    again = [BY_ID[one.case] for one in first if not (one.passed or one.lied)]
    second = {one.case: one for one in await all_judged(again, caller, place, "alone", at_once=4, kinds=kinds)}
    return [second.get(one.case, one) for one in first]


async def warmed_up(caller: Caller, place: Place) -> None:
    """One call of each wire and mode beforehand: what is imported at the first is no fault of a vendor."""
    for case in CASES[:WARMERS]:
        await judged(case, caller, place, "warm")


async def _timed(session: Session) -> Got:
    began = time.monotonic()
    try:
        async with asyncio.timeout(HUNG_S):
            got = await session.call()
    except TimeoutError:
        got = Got(error="hung")
    return replace(got, took_s=time.monotonic() - began)
