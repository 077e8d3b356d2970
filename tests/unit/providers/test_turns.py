from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from domain.errors import AccordError, TransientError
from providers.faults import UNHEALTHY, Fault, fault_of
from providers.turns import Turns


def in_a_loop(scenario: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @functools.wraps(scenario)
    def test() -> None:
        asyncio.run(scenario())

    return test


async def work(turns: Turns, name: str, done: list[str], hold: asyncio.Event | None = None) -> None:
    async with turns.taken():
        if hold is not None:
            await hold.wait()
        done.append(name)


async def idle() -> None:
    """Everything that can go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


@in_a_loop
async def test_one_at_a_time_and_in_order() -> None:
    turns, done, hold = Turns("local"), list[str](), asyncio.Event()
    first = asyncio.create_task(work(turns, "first", done, hold))
    others = [asyncio.create_task(work(turns, f"{n}", done)) for n in range(4)]
    await idle()
    assert done == []
    hold.set()
    await asyncio.gather(first, *others)
    assert done == ["first", "0", "1", "2", "3"]


@in_a_loop
async def test_beyond_the_queue_one_is_refused_at_once_without_harm_to_its_health() -> None:
    turns, hold = Turns("local", most_waiting=1), asyncio.Event()
    tasks = [asyncio.create_task(work(turns, "x", [], hold)) for _ in range(2)]
    await idle()
    with pytest.raises(TransientError, match="1 wait") as refused:
        await work(turns, "third", [])
    assert fault_of(refused.value) is Fault.BUSY
    assert Fault.BUSY not in UNHEALTHY
    assert refused.value.facts["retry_after_s"] == 3.0
    hold.set()
    await asyncio.gather(*tasks)


@in_a_loop
async def test_whoever_waits_too_long_or_leaves_loses_the_place_and_not_the_turn_of_others() -> None:
    turns, done, hold = Turns("local", patience_s=0.01), list[str](), asyncio.Event()
    first = asyncio.create_task(work(turns, "first", done, hold))
    await idle()
    with pytest.raises(AccordError, match="busy for"):
        await work(turns, "late", done)
    patient = Turns("local")
    first2 = asyncio.create_task(work(patient, "first", done, hold))
    gone = asyncio.create_task(work(patient, "gone", done))
    after = asyncio.create_task(work(patient, "after", done))
    await idle()
    gone.cancel()
    await idle()
    hold.set()
    await asyncio.gather(first, first2, after)
    await work(patient, "again", done)
    assert done == ["first", "first", "after", "again"]


@in_a_loop
async def test_one_who_leaves_in_the_moment_of_the_turn_passes_it_on() -> None:
    turns, done, hold = Turns("local"), list[str](), asyncio.Event()
    first = asyncio.create_task(work(turns, "first", done, hold))
    gone = asyncio.create_task(work(turns, "gone", done))
    after = asyncio.create_task(work(turns, "after", done))
    await idle()
    hold.set()
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(first, after)
    assert done[-1] == "after"


def test_callers_of_other_loops_wait_in_the_same_queue() -> None:
    turns, done = Turns("local", most_waiting=20), list[str]()

    def caller(name: str) -> None:
        async def calls() -> None:
            for _ in range(5):
                async with turns.taken():
                    done.append(name)
                    await asyncio.sleep(0)
                    done.append(name)

        asyncio.run(calls())

    threads = [threading.Thread(target=caller, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 40
    assert done[::2] == done[1::2], "two at a time"
