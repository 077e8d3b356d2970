"""Lays series of the view side by side: one row per unit (region or entity), one column per period."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite, nan

from domain.entities import EntityTree, kind_of
from domain.ports import SeriesKey, View
from domain.prose import counted, listed

DAY_S = 86_400.0
FEW = 3
"""Units that a sentence names one by one."""


@dataclass(frozen=True, slots=True)
class Panel:
    """`rows[u][t]`: value of `units[u]` in the period that starts at `times[t]` (epoch seconds); NaN where unknown."""

    metric: str
    units: tuple[str, ...]
    times: tuple[float, ...]
    rows: tuple[tuple[float, ...], ...]

    def period_of(self, at_s: float) -> int:
        """The first period that starts at or after `at_s`; the number of periods when there is none."""
        return next((place for place, start in enumerate(self.times) if start >= at_s - 1), len(self.times))

    def places(self, units: Iterable[str]) -> list[int]:
        wanted = set(units)
        return [place for place, unit in enumerate(self.units) if unit in wanted]

    def mean(self, units: Sequence[str] | None, start: int, end: int) -> float:
        """Mean over the given units (all for None) and periods; NaN when nothing is known."""
        chosen = range(len(self.units)) if units is None else self.places(units)
        known = [value for place in chosen for value in self.rows[place][start:end] if isfinite(value)]
        return sum(known) / len(known) if known else nan


def unit_of(key: SeriesKey, tree: EntityTree) -> str:
    """The region a series belongs to (by its entity, its dims or the entity's place), else its entity."""
    dims = dict(key.dims)
    named = dims.get("region") or dims.get("geo")
    if named:
        return named if named.startswith("region:") else f"region:{named}"
    if kind_of(key.entity) == "region":
        return key.entity
    return next((step for step in tree.chain(key.entity) if kind_of(step) == "region"), key.entity)


def channel_of(key: SeriesKey, tree: EntityTree) -> str | None:
    """The channel of a series; None for what is measured over all channels, such as revenue of a region."""
    named = dict(key.dims).get("channel")
    if named:
        return named if named.startswith("channel:") else f"channel:{named}"
    return next((step for step in tree.chain(key.entity) if kind_of(step) == "channel"), None)


def places_text(units: Sequence[str], tree: EntityTree) -> str:
    """The units by name while they are few, else how many of their kind."""
    if len(units) <= FEW:
        return listed([tree.name(unit) for unit in units])
    return counted(len(units), kind_text(units))


def kind_text(units: Iterable[str]) -> str:
    """What the units are, in the singular: their kind where it is one, else `place`."""
    kinds = {kind_of(unit) for unit in units}
    return kinds.pop() if len(kinds) == 1 else "place"


def panel_of(
    view: View, keys: Sequence[SeriesKey], *, since: datetime | None = None, until_s: float | None = None
) -> Panel:
    """Series of one metric as a panel, values of one unit summed. Units without any point are left out.

    Periods are the times at which any unit has a point, so a missing report is NaN and not zero.
    """
    sums: dict[str, dict[float, float]] = {}
    for key in keys:
        series = view.series(key, since)
        into = sums.setdefault(unit_of(key, view.tree), {})
        for at_s, value in zip(series.times, series.values, strict=True):
            if until_s is None or at_s <= until_s:
                into[at_s] = into.get(at_s, 0.0) + value
    units = tuple(sorted(unit for unit, values in sums.items() if values))
    times = tuple(sorted({at_s for unit in units for at_s in sums[unit]}))
    rows = tuple(tuple(sums[unit].get(at_s, nan) for at_s in times) for unit in units)
    return Panel(keys[0].metric if keys else "", units, times, rows)


def complete(panel: Panel, share: float = 0.9) -> Panel:
    """The panel without its trailing periods in which fewer than `share` of the units have reported yet."""
    end = len(panel.times)
    need = share * len(panel.units)
    while end and sum(isfinite(row[end - 1]) for row in panel.rows) < need:
        end -= 1
    return Panel(panel.metric, panel.units, panel.times[:end], tuple(_filled(row[:end]) for row in panel.rows))


def _filled(row: Sequence[float]) -> tuple[float, ...]:
    """Gaps take the value before them (the first known one at the start): late reports must not end a comparison."""
    last = next((value for value in row if isfinite(value)), nan)
    filled: list[float] = []
    for value in row:
        last = value if isfinite(value) else last
        filled.append(last)
    return tuple(filled)


def moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
