"""How the model providers stand, in wire shape: for the API, the command line and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from agents import standing
from agents.drift import drift, in_words
from agents.standing import Left
from api.schemas.providers import BudgetLeft, Health, Pricing, Provider, Providers, Routed, Tail
from providers import registry
from providers.health import BreakerState
from providers.ledger import month_of
from providers.pricing import decimal_text

if TYPE_CHECKING:
    from agents.parts import Runtime
    from providers.gateway import Gateway, PastCall
    from providers.types import Attempt

RECENT = 20


def providers_of(runtime: Runtime, now: datetime, *, live: bool) -> Providers:
    """Every configured provider. Without `live` what only a server's process knows is left open."""
    store, settings = runtime.store, runtime.settings
    budgets = list(standing.budgets(store, settings.budgets, now))
    totals = store.calls.totals()
    judged, shifted = standing.qualities(store, now), drift(runtime)
    return Providers(
        items=[
            _provider(runtime, one, budgets, now, live=live).model_copy(
                update={
                    "called": one.name in totals.providers,
                    "quality": judged.get(one.name),
                    "drift": in_words(shifted[one.name]) or None if one.name in shifted else None,
                }
            )
            for one in runtime.gateway.registry.providers
        ],
        next=None,
        calls=totals.calls,
        cost=decimal_text(totals.cost_nano),
        currency=settings.objective.currency,
        window_d=standing.WINDOW.days,
        budgets=[_left(budget) for budget in budgets],
        recent=_recent(runtime.gateway) if live else [],
        live=live,
    )


def _provider(
    runtime: Runtime, one: registry.Provider, budgets: Sequence[Left], now: datetime, *, live: bool
) -> Provider:
    seen = standing.history(runtime.store, one.name, now)
    spent = runtime.store.calls.charged_nano(f"provider:{one.name}", month_of(now))
    return Provider(
        name=one.name,
        model=one.spec.model,
        region=one.spec.region,
        data_classes=list(one.spec.data_classes),
        called=False,
        missing=one.missing,
        price=_price(one),
        health=_health(runtime.gateway, one.name, now) if live else None,
        attempts=seen.attempts,
        answered=seen.answered,
        failures=dict(seen.failures),
        latency=_tail(seen.latency),
        first_token=_tail(seen.first_token),
        spent=decimal_text(spent),
        budget_left=_tightest(budgets, one.name),
        quality=None,
        drift=None,
    )


def _tail(tail: standing.Tail | None) -> Tail | None:
    return Tail.model_validate(tail) if tail else None


def _price(one: registry.Provider) -> Pricing | None:
    if one.rates is None:
        return None
    price = one.rates.price
    cached = None if price.cached_input is None else str(price.cached_input)
    return Pricing(
        currency=price.currency,
        input=str(price.input),
        output=str(price.output),
        cached_input=cached,
        source=standing.price_source(one),
    )


def _tightest(budgets: Iterable[Left], provider: str) -> str | None:
    covering = [budget.left_nano for budget in budgets if budget.scope in {"all", f"provider:{provider}"}]
    return decimal_text(min(covering)) if covering else None


def _left(budget: Left) -> BudgetLeft:
    return BudgetLeft(scope=budget.scope, month=decimal_text(budget.month_nano), left=decimal_text(budget.left_nano))


def _health(gateway: Gateway, provider: str, now: datetime) -> Health:
    breaker = gateway.health.breaker(provider)
    state = gateway.health.state(provider, now)
    until = breaker.open_until if state is BreakerState.OPEN else None
    return Health(breaker=state.value, until=until, failures=breaker.trips + breaker.misses)


def _recent(gateway: Gateway) -> list[Routed]:
    return [
        Routed(
            at=call.at,
            task=call.task,
            provider=call.provider,
            why=call.why if call.provider else _why_nobody(call),
            attempts=[_ended(one) for one in call.attempts],
        )
        for call in reversed(gateway.recent[-RECENT:])
    ]


def _why_nobody(call: PastCall) -> str:
    tried = "; ".join(_ended(one) for one in call.attempts)
    return f"Tried {tried}." if tried else f"It ended before anybody was tried ({call.error_code})."


def _ended(one: Attempt) -> str:
    return f"{one.provider}: {(one.error_code or one.outcome.value).replace('_', ' ')}"
