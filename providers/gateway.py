"""One call over interchangeable providers: who may, in which order, at what cost, and what to do when one fails.

Each provider is tried at most once, since another try elsewhere is faster and cheaper than waiting. Every attempt is in
the answer, or in `facts["attempts"]` of the error, and in the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, JsonValue

from domain.errors import AccordError, ConfigError, ExternalError, OverBudget, TransientError
from providers.adapter import Adapter
from providers.answers import Check, any_text, by_schema, by_type
from providers.candidates import Order, as_listed, barred, ends_the_call, may_answer, too_small
from providers.faults import MAYBE_BILLED, UNHEALTHY, Fault, NoProvider, fault_of, retry_after_s
from providers.health import Health, RateWindow
from providers.ledger import Ledger, Reservation
from providers.pricing import cost_nano
from providers.registry import Provider, Registry
from providers.types import Attempt, DataClass, Message, ModelAnswer, ModelRequest, Outcome, Reply, Tokens

V = TypeVar("V")
T = TypeVar("T", bound=BaseModel)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` dates attempts, budgets and breakers; `elapsed` (seconds, monotonic) measures latencies and deadlines."""

    now: Callable[[], datetime] = _utc_now
    elapsed: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class _Walk(Generic[V]):
    """One call on its way along the providers."""

    request: ModelRequest
    check: Check[V]
    started: float
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    errors: list[AccordError] = field(default_factory=list[AccordError])
    overflowed: Provider | None = None


class Gateway:
    """Sync and safe under threads. `adapters` are by vendor, with `*` for every vendor not named."""

    def __init__(
        self,
        registry: Registry,
        adapters: Mapping[str, Adapter],
        ledger: Ledger,
        *,
        health: Health | None = None,
        order: Order = as_listed,
        clock: Clock | None = None,
    ) -> None:
        """Raises ConfigError when a price cannot be converted or a budget cannot be kept."""
        ledger.check(registry.usable)
        self._registry = registry
        self._adapters = adapters
        self._ledger = ledger
        self._health = health or Health()
        self._rates = RateWindow()
        self._order = order
        self._clock = clock or Clock()

    @property
    def registry(self) -> Registry:
        """Every configured provider, also those that lack something."""
        return self._registry

    def complete(self, request: ModelRequest) -> ModelAnswer:
        """The first valid answer. Raises NoProvider when none may or can answer, OverBudget when no budget lets one,
        BadAnswer when all answers were invalid, else TransientError or TerminalError; callers with a deterministic
        fallback catch ExternalError and OverBudget.
        """
        if request.answer_schema is None:
            return self._walk(request, any_text)[1]
        value, answer = self._walk(request, by_schema(request.answer_schema))
        return answer.model_copy(update={"parsed": value})

    def ask(
        self,
        task: str,
        model_type: type[T],
        messages: Sequence[Message],
        *,
        data_class: DataClass = "internal",
        max_tokens: int = 512,
        deadline_s: float = 120.0,
    ) -> tuple[T, ModelAnswer]:
        """The answer as a `model_type`, whose own validators count too. Raises as `complete`."""
        request = ModelRequest(
            task=task,
            messages=tuple(messages),
            answer_schema=cast("dict[str, JsonValue]", model_type.model_json_schema()),
            max_tokens=max_tokens,
            data_class=data_class,
            deadline_s=deadline_s,
        )
        value, answer = self._walk(request, by_type(model_type))
        return value, answer.model_copy(update={"parsed": value.model_dump(mode="json")})

    def _walk(self, request: ModelRequest, check: Check[V]) -> tuple[V, ModelAnswer]:
        walk = _Walk(request, check, self._clock.elapsed())
        route = self._order(request, may_answer(self._registry.usable, request))
        if not route:
            raise self._nobody(request)
        for place, provider in enumerate(route):
            left = request.deadline_s - (self._clock.elapsed() - walk.started)
            if left <= 0:
                break
            # An equal share of the time left, so that a silent provider leaves the others theirs.
            answered = self._try(walk, provider, left / (len(route) - place))
            if answered is not None:
                return answered
        raise _all_failed(walk)

    def _try(self, walk: _Walk[V], provider: Provider, share_s: float) -> tuple[V, ModelAnswer] | None:
        now = self._clock.now()
        hold = self._admit(walk, provider, now)
        if hold is None:
            return None
        began = self._clock.elapsed()
        reply: Reply | None = None
        try:
            adapter = self._adapters.get(provider.spec.vendor) or self._adapters["*"]
            reply = adapter.complete(provider, walk.request, deadline_s=share_s)
            value = walk.check(reply)
        except AccordError as error:
            usage = reply.usage if reply else _usage_in(error)
            self._failed(walk, hold, error, usage, self._clock.elapsed() - began)
            return None
        attempt = _attempt(hold, Outcome.ANSWERED, reply.usage, self._clock.elapsed() - began)
        self._ledger.settle(hold, attempt, maybe_billed=True)
        self._health.succeeded(provider.name)
        walk.attempts.append(attempt)
        return value, self._answer(walk, provider, reply)

    def _admit(self, walk: _Walk[V], provider: Provider, now: datetime) -> Reservation | None:
        """Money held for an attempt; None, with a skipped attempt noted, when `provider` is not to be called now."""
        if too_small(provider, walk.overflowed):
            return _skip(walk, provider, now, "smaller_window")
        try:
            hold = self._ledger.reserve(provider, walk.request, now)
        except (OverBudget, ConfigError) as error:
            walk.errors.append(error)
            return _skip(walk, provider, now, error.code, error.detail)
        blocked = None
        if not self._health.admit(provider.name, now):
            blocked = "breaker_open"
        elif not self._rates.admit(provider.name, provider.spec.rpm, now):
            blocked = "rpm_reached"
        if blocked is None:
            return hold
        self._ledger.release(hold)
        return _skip(walk, provider, now, blocked)

    def _failed(
        self, walk: _Walk[V], hold: Reservation, error: AccordError, usage: Tokens | None, latency_s: float
    ) -> None:
        fault = fault_of(error)
        attempt = _attempt(hold, Outcome.FAILED, usage, latency_s, error)
        walk.attempts.append(attempt)
        self._ledger.settle(hold, attempt, maybe_billed=fault in MAYBE_BILLED)
        name = hold.provider.name
        if fault in UNHEALTHY:
            self._health.failed(name, self._clock.now(), retry_after_s(error))
        else:
            self._health.succeeded(name)
        if ends_the_call(fault):
            error.facts["attempts"] = tuple(walk.attempts)
            raise error
        walk.errors.append(error)
        if fault is Fault.CONTEXT_OVERFLOW:
            walk.overflowed = hold.provider

    def _answer(self, walk: _Walk[V], provider: Provider, reply: Reply) -> ModelAnswer:
        currency = provider.rates.currency if provider.rates else None
        known = [a.cost_nano for a in walk.attempts if a.cost_nano is not None and a.currency == currency]
        return ModelAnswer(
            text=reply.text,
            provider=provider.name,
            model=provider.spec.model,
            usage=reply.usage,
            cost_nano=None if walk.attempts[-1].cost_nano is None else sum(known),
            currency=currency,
            attempts=tuple(walk.attempts),
            latency_s=self._clock.elapsed() - walk.started,
            finish=reply.finish,
        )

    def _nobody(self, request: ModelRequest) -> NoProvider:
        reasons = dict(self._registry.lacking)
        reasons |= {p.name: why for p in self._registry.usable if (why := barred(p, request)) is not None}
        listed = "; ".join(f"{name!r}: {why}" for name, why in reasons.items()) or "none is configured"
        return NoProvider(
            f"No provider can answer task {request.task!r} ({listed}). Configure one, or go on without a model.",
            attempts=(),
        )


