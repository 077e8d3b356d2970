"""One try at one provider: its pieces in time, its answer checked, its money and its health settled however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic, TypeVar

from domain.errors import AccordError
from providers.answers import Check, known_tools
from providers.continuation import Seam
from providers.deadlines import Deadlines, in_time
from providers.faults import LASTING, MAYBE_BILLED, UNHEALTHY, Fault, failure, fault_of, retry_after_s
from providers.health import Pass, Trouble
from providers.ledger import Reservation
from providers.parts import Parts
from providers.pricing import cost_nano
from providers.registry import Provider
from providers.types import Attempt, ModelRequest, Outcome, Reply, TextDelta, Tokens, ToolDelta, Working

V = TypeVar("V")


class Try(Generic[V]):
    """`outcome` is there once `run` is over: with `reply` and `value` when it answered, else with `error`. `whole` says
    that the answer came to its end, valid or not.

    With a `seam` the answer continues another, and `reply` holds the whole of both; `prefix` is what the adapter is to
    go on from, if it is asked that way.
    """

    def __init__(
        self,
        parts: Parts,
        hold: Reservation,
        passed: Pass,
        limits: Deadlines,
        *,
        seam: Seam | None = None,
        prefix: str = "",
    ) -> None:
        self.provider: Provider = hold.provider
        self.request: ModelRequest = hold.request
        self.outcome: Attempt | None = None
        self.error: AccordError | None = None
        self.reply: Reply | None = None
        self.value: V | None = None
        self.whole = False
        self._parts, self._hold, self._passed, self._limits = parts, hold, passed, limits
        self.prefix, self._seam = prefix, seam
        self._began = parts.clock.elapsed()
        self._first_s: float | None = None

    async def run(self, check: Check[V]) -> AsyncGenerator[TextDelta | ToolDelta]:
        """The pieces as they come. Ends without raising when the provider fails: `error` tells."""
        try:
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    yield piece
            reply = self._ended()
            self.whole = True
            known_tools(self.request, reply)
            self.value = check(reply)
            self._settle(Outcome.ANSWERED)
        except AccordError as error:
            self.error = error
            self._settle(Outcome.FAILED)
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Settles it when nobody waits for it any more, also when it never began; nothing when it is over."""
        if self.outcome is None:
            self._settle(Outcome.FAILED)

    async def _pieces(self) -> AsyncGenerator[TextDelta | ToolDelta]:
        adapter = self._parts.adapter(self.provider)
        try:
            async with asyncio.timeout(self._limits.total_s):
                await adapter.prepare(self.provider)
        except TimeoutError as error:
            detail = f"{self.provider.name!r} was not ready within {self._limits.total_s:g} s. Try again in a moment."
            raise failure(Fault.BUSY, detail) from error  # nothing was sent: neither its fault nor on its bill
        self._began = self._parts.clock.elapsed()
        stream = adapter.stream(self.provider, self.request, self._limits, self.prefix)
        said: list[str] = []
        async with aclosing(in_time(stream, self._limits, self.provider.name)) as pieces:
            async for piece in pieces:
                match piece:
                    case Working():
                        continue
                    case Reply():
                        self.reply = piece
                    case TextDelta() | ToolDelta():
                        if self._first_s is None:
                            self._first_s = self._parts.clock.elapsed() - self._began
                        joined = self._joined(piece)
                        if joined is not None:
                            said.append(joined.text if isinstance(joined, TextDelta) else "")
                            yield joined
        if self._seam is not None and self.reply is not None:
            if rest := self._seam.close():
                said.append(rest)
                yield TextDelta(text=rest)
            self.reply = self.reply.model_copy(update={"text": self._seam.said + "".join(said)})

    def _joined(self, piece: TextDelta | ToolDelta) -> TextDelta | ToolDelta | None:
        """`piece` without what was delivered before; None when nothing of it is new or it is still held back."""
        if self._seam is None or isinstance(piece, ToolDelta):
            return piece
        text = self._seam.feed(piece.text)
        return TextDelta(text=text) if text else None

    def _ended(self) -> Reply:
        if self.reply is None:
            raise failure(Fault.CUT, f"{self.provider.name!r} stopped without an end. Try again.")
        return self.reply

    def _settle(self, outcome: Outcome) -> None:
        parts = self._parts
        usage = self.reply.usage if self.reply else _usage_in(self.error)
        rates = self.provider.rates
        fault = fault_of(self.error) if self.error else None
        self.outcome = Attempt(
            provider=self.provider.name,
            outcome=outcome,
            error_code=fault or (None if outcome is Outcome.ANSWERED else "cancelled"),
            detail=self.error.detail if self.error else None,
            started_at=self._hold.at,
            latency_s=parts.clock.elapsed() - self._began,
            first_token_s=self._first_s,
            retry_after_s=retry_after_s(self.error) if self.error else None,
            streamed=self._first_s is not None,
            usage=usage,
            cost_nano=cost_nano(rates, usage) if rates and usage else None,
            currency=rates.currency if rates else None,
        )
        parts.ledger.settle(self._hold, self.outcome, maybe_billed=fault is None or fault in MAYBE_BILLED)
        self._tell_health(fault)
        if outcome is Outcome.ANSWERED:
            parts.latencies.note(self.provider.name, self._first_s, self.outcome.latency_s)
        for observer in parts.observers:
            observer.attempted(self.outcome, self.request, self.provider)

    def _tell_health(self, fault: Fault | None) -> None:
        health, name, now = self._parts.health, self.provider.name, self._parts.clock.now()
        if fault in {Fault.UNSUPPORTED, Fault.BUSY} or (
            self.outcome is not None and self.outcome.error_code == "cancelled"
        ):
            health.returned(name, self._passed)
        elif fault in UNHEALTHY or fault is Fault.EMPTY:
            wait_s = self.outcome.retry_after_s if self.outcome else None
            soft = fault is Fault.EMPTY or (fault is Fault.TIMEOUT and self._hurried())
            trouble = Trouble(soft=soft, lasting=fault in LASTING, wait_s=wait_s)
            health.failed(name, now, self._passed, trouble)
        else:
            health.succeeded(name, now, self._passed)

    def _hurried(self) -> bool:
        """Whether it was late for a caller in a hurry, or for one who read so slowly that the call's time was up."""
        given, usual = self._limits, self._parts.deadlines
        if self._first_s is not None:
            return self.outcome is not None and self.outcome.latency_s >= given.total_s
        return self.request.deadline_s < usual.total_s and given.first_token_s < usual.first_token_s


def _usage_in(error: AccordError | None) -> Tokens | None:
    usage = error.facts.get("usage") if error else None
    return usage if isinstance(usage, Tokens) else None
