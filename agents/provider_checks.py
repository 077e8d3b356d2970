"""Whether the configured providers can do their work: prices, what they may see, budgets and exchange rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from agents.clock import WallClock
from agents.health import HealthCheck
from providers.pricing import STATED_RATES
from providers.types import DataClass

if TYPE_CHECKING:
    from agents.parts import Runtime

_WALL = WallClock()


def provider_checks(runtime: Runtime) -> Iterator[HealthCheck]:
    """What costs comfort or money. A missing key is told by `agents.health`; a budget that cannot be kept, or a
    currency without a rate, refuses to start.
    """
    if not runtime.gateway.registry.usable:
        return
    yield from _prices(runtime)
    yield _classes(runtime)
    yield from _budgets(runtime)
    yield from _rates(runtime)


def _prices(runtime: Runtime) -> Iterator[HealthCheck]:
    for one in runtime.gateway.registry.usable:
        if one.rates is None:
            fix = f"Add `price: {{currency: USD, input: …, output: …}}` (per million tokens) to {one.name!r}."
            detail = "unknown: its calls count as nothing, and no budget can cover it"
            yield HealthCheck(name=f"price {one.name}", ok=False, needed=False, detail=detail, fix=fix)


def _classes(runtime: Runtime) -> HealthCheck:
    seen = {kind for one in runtime.gateway.registry.usable for kind in one.spec.data_classes}
    blind = [kind for kind in get_args(DataClass) if kind not in seen]
    return HealthCheck(
        name="data classes",
        ok=not blind,
        needed=False,
        detail=f"nobody may see {', '.join(blind)} data" if blind else "each may be seen by some provider",
        fix="Add the class to `data_classes` of a provider you trust with it, such as a local one." if blind else "",
    )


def _budgets(runtime: Runtime) -> Iterator[HealthCheck]:
    """A budget whose name fits nothing would never hold anything back."""
    providers = {one.name for one in runtime.gateway.registry.providers}
    for budget in runtime.settings.budgets:
        kind, _, name = budget.scope.partition(":")
        known = (
            name in providers if kind == "provider" else kind != "key" or runtime.store.keys.is_live(name, _WALL.now())
        )
        fix = "" if known else "Mend `scope`: `accord providers` and `accord keys` list the names."
        detail = f"{budget.month:g} {runtime.settings.objective.currency} a month" if known else "names nothing here"
        yield HealthCheck(name=f"budget {budget.scope}", ok=known, needed=False, detail=detail, fix=fix)


def _rates(runtime: Runtime) -> Iterator[HealthCheck]:
    objective = runtime.settings.objective.currency
    priced = {one.rates.currency for one in runtime.gateway.registry.usable if one.rates and not one.rates.free}
    for currency in sorted(priced - {objective}):
        stated = runtime.settings.fx.get(currency)
        assumed = STATED_RATES.get(objective, {}).get(currency)
        yield HealthCheck(
            name=f"fx {currency}",
            ok=stated is not None,
            needed=False,
            detail=f"1 {currency} is {stated or assumed} {objective}" + ("" if stated else ", an assumption"),
            fix="" if stated else f"State your own rate: `fx: {{{currency}: …}}`.",
        )
