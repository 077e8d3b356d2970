"""One call on its way along the providers: who is next, what a failure means for the rest, what the caller gets.

Every provider that is well is tried once before any is tried twice. Only when none is left is the same one tried again,
at most twice, after a pause; one with an open breaker is then better than no answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from domain.errors import AccordError, BadAnswer, ExternalError, OverBudget, TransientError
from providers.answers import Check, asked_to_mend
from providers.attempt import Try
from providers.candidates import barred, ends_the_call, may_answer, too_small
from providers.continuation import Seam, asked_to_go_on
from providers.deadlines import Deadlines
from providers.faults import WORTH_A_RETRY, Fault, NoProvider, fault_of, retry_after_s
from providers.health import Pass
from providers.hedge import race
from providers.parts import Parts
from providers.registry import Provider
from providers.types import Attempt, ModelAnswer, ModelRequest, Outcome, Started, StreamEvent, TextDelta, ToolDelta

V = TypeVar("V")
_RETRIES = 2
_BACKOFF_S = 0.3
_UNKNOWN_S = 2.0  # until a hedge, for a provider that has not answered yet


@dataclass(frozen=True, slots=True)
class _Stand:
    """How a provider stands in this call: passed over for its open breaker (no `fault`), or failed.

    `wait_s` and `at` (on the measuring clock): the vendor asked not to be called before they are over.
    """

    fault: Fault | None
    at: float
    wait_s: float


class Walk(Generic[V]):
    """`events` is the whole of it. `attempts`, `why` and `value` can be read when it is over, however it ended."""

    def __init__(self, parts: Parts, request: ModelRequest, check: Check[V], *, deliver: bool) -> None:
        self.attempts: list[Attempt] = []
        self.why = ""
        self.value: V | None = None
        self._parts, self._request, self._check, self._deliver = parts, request, check, deliver
        self._began = parts.clock.elapsed()
        self._ends = self._began + min(request.deadline_s, parts.deadlines.total_s)
        self._fresh: list[Provider] = []
        self._by_turn: list[Provider] = []
        self._stands: dict[str, tuple[Provider, _Stand]] = {}
        self._errors: list[AccordError] = []
        self._overflowed: list[Provider] = []
        self._flaw: AccordError | None = None
        self._tries = self._extra = 0
        self._blank = ""
        self._said: list[str] = []
        self._started = self._tool_sent = False

    async def events(self) -> AsyncGenerator[StreamEvent]:
        """What the caller gets, a `ModelAnswer` last. Raises the error of the call when there is no whole answer."""
        self._plan()
        while (attempt := await self._next()) is not None:
            if self._parts.hedge and self._fresh:
                attempt, pieces = await self._hedged(attempt)
            else:
                pieces = attempt.run(self._check)
            try:
                async with aclosing(pieces):
                    async for piece in pieces:
                        for event in self._delivered(attempt.provider, piece):
                            yield event
            finally:
                if attempt.outcome is not None:
                    self.attempts.append(attempt.outcome)
            if attempt.error is None:
                self.value = attempt.value
                if self._deliver and not self._started:
                    yield self._start(attempt.provider)
                yield self._answer(attempt)
                return
            self._failed(attempt, attempt.error)
        raise self._all_failed()

    def _plan(self) -> None:
        candidates = may_answer(self._parts.registry.usable, self._request)
        ranked = self._parts.router.rank(self._request, candidates, self._parts.clock.now()) if candidates else None
        if ranked is None or not ranked.providers:
            raise nobody(self._parts, self._request)
        self.why, self._fresh = ranked.why, list(ranked.providers)

    async def _next(self) -> Try[V] | None:
        """The attempt to make now; None when none is left or the time is up."""
        while self._by_turn and self._left() > 0:
            if (attempt := await self._admitted(self._by_turn.pop(), Pass(), by_turn=True)) is not None:
                return attempt
        if (attempt := await self._next_well()) is not None:
            return attempt
        while (provider := await self._once_more()) is not None:
            if (attempt := await self._admitted(provider, Pass(probe=True))) is not None:
                return attempt
        return None

    async def _next_well(self) -> Try[V] | None:
        """The attempt at the next provider that was not called yet and is not known to be down."""
        while self._fresh and self._left() > 0:
            provider = self._fresh.pop(0)
            passed = self._let_through(provider)
            if passed and (attempt := await self._admitted(provider, passed)) is not None:
                return attempt
        return None

    def _let_through(self, provider: Provider) -> Pass | None:
        """Leave to call `provider`; None, with a skipped attempt noted, when it is not to be called now."""
        now, health = self._parts.clock.now(), self._parts.health
        if too_small(provider, self._overflowed):
            return self._skip(provider, "smaller_window")
        passed = health.admit(provider.name, now)
        if passed is None:
            breaker = health.breaker(provider.name)
            asked = breaker.open_until if breaker.asked else None
            self._stand(provider, None, max(0.0, (asked - now).total_seconds()) if asked else 0.0)
            return self._skip(provider, "breaker_open")
        if not self._parts.rates.admit(provider.name, provider.spec.rpm, now):
            health.returned(provider.name, passed)
            return self._skip(provider, "rpm_reached")
        return passed

    async def _hedged(self, attempt: Try[V]) -> tuple[Try[V], AsyncGenerator[TextDelta | ToolDelta]]:
        """`attempt`, or the next provider's when that one speaks first, since `attempt` is slower than usual."""
        known = self._parts.latencies.of(attempt.provider.name)
        usual_s = known.first.p95 if known and known.first else _UNKNOWN_S
        winner, *others = await race(attempt, self._check, self._next_well, usual_s)
        for other in others:
            if other.attempt.outcome is not None:
                self.attempts.append(other.attempt.outcome)
            if (error := other.attempt.error) is None:
                continue
            if winner.speaks:  # it was asked first, so that an error of the other ends nothing
                self._errors.append(error)
                self._stand(other.attempt.provider, fault_of(error), retry_after_s(error) or 0.0)
            else:
                self._failed(other.attempt, error)
        return winner.attempt, winner.pieces()

    async def _once_more(self) -> Provider | None:
        """When no provider is left that is well: the one to call all the same, after the pause it needs."""
        if self._said or self._extra >= _RETRIES + (self._tries == 0):
            return None
        now = self._parts.clock.elapsed()
        pauses = [(max(0.0, s.at + self._pause(s) - now), p) for p, s in self._stands.values() if self._may_return(s)]
        in_time = [(wait, provider) for wait, provider in pauses if wait < self._left()]
        if not in_time:
            return None
        wait, provider = min(in_time, key=lambda found: found[0])
        self._extra += 1
        if wait:
            await self._parts.clock.sleep(wait)
        return provider

    def _may_return(self, stand: _Stand) -> bool:
        return stand.fault is None or stand.fault in WORTH_A_RETRY or stand.fault is Fault.BAD_ANSWER

    def _pause(self, stand: _Stand) -> float:
        if stand.fault in {None, Fault.BAD_ANSWER}:
            return stand.wait_s
        return max(stand.wait_s, _BACKOFF_S * 2.0**self._extra * self._parts.chance.uniform(0.5, 1.0))

    async def _admitted(self, provider: Provider, passed: Pass, *, by_turn: bool = False) -> Try[V] | None:
        """The attempt with its money held; None, with a skipped attempt noted, when no budget lets it."""
        request, said = self._request, "".join(self._said)
        if self._flaw is not None:
            request = asked_to_mend(request, self._flaw)
        if by_turn:
            request = asked_to_go_on(request, said)
        prefix = "" if by_turn else said
        try:
            hold = await self._parts.ledger.areserve(provider, request, self._parts.clock.now(), prefix)
        except AccordError as error:
            self._parts.health.returned(provider.name, passed)
            self._errors.append(error)
            return self._skip(provider, error.code, error.detail)
        self._tries += 1
        seam = Seam(said, repeats=by_turn) if said else None
        return Try(self._parts, hold, passed, self._limits(provider, passed), seam=seam, prefix=prefix)

    def _limits(self, provider: Provider, passed: Pass) -> Deadlines:
        """The deadlines of one attempt: its silence must leave the providers after it their time."""
        limits = self._parts.deadlines.within(self._left())
        if provider.spec.vendor == "local":
            limits = limits.patient()
        if not self._fresh:
            return limits
        if passed.probe:
            known = self._parts.latencies.of(provider.name)
            limits = limits.probing(known.first.p95 if known and known.first else None)
        share_s = self._left() / (len(self._fresh) + 1)
        return replace(limits, first_token_s=min(limits.first_token_s, share_s))

    def _delivered(self, provider: Provider, piece: TextDelta | ToolDelta) -> tuple[StreamEvent, ...]:
        """`piece` for a caller who streams; blanks before the first content wait for it."""
        if not self._deliver:
            return ()
        if isinstance(piece, ToolDelta):
            self._tool_sent = True
        elif not self._started and not piece.text.strip():
            self._blank += piece.text
            return ()
        start = () if self._started else (self._start(provider),)
        if isinstance(piece, TextDelta):
            if start and self._blank:
                piece = TextDelta(text=self._blank + piece.text)
            self._said.append(piece.text)
        return (*start, piece)

    def _start(self, provider: Provider) -> Started:
        self._started = True
        return Started(provider=provider.name, model=provider.spec.model, attempts=tuple(self.attempts))

    def _failed(self, attempt: Try[V], error: AccordError) -> None:
        """Notes a failure. Raises it when nobody else may be asked."""
        fault, provider = fault_of(error), attempt.provider
        self._blank = ""
        self._errors.append(error)
        if attempt.prefix and (error.facts.get("refuses_prefill") or error.facts.get("ask_by_turn")):
            self._by_turn.append(provider)
            return
        if fault is Fault.BAD_ANSWER and self._flaw is not None:
            raise self._never_valid(error)
        # What was delivered cannot be taken back: neither a broken tool call, nor an answer that proved invalid.
        spoilt = self._tool_sent or (self._started and attempt.whole)
        if ends_the_call(fault) or spoilt:
            error.facts["attempts"] = tuple(self.attempts)
            raise error
        self._stand(provider, fault, retry_after_s(error) or 0.0)
        if fault is Fault.CONTEXT_OVERFLOW:
            self._overflowed.append(provider)
        if fault is Fault.BAD_ANSWER and not self._said:
            self._flaw = error

    def _stand(self, provider: Provider, fault: Fault | None, wait_s: float) -> None:
        self._stands[provider.name] = provider, _Stand(fault, self._parts.clock.elapsed(), wait_s)

    def _skip(self, provider: Provider, code: str, detail: str | None = None) -> None:
        skipped = Attempt(
            provider=provider.name,
            outcome=Outcome.SKIPPED,
            error_code=code,
            detail=detail,
            started_at=self._parts.clock.now(),
        )
        self.attempts.append(skipped)
        for observer in self._parts.observers:
            observer.attempted(skipped, self._request, provider)

    def _left(self) -> float:
        return self._ends - self._parts.clock.elapsed()

    def _answer(self, attempt: Try[V]) -> ModelAnswer:
        provider, reply = attempt.provider, attempt.reply
        assert reply is not None  # noqa: S101 - an attempt without an error has one
        currency = provider.rates.currency if provider.rates else None
        known = [a.cost_nano for a in self.attempts if a.cost_nano is not None and a.currency == currency]
        return ModelAnswer(
            text=reply.text,
            tool_calls=reply.tool_calls,
            provider=provider.name,
            model=provider.spec.model,
            usage=reply.usage,
            cost_nano=None if self.attempts[-1].cost_nano is None else sum(known),
            currency=currency,
            attempts=tuple(self.attempts),
            latency_s=self._parts.clock.elapsed() - self._began,
            finish=reply.finish,
            why=f"{self.why} {passed_over(self.attempts)}".strip(),
        )

    def _never_valid(self, error: AccordError) -> BadAnswer:
        detail = f"No valid answer to task {self._request.task!r} ({self._tried()}). {error.detail}"
        return BadAnswer(detail, **{**error.facts, "attempts": tuple(self.attempts)})

    def _tried(self) -> str:
        return "; ".join(f"{a.provider!r}: {a.error_code}" for a in self.attempts)

    def _all_failed(self) -> AccordError:
        """One error for the whole call, of the kind most worth acting on, with all attempts."""
        attempts = tuple(self.attempts)
        external = [error for error in self._errors if isinstance(error, ExternalError)]
        refused = [error for error in self._errors if not isinstance(error, ExternalError)]
        if not external and refused:
            over = [error for error in refused if isinstance(error, OverBudget)]
            if over:
                return OverBudget(over[0].detail, **{**over[0].facts, "attempts": attempts})
            return NoProvider(refused[0].detail, attempts=attempts)
        detail = (
            f"No provider answered task {self._request.task!r} ({self._tried()}). "
            "See the attempts, or go on without a model."
        )
        transient = not external or any(isinstance(error, TransientError) for error in external)
        kind = TransientError if transient else type(external[-1])
        waits = [stand.wait_s for _, stand in self._stands.values() if stand.wait_s]
        fault = fault_of(external[-1]) if external else Fault.OVERLOADED
        return kind(detail, attempts=attempts, fault=fault, retry_after_s=min(waits) if waits else None)


def passed_over(attempts: list[Attempt]) -> str:
    """What became of those tried before the one that answered, in a sentence; empty when it was the first."""
    before = [f"{a.provider!r} ({(a.error_code or 'answered').replace('_', ' ')})" for a in attempts[:-1]]
    return f"Before it: {', '.join(before)}." if before else ""


def nobody(parts: Parts, request: ModelRequest) -> NoProvider:
    """The error for a request that no provider may answer, with the reason for each."""
    reasons = dict(parts.registry.lacking)
    reasons |= {p.name: why for p in parts.registry.usable if (why := barred(p, request)) is not None}
    listed = "; ".join(f"{name!r}: {why}" for name, why in reasons.items()) or "none is configured"
    return NoProvider(
        f"No provider can answer task {request.task!r} ({listed}). Configure one, or go on without a model.",
        attempts=(),
    )
