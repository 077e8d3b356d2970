"""The account of model calls: every attempt recorded, hard monthly budgets kept by reservation before a call.

A reservation is an amount the call cannot exceed, taken from every budget in one transaction, so that calls of any
thread or process cannot pass a limit together. Amounts are integer nano-units of the objective's currency.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from domain.errors import ConfigError, OverBudget
from domain.ids import derive_id
from providers.faults import Fault
from providers.pricing import NANO, ceiling_nano, convert_nano, decimal_text
from providers.registry import Provider
from providers.types import Attempt, Budget, ModelRequest, Outcome, Tokens

# Ten million: no call costs more, and a store's sums of such amounts fit 64 bits.
_MOST_NANO = 10_000_000 * NANO

# How an attempt may end while the vendor is still writing; `cancelled` when the caller went away.
_UNENDED = frozenset({Fault.TIMEOUT, Fault.CONNECTION, Fault.MALFORMED, Fault.CUT, "cancelled"})

Refusal = tuple[str, int]
"""The scope whose limit would be passed, and what it is charged already, in nano-units."""


class CallRecord(BaseModel):
    """One attempt that was made, as it is stored. `charged_nano` (objective currency) is what budgets count: the cost
    where it is known, else (`estimated`) the whole reservation, since the vendor may have billed it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    task: str
    key: str | None
    provider: str
    model: str
    data_class: str
    at: datetime
    outcome: Outcome
    error_code: str | None
    usage: Tokens | None
    cost_nano: int | None
    currency: str | None
    charged_nano: int
    estimated: bool = False
    latency_s: float
    first_token_s: float | None = None
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Posting:
    """What shall be held for one call from now on, and its record once it is over. `limits` (nano-units by scope) may
    refuse it; the scopes without a limit only count.
    """

    id: str
    at: datetime
    provider: str
    task: str
    key: str | None
    scopes: tuple[str, ...]
    held_nano: int = 0
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    call: CallRecord | None = None


class CallLog(Protocol):
    """Where postings go: a store through `providers.journal`, or memory."""

    def post(self, posting: Posting) -> Future[Refusal | None]:
        """Done once `posting` is kept, with None, or with the scope that refused it, which leaves nothing. Never
        blocks; postings take effect in the order in which they are made.
        """
        ...