def _attempt(
    hold: Reservation, outcome: Outcome, usage: Tokens | None, latency_s: float, error: AccordError | None = None
) -> Attempt:
    rates = hold.provider.rates
    return Attempt(
        provider=hold.provider.name,
        outcome=outcome,
        error_code=fault_of(error) if error else None,
        detail=error.detail if error else None,
        started_at=hold.at,
        latency_s=latency_s,
        usage=usage,
        cost_nano=cost_nano(rates, usage) if rates and usage else None,
        currency=rates.currency if rates else None,
    )


def _skip(walk: _Walk[V], provider: Provider, now: datetime, code: str, detail: str | None = None) -> None:
    walk.attempts.append(
        Attempt(provider=provider.name, outcome=Outcome.SKIPPED, error_code=code, detail=detail, started_at=now)
    )


def _usage_in(error: AccordError) -> Tokens | None:
    usage = error.facts.get("usage")
    return usage if isinstance(usage, Tokens) else None


def _all_failed(walk: _Walk[V]) -> AccordError:
    """One error for the whole call, of the kind most worth acting on, with all attempts."""
    tried = "; ".join(f"{a.provider!r}: {a.error_code}" for a in walk.attempts)
    detail = f"No provider answered task {walk.request.task!r} ({tried}). See the attempts, or go on without a model."
    attempts = tuple(walk.attempts)
    external = [error for error in walk.errors if isinstance(error, ExternalError)]
    refused = [error for error in walk.errors if not isinstance(error, ExternalError)]
    if not external and refused:
        over = [error for error in refused if isinstance(error, OverBudget)]
        if over:
            return OverBudget(over[0].detail, **over[0].facts, attempts=attempts)
        return NoProvider(refused[0].detail, attempts=attempts)
    transient = not external or any(isinstance(error, TransientError) for error in external)
    kind = TransientError if transient else type(external[-1])
    return kind(detail, attempts=attempts)
