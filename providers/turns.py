"""A short queue before something that does one thing at a time: in order, with a bound and a patience."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from providers.faults import Fault, failure


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    loop: asyncio.AbstractEventLoop
    turn: asyncio.Future[None]


class Turns:
    """Callable from several event loops at once. At most `most_waiting` wait, each for at most `patience_s` seconds."""

    def __init__(self, name: str, *, most_waiting: int = 4, patience_s: float = 30.0) -> None:
        self._name, self._most_waiting, self._patience_s = name, most_waiting, patience_s
        self._lock = threading.Lock()
        self._busy = False
        self._queue: deque[_Waiting] = deque()

    @asynccontextmanager
    async def taken(self) -> AsyncGenerator[None]:
        """One's turn. Raises BUSY at once when too many wait, and after `patience_s`."""
        waiting = self._lined_up()
        if waiting is not None:
            await self._reached(waiting)
        try:
            yield
        finally:
            self._give_on()

    def _lined_up(self) -> _Waiting | None:
        """A place in the queue; None when it is one's turn already."""
        with self._lock:
            if not self._busy:
                self._busy = True
                return None
            if len(self._queue) >= self._most_waiting:
                raise failure(
                    Fault.BUSY,
                    f"{self._name!r} answers one call at a time and {len(self._queue)} wait. Try again in a moment.",
                    retry_after_s=self._patience_s / 10,
                )
            loop = asyncio.get_running_loop()
            self._queue.append(_Waiting(loop, loop.create_future()))
            return self._queue[-1]

    async def _reached(self, waiting: _Waiting) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await waiting.turn
        except BaseException as error:
            self._left(waiting)
            if isinstance(error, TimeoutError):
                raise failure(
                    Fault.BUSY, f"{self._name!r} was busy for {self._patience_s:g} s. Try again in a moment."
                ) from error
            raise

    def _left(self, waiting: _Waiting) -> None:
        """Gives up a place, or the turn that came in the same moment."""
        with self._lock:
            came = waiting not in self._queue
            if not came:
                self._queue.remove(waiting)
        if came:
            self._give_on()

    def _give_on(self) -> None:
        with self._lock:
            while self._queue:
                after = self._queue.popleft()
                try:
                    after.loop.call_soon_threadsafe(_call, after.turn)
                except RuntimeError:
                    continue  # its loop is gone, and it with it
                return
            self._busy = False


def _call(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
