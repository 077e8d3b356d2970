"""Starts a second attempt when the first is slower than usual, and goes on with whichever speaks first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from providers.answers import Check
from providers.attempt import Try
from providers.types import TextDelta, ToolDelta

V = TypeVar("V")
Spoken = TextDelta | ToolDelta


class Lane(Generic[V]):
    """One attempt on its way to its first word."""

    def __init__(self, attempt: Try[V], check: Check[V]) -> None:
        self.attempt = attempt
        self._pieces = attempt.run(check)
        self.first: asyncio.Task[Spoken | None] = asyncio.ensure_future(anext(self._pieces, None))

    @property
    def speaks(self) -> bool:
        """Whether it has said something, or answered without a word."""
        return self.first.done() and (self.first.result() is not None or self.attempt.error is None)

    async def pieces(self) -> AsyncGenerator[Spoken]:
        """All it says, from the first word on."""
        async with aclosing(self._pieces) as rest:
            if (first := await self.first) is not None:
                yield first
            async for piece in rest:
                yield piece

    async def close(self) -> None:
        """Ends it; what it has cost is accounted."""
        self.first.cancel()
        await asyncio.wait({self.first})
        await self._pieces.aclose()
        self.attempt.give_up()


async def race(
    first: Try[V], check: Check[V], second: Callable[[], Awaitable[Try[V] | None]], after_s: float
) -> list[Lane[V]]:
    """The lane to go on with, then the one that lost or failed, if there was a second, closed."""
    lanes = [Lane(first, check)]
    try:
        await asyncio.wait({lanes[0].first}, timeout=after_s)
        if not lanes[0].first.done() and (other := await second()) is not None:
            lanes.append(Lane(other, check))
        waiting = {lane.first for lane in lanes}
        while waiting and not any(lane.speaks for lane in lanes):
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        lanes.sort(key=lambda lane: not lane.speaks)
        for lane in lanes[1:]:
            await lane.close()
    except BaseException:
        for lane in lanes:
            await lane.close()
        raise
    return lanes
