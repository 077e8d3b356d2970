"""How long an attempt may be silent: until its first content, between pieces, and in all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.types import Piece

_PROBE_S = 2.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds, as `routing:` sets them. `total_s` bounds a call over all its attempts, the others one attempt."""

    first_token_s: float = 10.0
    inter_chunk_s: float = 10.0
    total_s: float = 120.0

    def within(self, left_s: float) -> Deadlines:
        """The same, when only `left_s` are left."""
        return replace(self, total_s=min(self.total_s, left_s), first_token_s=min(self.first_token_s, left_s))

    def probing(self, usual_s: float | None) -> Deadlines:
        """For a provider that was down: two seconds to its first content, or half more than it took when well."""
        return replace(self, first_token_s=min(self.first_token_s, max(_PROBE_S, 1.5 * (usual_s or 0.0))))

    def patient(self) -> Deadlines:
        """For a model on this machine, which reads its prompt in silence for as long as it takes."""
        return replace(self, first_token_s=self.total_s, inter_chunk_s=self.total_s)


async def in_time(pieces: AsyncGenerator[Piece], limits: Deadlines, provider: str) -> AsyncGenerator[Piece]:
    """`pieces` as they come. Raises TIMEOUT when the next one is late; a keep-alive is no piece."""
    now = asyncio.get_running_loop().time
    ends = now() + limits.total_s
    due, awaited = now() + limits.first_token_s, f"said nothing for {limits.first_token_s:g} s"
    pause = f"paused for {limits.inter_chunk_s:g} s in its answer"
    watch = _Watch()
    try:
        async with aclosing(pieces):
            while True:
                try:
                    piece = await watch.next(pieces, min(due, ends))
                except TimeoutError as error:
                    raise late(provider, awaited if due <= ends else f"took over {limits.total_s:g} s") from error
                if piece is None:
                    return
                yield piece
                due, awaited = now() + limits.inter_chunk_s, pause
    finally:
        watch.close()


class _Watch:
    """`asyncio.timeout` for many waits after each other: one timer looks after them, which is cheap to put off."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._late = False

    async def next(self, pieces: AsyncGenerator[Piece], due: float) -> Piece | None:
        """The next piece, None at the end. Raises TimeoutError when none has come by `due`."""
        self._due = due
        if self._timer is None or due < self._timer.when():
            self._arm()
        self._waiting = asyncio.current_task()
        try:
            return await anext(pieces, None)
        except asyncio.CancelledError as error:
            if self._late and self._waiting is not None and self._waiting.uncancel() == 0:
                raise TimeoutError from error
            raise
        finally:
            self._waiting = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        self.close()
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        if self._loop.time() < self._due:
            self._arm()
        elif self._waiting is not None:
            self._late = True
            self._waiting.cancel()
        else:
            self._timer = None  # nobody waits: whoever consumes the pieces takes the time


def late(provider: str, how: str) -> AccordError:
    """The error for a deadline that passed."""
    return failure(Fault.TIMEOUT, f"{provider!r} {how}. Try again later, or allow more time in `routing`.")