class InMemoryCallLog:
    """Records in a dict, for tests, evals and a process without a store."""

    def __init__(self) -> None:
        self.calls: dict[str, CallRecord] = {}
        self.spend: Counter[tuple[str, str]] = Counter()
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def post(self, posting: Posting) -> Future[Refusal | None]:
        done: Future[Refusal | None] = Future()
        with self._lock:
            done.set_result(self._kept(posting))
        return done

    def _kept(self, posting: Posting) -> Refusal | None:
        change, month = posting.held_nano - self._held.get(posting.id, 0), month_of(posting.at)
        if posting.call is not None and posting.id not in self.calls:
            change += posting.call.charged_nano
        for scope, limit in sorted(posting.limits.items()):
            if self.spend[scope, month] + change > limit:
                return scope, self.spend[scope, month]
        self.spend.update({(scope, month): change for scope in posting.scopes})
        self._held[posting.id] = posting.held_nano
        if posting.call is not None:
            self.calls.setdefault(posting.id, posting.call)
        return None


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money for one attempt, the most it can cost; `held` when budgets cover it, so that it is charged beforehand."""

    id: str
    provider: Provider
    request: ModelRequest
    at: datetime
    amount_nano: int
    held: bool


class Ledger:
    """Budgets in `currency`, kept over `log`, and every attempt told to it."""

    def __init__(
        self, log: CallLog, *, currency: str, fx: Mapping[str, Decimal], budgets: Iterable[Budget] = ()
    ) -> None:
        self._log = log
        self._currency = currency
        self._fx = fx
        self._limits: dict[str, int] = {}
        for budget in budgets:
            limit = int(budget.month * NANO)
            self._limits[budget.scope] = min(limit, self._limits.get(budget.scope, limit))
        self._name = secrets.token_hex(8)
        self._ordinals = count()

    def check(self, providers: Iterable[Provider]) -> None:
        """Raises ConfigError when a provider's currency has no rate, or a budget covers one without a price."""
        for provider in providers:
            if provider.rates is not None and not provider.rates.free:
                convert_nano(1, provider.rates.currency, self._currency, self._fx)
            covering = [scope for scope in ("all", f"provider:{provider.name}") if scope in self._limits]
            if provider.rates is None and covering:
                raise _unpriced(provider, covering[0])

    def covers(self, provider: Provider, request: ModelRequest) -> bool:
        """Whether a budget limits this call, so that `reserve` has to wait for the store."""
        free = provider.rates is not None and provider.rates.free
        return not free and any(scope in self._limits for scope in _scopes(provider.name, request))

    def reserve(self, provider: Provider, request: ModelRequest, now: datetime, prefix: str = "") -> Reservation:
        """Hold the most the attempt can cost, with the `prefix` it goes on from; waits for the store when budgets cover
        it. Raises OverBudget naming the budget it would pass, ConfigError when a budget covers a provider of unknown
        price, TransientError when the store cannot be written, since a limit that cannot be checked is kept.
        """
        hold, limits = self._planned(provider, request, now, prefix)
        if limits:
            self._check(hold, limits, self._log.post(_held(hold, limits)).result())
        return hold

    async def areserve(self, provider: Provider, request: ModelRequest, now: datetime, prefix: str = "") -> Reservation:
        """`reserve` from an event loop: reservations that wait together become one transaction."""
        hold, limits = self._planned(provider, request, now, prefix)
        if limits:
            posted = asyncio.wrap_future(self._log.post(_held(hold, limits)))
            try:
                refusal = await asyncio.shield(posted)
            except asyncio.CancelledError:
                self.release(hold)  # comes after the reservation, wherever that is now
                raise
            self._check(hold, limits, refusal)
        return hold

    def settle(self, hold: Reservation, attempt: Attempt, *, maybe_billed: bool) -> None:
        """Replace `hold` by what `attempt` cost; a cost unknown though `maybe_billed` is charged as reserved. What a
        vendor told of an answer that broke off is no bill, since it may have gone on writing; nor is what no call
        costs. Never blocks.
        """
        charged = hold.amount_nano if maybe_billed else 0
        cost = attempt.cost_nano if attempt.error_code not in _UNENDED else None
        known = cost is not None and cost <= _MOST_NANO
        if cost is not None and known and attempt.currency is not None:
            charged = min(_MOST_NANO, convert_nano(cost, attempt.currency, self._currency, self._fx))
        told = attempt if known else attempt.model_copy(update={"cost_nano": None})
        self._log.post(_posting(hold, call=_record(hold, told, charged, estimated=charged > 0 and not known)))

    def release(self, hold: Reservation) -> None:
        """Give back what is held for an attempt that was not made. Never blocks."""
        if hold.held:
            self._log.post(_posting(hold))

    def _planned(
        self, provider: Provider, request: ModelRequest, now: datetime, prefix: str
    ) -> tuple[Reservation, Mapping[str, int]]:
        limits = {scope: self._limits[scope] for scope in _scopes(provider.name, request) if scope in self._limits}
        if provider.rates is None and limits:
            raise _unpriced(provider, next(iter(limits)))
        amount = min(_MOST_NANO, self._ceiling(provider, request, prefix))
        # A free call passes no limit, also not one that is used up.
        limits = limits if amount else {}
        made = derive_id("call", self._name, next(self._ordinals))
        return Reservation(made, provider, request, now, amount, bool(limits)), limits

    def _ceiling(self, provider: Provider, request: ModelRequest, prefix: str) -> int:
        if provider.rates is None or provider.rates.free:
            return 0
        amount = ceiling_nano(provider.rates, request, prefix=prefix, veiled=provider.spec.pseudonyms)
        return convert_nano(amount, provider.rates.currency, self._currency, self._fx)

    def _check(self, hold: Reservation, limits: Mapping[str, int], refusal: Refusal | None) -> None:
        if refusal is None:
            return
        scope, charged = refusal
        raise OverBudget(
            f"The budget {scope!r} of {decimal_text(limits[scope])} {self._currency} a month has "
            f"{decimal_text(max(0, limits[scope] - charged))} left, and this call may cost "
            f"{decimal_text(hold.amount_nano)}. Raise the budget or wait for the next month.",
            budget=scope,
        )


def month_of(at: datetime) -> str:
    """The calendar month of `at` in UTC, as `2026-11`: budgets begin anew with it."""
    return f"{at.astimezone(UTC):%Y-%m}"


def _scopes(provider: str, request: ModelRequest) -> tuple[str, ...]:
    of_key = () if request.key is None else (f"key:{request.key}",)
    return ("all", f"provider:{provider}", f"task:{request.task}", *of_key)


def _unpriced(provider: Provider, scope: str) -> ConfigError:
    return ConfigError(
        f"The budget {scope!r} cannot hold for {provider.name!r}: the price of {provider.spec.model!r} is unknown. "
        "Set its `price`."
    )


def _held(hold: Reservation, limits: Mapping[str, int]) -> Posting:
    return _posting(hold, held_nano=hold.amount_nano, limits=limits)


def _posting(
    hold: Reservation, *, held_nano: int = 0, limits: Mapping[str, int] | None = None, call: CallRecord | None = None
) -> Posting:
    return Posting(
        id=hold.id,
        at=hold.at,
        provider=hold.provider.name,
        task=hold.request.task,
        key=hold.request.key,
        scopes=_scopes(hold.provider.name, hold.request),
        held_nano=held_nano,
        limits=limits or {},
        call=call,
    )


def _record(hold: Reservation, attempt: Attempt, charged: int, *, estimated: bool) -> CallRecord:
    return CallRecord(
        id=hold.id,
        task=hold.request.task,
        key=hold.request.key,
        provider=hold.provider.name,
        model=hold.provider.spec.model,
        data_class=hold.request.data_class,
        at=hold.at,
        outcome=attempt.outcome,
        error_code=attempt.error_code,
        usage=attempt.usage,
        cost_nano=attempt.cost_nano,
        currency=attempt.currency,
        charged_nano=charged,
        estimated=estimated,
        latency_s=attempt.latency_s,
        first_token_s=attempt.first_token_s,
        streamed=attempt.streamed,
    )
