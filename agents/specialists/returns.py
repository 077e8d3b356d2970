"""What the next euro of a budget earns, as far as reports tell, with honest width where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from agents.detectors.panel import DAY_S, Panel, channel_of, unit_of
from agents.detectors.shift import keys_of, recent_panel
from agents.specialists.plan import Gain
from analysis.response import BREAK_EVEN, Prior, Return, marginal_return
from domain.entities import kind_of
from domain.ports import Context

WINDOW = 28

# Share of what a platform claims that the next euro causes: platforms claim too much, and the next euro earns less
# than the average one. Paid brand clicks are often free anyway (about nothing was incremental in eBay's experiment).
_CAUSED = {"brand": (0.18, 0.0, 0.50), "other": (0.35, 0.15, 0.60)}
_ASSUMED = Gain(0.3, -0.4, 1.0, "no revenue is reported; a return of 1.3 is assumed for 1 spent, from 0.6 to 2")


def channel_class(name: str) -> str:
    """`brand`, `awareness` or `other`, told by the name of a channel, campaign or budget."""
    folded = name.lower()
    if "brand" in folded and not any(word in folded for word in ("nonbrand", "non-brand", "non_brand", "generic")):
        return "brand"
    return "awareness" if any(word in folded for word in ("ctv", "tv", "video", "awareness")) else "other"


class Returns:
    """Gains by channel, computed once each for one context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[tuple[str | None, tuple[str, ...], str], Gain] = {}

    def gain(self, channel: str | None, units: Sequence[str], name: str) -> Gain:
        """Gain per unit of money spent on `channel` in `units`, named `name`."""
        asked = (channel, tuple(units), name)
        if asked not in self._known:
            self._known[asked] = gain_of(self._context, *asked)
        return self._known[asked]


def gain_of(context: Context, channel: str | None, units: Sequence[str], name: str) -> Gain:
    """Platform-claimed revenue, discounted, × margin − 1, moved by what history of all regions shows."""
    claimed = _claimed_return(context, channel, units)
    if claimed is None and not any(kind_of(unit) == "region" for unit in units):
        claimed = _claimed_return(context, channel, ())
    if claimed is None:
        return _unclaimed(context, channel)
    kind = "brand" if channel_class(name) == "brand" else "other"
    mean, low, high = (claimed * share * context.objective.margin_rate for share in _CAUSED[kind])
    money = context.objective.currency
    because = f"platforms claim {claimed:.1f} {money} of revenue per {money} spent, of which only a part is caused"
    prior = Prior(mean, max((high - low) / 3.29, 1e-6), because)
    found = _from_history(context, channel, prior)
    return _net(found, f"{because}; our own history weighs {found.history_rate:.0%} in it")


def _unclaimed(context: Context, channel: str | None) -> Gain:
    """For channels without conversions of their own, such as television: break-even until history says otherwise."""
    if not context.view.keys("revenue") or not keys_of(context.view, "spend", channel):
        return _ASSUMED
    found = _from_history(context, channel, BREAK_EVEN)
    return _net(
        found,
        f"no conversions are reported; break-even is assumed and our own history weighs {found.history_rate:.0%} in it",
    )


def _net(found: Return, because: str) -> Gain:
    """After the money spent. What is spent can be lost, but no more than that."""
    return Gain(max(-1.0, found.mean - 1), max(-1.0, found.low - 1), max(-1.0, found.high - 1), because)


def _from_history(context: Context, channel: str | None, prior: Prior) -> Return:
    """The prior moved by weekly spend and revenue of all regions; the prior itself where history cannot tell."""
    spend, revenue = (
        _weekly(recent_panel(context.view, "spend", channel)),
        _weekly(recent_panel(context.view, "revenue")),
    )
    units = sorted(set(spend) & set(revenue))
    weeks = min((len(rows[unit]) for rows in (spend, revenue) for unit in units), default=0)
    if not units or not weeks:
        return marginal_return([[0.0]], [[0.0]], prior=prior)
    return marginal_return(
        [spend[unit][-weeks:] for unit in units],
        [revenue[unit][-weeks:] for unit in units],
        value_per_outcome=context.objective.margin_rate,
        prior=prior,
    )


def _weekly(panel: Panel) -> dict[str, list[float]]:
    """Sums of seven days, the newest week last, of units without gaps; empty for coarser grains."""
    if len(panel.times) < 14 or panel.times[-1] - panel.times[-2] > 1.5 * DAY_S:
        return {}
    skipped = len(panel.times) % 7
    return {
        unit: [sum(row[at : at + 7]) for at in range(skipped, len(row), 7)]
        for unit, row in zip(panel.units, panel.rows, strict=True)
        if all(map(isfinite, row))
    }


def _claimed_return(context: Context, channel: str | None, units: Sequence[str]) -> float | None:
    """Platform conversions × order value over spend, last four weeks; None where a report is missing."""
    order = _order_value(context)
    conversions = _sum(context, "conversions", channel, units)
    spend = _sum(context, "spend", channel, units)
    if order is None or not spend or conversions is None:
        return None
    return conversions * order / spend


def _order_value(context: Context) -> float | None:
    """Revenue by order; by conversion where nobody counts orders."""
    revenue = _sum(context, "revenue", None, ())
    orders = _sum(context, "orders", None, ()) or _sum(context, "conversions", None, ())
    return revenue / orders if revenue and orders else None


def _sum(context: Context, metric: str, channel: str | None, units: Sequence[str]) -> float | None:
    """Mean per unit and period × number of units; None when nothing is reported."""
    tree = context.view.tree
    keys = keys_of(context.view, metric, channel)
    if units:
        keys = [key for key in keys if unit_of(key, tree) in units]
    if not keys or (channel is not None and channel_of(keys[0], tree) != channel):
        return None
    panel = recent_panel(context.view, metric, channel)
    chosen = [unit for unit in units if unit in panel.units] or list(panel.units)
    end = len(panel.times)
    mean = panel.mean(chosen, max(0, end - WINDOW), end)
    return mean * len(chosen) if isfinite(mean) else None
