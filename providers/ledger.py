"""The account of model calls: every attempt recorded, hard monthly budgets kept by reservation before a call.

A reservation is an amount the call cannot exceed, so concurrent calls cannot pass a limit together. Amounts are integer
nano-units of the objective's currency.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from domain.errors import ConfigError, OverBudget
from domain.ids import derive_id
from providers.pricing import NANO, ceiling_nano, convert_nano, decimal_text
from providers.registry import Provider
from providers.types import Attempt, Budget, ModelRequest, Outcome, Tokens


class CallRecord(BaseModel):
    """One attempt that was made, as it is stored. `charged_nano` (objective currency) is what budgets count: the cost
    where it is known, else the whole reservation, since the vendor may have billed it.
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
    latency_s: float


class CallLog(Protocol):
    """Where records are kept; the memory package has the table."""

    def record(self, call: CallRecord) -> None:
        """Store `call`; the same id again changes nothing."""
        ...

    def charged_nano(self, scope: str, since: datetime) -> int:
        """Sum of `charged_nano` from `since` on over `all`, `provider:NAME`, `task:NAME` or `key:ID`."""
        ...


class InMemoryCallLog:
    """Records in a dict, for tests, evals and a process without a store."""

    def __init__(self) -> None:
        self.calls: dict[str, CallRecord] = {}

    def record(self, call: CallRecord) -> None:
        self.calls.setdefault(call.id, call)

    def charged_nano(self, scope: str, since: datetime) -> int:
        counted = [call for call in tuple(self.calls.values()) if call.at >= since and in_scope(call, scope)]
        return sum(call.charged_nano for call in counted)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money held for one attempt; `scopes` are the budgets it is held in."""

    id: str
    provider: Provider
    request: ModelRequest
    at: datetime
    amount_nano: int
    scopes: tuple[str, ...]


class Ledger:
    """Budgets in `currency`, kept over `log` and the reservations of this process."""

    def __init__(
        self, log: CallLog, *, currency: str, fx: Mapping[str, Decimal], budgets: Iterable[Budget] = ()
    ) -> None:
        self._log = log
        self._currency = currency
        self._fx = fx
        self._budgets = tuple(budgets)
        self._held: dict[str, Reservation] = {}
        self._ordinals = count()
        self._lock = threading.Lock()

    def check(self, providers: Iterable[Provider]) -> None:
        """Raises ConfigError when a provider's currency has no rate, or a budget covers one without a price."""
        for provider in providers:
            if provider.rates is not None and not provider.rates.free:
                convert_nano(1, provider.rates.currency, self._currency, self._fx)
            covering = [
                budget.scope for budget in self._budgets if budget.scope in {"all", f"provider:{provider.name}"}
            ]
            if provider.rates is None and covering:
                raise _unpriced(provider, covering[0])

    def reserve(self, provider: Provider, request: ModelRequest, now: datetime) -> Reservation:
        """Hold the most the attempt can cost. Raises OverBudget naming the budget it would pass, ConfigError when a
        budget covers a provider of unknown price.
        """
        budgets = [budget for budget in self._budgets if budget.scope in _scopes(provider.name, request)]
        if provider.rates is None and budgets:
            raise _unpriced(provider, budgets[0].scope)
        amount = self._ceiling(provider, request)
        with self._lock:
            # A free call passes no limit, also not one that is used up.
            for budget in budgets if amount else ():
                self._check_room(budget, amount, now)
            number = next(self._ordinals)
            made = derive_id("call", provider.name, request.model_dump(mode="json"), now.isoformat(), number)
            hold = Reservation(made, provider, request, now, amount, tuple(budget.scope for budget in budgets))
            self._held[made] = hold
        return hold

    def settle(self, hold: Reservation, attempt: Attempt, *, maybe_billed: bool) -> None:
        """Replace `hold` by what `attempt` cost; a cost unknown though `maybe_billed` is charged as reserved."""
        charged = hold.amount_nano if maybe_billed else 0
        if attempt.cost_nano is not None and attempt.currency is not None:
            charged = convert_nano(attempt.cost_nano, attempt.currency, self._currency, self._fx)
        with self._lock:
            self._log.record(_record(hold, attempt, charged))
            self._held.pop(hold.id, None)

    def release(self, hold: Reservation) -> None:
        """Give back what is held for an attempt that was not made."""
        with self._lock:
            self._held.pop(hold.id, None)

    def _ceiling(self, provider: Provider, request: ModelRequest) -> int:
        if provider.rates is None:
            return 0
        return convert_nano(ceiling_nano(provider.rates, request), provider.rates.currency, self._currency, self._fx)

    def _check_room(self, budget: Budget, amount: int, now: datetime) -> None:
        limit = int(budget.month * NANO)
        held = sum(hold.amount_nano for hold in self._held.values() if budget.scope in hold.scopes)
        charged = self._log.charged_nano(budget.scope, month_start(now))
        if charged + held + amount > limit:
            raise OverBudget(
                f"The budget {budget.scope!r} of {decimal_text(limit)} {self._currency} a month has "
                f"{decimal_text(max(0, limit - charged - held))} left, and this call may cost {decimal_text(amount)}. "
                "Raise the budget or wait for the next month.",
                budget=budget.scope,
            )


def in_scope(call: CallRecord, scope: str) -> bool:
    """Whether a budget's `scope` covers `call`."""
    return scope in {"all", f"provider:{call.provider}", f"task:{call.task}", f"key:{call.key}"}


def month_start(now: datetime) -> datetime:
    """The first instant, in UTC, of the month of `now`."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _scopes(provider: str, request: ModelRequest) -> set[str]:
    return {"all", f"provider:{provider}", f"task:{request.task}", f"key:{request.key}"}


def _unpriced(provider: Provider, scope: str) -> ConfigError:
    return ConfigError(
        f"The budget {scope!r} cannot hold for {provider.name!r}: the price of {provider.spec.model!r} is unknown. "
        "Set its `price`."
    )


def _record(hold: Reservation, attempt: Attempt, charged: int) -> CallRecord:
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
        latency_s=attempt.latency_s,
    )
