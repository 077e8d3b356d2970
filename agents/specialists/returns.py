"""What the next euro of a budget earns, as far as reports tell, with honest width where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from agents.detectors.panel import channel_of, unit_of
from agents.detectors.shift import keys_of, recent_panel
from agents.specialists.plan import Gain
from domain.ports import Context

WINDOW = 28

# Share of what a platform claims that the next euro causes: platforms claim too much, and the next euro earns less
# than the average one. Paid brand clicks are often free anyway (about nothing was incremental in eBay's experiment).
_CAUSED = {"brand": (0.30, 0.05, 0.60), "other": (0.35, 0.15, 0.60)}
_ASSUMED = Gain(0.3, -0.4, 1.0, "no revenue is reported, so a return of 1.3 per unit spent is assumed, from 0.6 to 2")


def channel_class(name: str) -> str:
    """`brand`, `awareness` or `other`, told by the name of a channel, campaign or budget."""
    folded = name.lower()
    if "brand" in folded and not any(word in folded for word in ("nonbrand", "non-brand", "non_brand", "generic")):
        return "brand"
    return "awareness" if any(word in folded for word in ("ctv", "tv", "video", "awareness")) else "other"


def gain_of(context: Context, channel: str | None, units: Sequence[str], name: str) -> Gain:
    """Gain per unit of money spent on `channel` in `units`: platform-claimed revenue, discounted, × margin − 1."""
    claimed = _claimed_return(context, channel, units)
    if claimed is None:
        return _ASSUMED
    kind = channel_class(name)
    mean, low, high = (
        claimed * share * context.objective.margin_rate - 1
        for share in _CAUSED["brand" if kind == "brand" else "other"]
    )
    return Gain(mean, low, high, f"platforms claim {claimed:.1f} of revenue per unit spent, of which a part is caused")


def _claimed_return(context: Context, channel: str | None, units: Sequence[str]) -> float | None:
    """Platform conversions × order value over spend, last four weeks; None where a report is missing."""
    order = _order_value(context)
    conversions = _sum(context, "conversions", channel, units)
    spend = _sum(context, "spend", channel, units)
    if order is None or not spend or conversions is None:
        return None
    return conversions * order / spend


def _order_value(context: Context) -> float | None:
    revenue, orders = _sum(context, "revenue", None, ()), _sum(context, "orders", None, ())
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
