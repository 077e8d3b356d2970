"""Steady exposure without flights: does it lead a response across places, and by how much?"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from agents.detectors.panel import DAY_S, Panel, moment, places_text
from agents.detectors.shift import keys_of, recent_panel
from analysis.rivals import CHANCE, EXPOSED, SEASON
from domain.errors import InputError
from domain.ports import SeriesKey, View
from domain.prose import capital, counted, term
from domain.situations import Evidence, Finding, Hypothesis, SituationKind

LEAST_UNITS, LEAST_PERIODS, EVERY_PERIODS = 5, 40, 26
LEVEL = 0.02
_RESPONSES = ("queries", "sessions")


class LinkWatch:
    """Looks at each pair anew every `EVERY_PERIODS` periods, and keeps what it found in between."""

    def __init__(self) -> None:
        self._looked: dict[tuple[str, str], int] = {}
        self._found: dict[tuple[str, str], Finding] = {}

    def find(self, view: View, flown: set[str]) -> Iterator[Finding]:
        """Findings for awareness series outside the channels in `flown`, which a flight explains better."""
        responses = [(metric, recent_panel(view, metric)) for metric in _RESPONSES if view.keys(metric)]
        for name, keys in _awareness(view).items():
            for metric, response in responses:
                if name not in flown:
                    self._look(view, name, keys, response)
                if (name, metric) in self._found:
                    yield self._found[name, metric]
                    break

    def _look(self, view: View, name: str, keys: list[SeriesKey], response: Panel) -> None:
        driver = recent_panel(view, keys[0].metric, name if name.startswith("channel:") else None)
        driver, response = _common(driver, response)
        size = len(driver.times)
        turn = size // EVERY_PERIODS
        pair = (name, response.metric)
        if len(driver.units) < LEAST_UNITS or size < LEAST_PERIODS or self._looked.get(pair) == turn:
            return
        self._looked[pair] = turn
        found = _linked(view, name, driver, response)
        if found is not None:
            self._found[pair] = found


def _awareness(view: View) -> dict[str, list[SeriesKey]]:
    """Impression series by channel (or entity): impressions are reported where a click is not the aim."""
    found: dict[str, list[SeriesKey]] = {}
    for key in keys_of(view, "impressions"):
        chain = view.tree.chain(key.entity)
        name = next((step for step in chain if step.startswith("channel:")), key.entity)
        found.setdefault(name, []).append(key)
    return found


def _common(driver: Panel, response: Panel) -> tuple[Panel, Panel]:
    """Both panels on the units and periods they share."""
    units = [unit for unit in driver.units if unit in response.units]
    times = sorted(set(driver.times) & set(response.times))
    return _cut(driver, units, times), _cut(response, units, times)


def _cut(panel: Panel, units: list[str], times: list[float]) -> Panel:
    place = {at_s: at for at, at_s in enumerate(panel.times)}
    rows = tuple(tuple(panel.rows[panel.units.index(unit)][place[at_s]] for at_s in times) for unit in units)
    return Panel(panel.metric, tuple(units), tuple(times), rows)


def _linked(view: View, name: str, driver: Panel, response: Panel) -> Finding | None:
    import numpy as np

    from analysis.link import link

    sound = [
        place
        for place, (a, b) in enumerate(zip(driver.rows, response.rows, strict=True))
        if all(map(isfinite, (*a, *b))) and sum(a) > 0 and sum(b) > 0
    ]
    try:
        found = link(
            [driver.rows[place] for place in sound],
            [response.rows[place] for place in sound],
            4,
            rng=np.random.default_rng(7),
            shifts=199,
        )
    except InputError:
        return None
    if found.p_value > LEVEL or found.low <= 0:
        return None
    source, metric = view.tree.name(name), term(response.metric)
    where = places_text([driver.units[place] for place in sound], view.tree)
    later = counted(max(1, round(found.lag * (driver.times[-1] - driver.times[-2]) / DAY_S)), "day")
    title = f"Impressions of {source} lead {metric} across {where}"
    odds = min(0.9, 1 - 5 * found.p_value)
    return Finding(
        kind=SituationKind.EXPOSURE_LIFT,
        key=f"link@{name}@{response.metric}",
        entities=(name,),
        onset=moment(driver.times[0]),
        seen=view.as_of,
        title=title,
        summary=f"{capital(metric)} in {where} follow the impressions of {source}: 10% more of them go with "
        f"{found.elasticity * 0.1:.2%} more {metric} {later} later.",
        evidence=(
            Evidence(
                text=f"{capital(metric)} change {found.elasticity:.3f} times as much as impressions {later} before "
                f"({found.low:.3f} to {found.high:.3f}); chance alone shows such a link at p = {found.p_value:.3f}.",
                figures={
                    "elasticity": round(found.elasticity, 4),
                    "low": round(found.low, 4),
                    "high": round(found.high, 4),
                    "lag": found.lag,
                    "p_value": round(found.p_value, 4),
                },
                source=f"series:impressions@{name}",
            ),
        ),
        hypotheses=(
            Hypothesis(name=EXPOSED, odds=odds, because="the order in time holds over places and lags searched"),
            Hypothesis(name=SEASON, odds=(1 - odds) * 0.7, because="campaigns are often planned for strong weeks"),
            Hypothesis(name=CHANCE, odds=(1 - odds) * 0.3, because="some of many pairs look linked"),
        ),
        facts={
            "metric": response.metric,
            "channel": name,
            "units": [driver.units[place] for place in sound],
            "all_units": list(driver.units),
            "rate": 0.0,
            "low": 0.0,
            "high": 0.0,
            "up": True,
            "compared": False,
            "elasticity": found.elasticity,
            "elasticity_low": found.low,
            "lag": found.lag,
            "lost_share": {},
            "revenue_per_day": 0.0,
            "exposure_channel": name,
            "p_value": found.p_value,
            "mde_rate": None,
            "common_rate": 0.0,
            "periods": len(driver.times),
        },
        teams=("marketing", "search"),
    )
