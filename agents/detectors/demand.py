"""Moves in demand: what rose or fell where, whether exposure of ours did it, and what else could explain it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import isfinite

from agents.detectors.episodes import Alarm, Episode, Watch
from agents.detectors.exposure import Flight, flights_of
from agents.detectors.links import LinkWatch
from agents.detectors.panel import DAY_S, Panel, channel_of, kind_text, moment, places_text
from agents.detectors.shift import Shift, change_of, keys_of, recent_panel, shift_of
from agents.detectors.told import told_causes
from analysis.rivals import BOTS, EVERYWHERE, EXPOSED, FAULT, MARKET_METRICS, Clues, weigh
from domain.entities import EntityTree, kind_of
from domain.ports import View
from domain.prose import capital, counted, day_text, plural, term
from domain.situations import Evidence, Finding, Hypothesis, SituationKind

OPEN_DAYS = 14
"""An episode without a new alarm for so long is over."""
LONGEST_DAYS = 35
LONE_LEVEL = 0.02
"""One place of many moves by chance more often than several at once."""
LEAST_RATE = 0.05
"""Smaller moves against the other places are not worth anybody's time."""


class DemandDetector:
    """Built-in detector `demand`. Its state follows from the stored points alone."""

    name = "demand"

    def __init__(self) -> None:
        self._watch = Watch()
        self._links = LinkWatch()

    def find(self, view: View) -> Iterable[Finding]:
        self._watch.hear(view)
        board = _Board(view)
        flights = [
            flight
            for flight in flights_of(self._watch.exposure)
            if _open(flight.last_s, flight.onset_s, view) and _is_exposure(view, flight)
        ]
        explained: list[Flight] = []
        for flight in flights:
            found = board.exposure_lift(flight)
            if found is not None:
                explained.append(flight)
                yield found
        for episode in self._watch.episodes:
            if _open(episode.last_s, episode.onset_s, view) and not _explained(episode, explained):
                move = board.move(episode, flights)
                if move is not None:
                    yield move
        yield from self._links.find(view, {channel for flight in flights for channel in (flight.channel,)})


def _open(last_s: float, onset_s: float, view: View) -> bool:
    now_s = view.as_of.timestamp()
    return now_s - last_s <= OPEN_DAYS * DAY_S and now_s - onset_s <= LONGEST_DAYS * DAY_S


def _is_exposure(view: View, flight: Flight) -> bool:
    """Spend of a channel that is paid by the click follows demand; only what is shown unasked can cause it."""
    return flight.metric not in {"spend", "cost"} or not keys_of(view, "clicks", flight.channel)


def _unplaced(view: View, flight: Flight, alarm: Alarm) -> bool:
    """Whether `flight` of another channel, shown unasked, is reported for no region, so that it may have run here."""
    elsewhere = flight.channel != (alarm.channel or alarm.unit)
    placed = any(kind_of(unit) == "region" for unit in flight.units)
    clicked = any(flight.channel in {key.entity, channel_of(key, view.tree)} for key in view.keys("clicks"))
    return elsewhere and not placed and not clicked


def _explained(episode: Episode, flights: Sequence[Flight]) -> bool:
    """A rise that lies within a flight that was found to lift is the same thing said twice."""
    return episode.first.up and any(
        flight.onset_s - DAY_S <= episode.onset_s <= flight.onset_s + 14 * DAY_S
        and set(episode.units) & set(flight.units)
        for flight in flights
    )


class _Board:
    """Panels of one view, read once each."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._panels: dict[tuple[str, str | None], Panel] = {}

    def panel(self, metric: str, channel: str | None = None) -> Panel:
        found = self._panels.get((metric, channel))
        if found is None:
            found = self._panels[metric, channel] = recent_panel(self.view, metric, channel)
        return found

    def exposure_lift(self, flight: Flight) -> Finding | None:
        """The flight as a finding when a response rose where it ran, against where it did not; None otherwise."""
        for metric in ("queries", "sessions"):
            panel = self.panel(metric)
            if not set(flight.units) & set(panel.units):
                continue
            shift = shift_of(panel, flight.units, flight.onset_s + DAY_S)
            if shift is None or not (shift.compared and shift.clear and shift.rate >= 0.05 and shift.after >= 3):
                continue
            clues = self._clues(flight.units, (metric,), shift, flight.onset_s, up=True, exposed=True)
            return self._finding(
                SituationKind.EXPOSURE_LIFT,
                f"exposure@{flight.channel}@{moment(flight.onset_s):%Y-%m-%d}",
                _Move(flight.units, flight.channel, metric, flight.onset_s, shift, flight),
                weigh(clues),
            )
        return None

    def move(self, episode: Episode, flights: Sequence[Flight]) -> Finding | None:
        """The episode as a finding, named by what explains it best; None when a comparison shows no move at all."""
        first = episode.first
        panel = self.panel(first.key.metric, first.channel)
        shift = shift_of(panel, episode.units, episode.onset_s) or _from_alarm(episode)
        level = LONE_LEVEL if len(episode.units) == 1 else 0.1
        along = shift.rate if first.up else -shift.rate
        if not shift.compared and along <= 0:
            shift = _from_alarm(episode)
        if shift.compared and not (shift.p_value <= level and along >= LEAST_RATE):
            return None
        near = [f for f in flights if 0 <= episode.onset_s - f.onset_s <= 10 * DAY_S and f.up == first.up]
        here = next((f for f in near if set(f.units) & set(episode.units)), None)
        flight = here or next((f for f in near if _unplaced(self.view, f, first)), None)
        exposed = flight is not None
        clues = self._clues(episode.units, episode.metrics, shift, episode.onset_s, up=first.up, exposed=exposed)
        clues = replace(clues, placed=here is not None or not exposed)
        hypotheses = weigh(clues)
        move = _Move(episode.units, first.channel, first.key.metric, episode.onset_s, shift, flight)
        return self._finding(_kind(hypotheses[0].name, up=first.up), episode.key, move, hypotheses)

    def _clues(
        self, units: Sequence[str], metrics: Sequence[str], shift: Shift, onset_s: float, *, up: bool, exposed: bool
    ) -> Clues:
        everywhere = self.panel(shift.metric).units
        share = len(set(units) & set(everywhere)) / len(everywhere) if len(everywhere) > 1 else 0.0
        market: dict[str, float] = {}
        for metric in MARKET_METRICS:
            panel = self.panel(metric)
            # What happens everywhere is lost in a comparison with the other places.
            whole = panel.units if share >= EVERYWHERE else units
            other = None if metric in metrics else change_of(panel, whole, onset_s)
            if other is not None:
                market[metric] = other
        won = change_of(self.panel("impression_share"), units, onset_s)
        return Clues(
            up=up,
            metrics=(shift.metric, *metrics),
            rate=shift.rate,
            common_rate=shift.common_rate,
            units_share=share,
            market=market,
            clear=shift.clear,
            exposed=exposed,
            told=told_causes(self.view, units, moment(onset_s)),
            impression_share_rate=won,
        )

    def _finding(self, kind: str, key: str, move: _Move, hypotheses: tuple[Hypothesis, ...]) -> Finding:
        lost = self._lost_share(move.units)
        base = self._revenue_per_day(move.units)
        evidence = (*_evidence(move, lost, self.view.tree), *self._corroboration(move))
        what, top = _subject(move, self.view.tree), hypotheses[0]
        runs = "run" if move.metric.endswith("s") else "runs"
        by, since = f"{abs(move.shift.rate):.0%} {_against(move)}", moment(move.onset_s)
        exposure = move.flight.channel if move.flight and kind == SituationKind.EXPOSURE_LIFT else None
        when = f"with exposure of {self.view.tree.name(exposure)}" if exposure else "since"
        return Finding(
            kind=kind,
            key=key,
            entities=tuple(unit for unit in (*move.units, *filter(None, [move.channel])) if unit in self.view.tree)
            or move.units,
            onset=moment(move.onset_s),
            seen=self.view.as_of,
            title=f"{what} {by} {when}" + ("" if exposure else f" {day_text(since, year=False)}"),
            summary=f"{what} {runs} {by} since {day_text(since)}; the likeliest explanation is "
            f"{top.name} ({top.odds:.0%}).",
            evidence=evidence,
            hypotheses=hypotheses,
            worth_minor=round(abs(move.shift.rate) * base * 28 * 100),
            facts={
                "metric": move.metric,
                "channel": move.channel,
                "units": list(move.units),
                "all_units": list(self.panel(move.metric).units),
                "rate": move.shift.rate,
                "low": move.shift.low,
                "high": move.shift.high,
                "p_value": move.shift.p_value,
                "mde_rate": move.shift.mde_rate,
                "common_rate": move.shift.common_rate,
                "compared": move.shift.compared,
                "periods": move.shift.after,
                "up": move.shift.rate >= 0,
                "lost_share": lost,
                "revenue_per_day": base,
                "exposure_channel": move.flight.channel if move.flight else None,
            },
            teams=("marketing", "search"),
        )

    def _lost_share(self, units: Sequence[str]) -> dict[str, float]:
        """Share of branded demand that others show on, by unit, over the last week of reports."""
        panel = self.panel("impression_share")
        end = len(panel.times)
        rates = {unit: 1 - panel.mean([unit], max(0, end - 7), end) for unit in units if unit in panel.units}
        return {unit: round(min(1.0, max(0.0, rate)), 4) for unit, rate in rates.items() if isfinite(rate)}

    def _revenue_per_day(self, units: Sequence[str]) -> float:
        panel = self.panel("revenue")
        end = len(panel.times)
        means = [panel.mean([unit], max(0, end - 28), end) for unit in units if unit in panel.units]
        return sum(mean for mean in means if isfinite(mean))

    def _corroboration(self, move: _Move) -> Iterator[Evidence]:
        for metric in MARKET_METRICS:
            found = change_of(self.panel(metric), move.units, move.onset_s) if metric != move.metric else None
            if found is not None:
                others = set(self.panel(metric).units) - set(move.units)
                beyond = f"the other {plural(2, kind_text(move.units))}" if others else "the four weeks before"
                yield Evidence(
                    text=f"{capital(term(metric))} there moved by {found:+.1%} against {beyond}.",
                    figures={"rate": round(found, 4)},
                    source=f"series:{metric}@{','.join(move.units[:3])}",
                )


class _Move:
    """What moved where since when."""

    __slots__ = ("channel", "flight", "metric", "onset_s", "shift", "units")

    def __init__(
        self,
        units: tuple[str, ...],
        channel: str | None,
        metric: str,
        onset_s: float,
        shift: Shift,
        flight: Flight | None,
    ) -> None:
        self.units, self.channel, self.metric = units, channel, metric
        self.onset_s, self.shift, self.flight = onset_s, shift, flight


def _kind(cause: str, *, up: bool) -> str:
    if cause in {FAULT, BOTS}:
        return SituationKind.TRACKING_FAULT
    if cause == EXPOSED and up:
        return SituationKind.EXPOSURE_LIFT
    return SituationKind.DEMAND_RISE if up else SituationKind.DEMAND_DROP


def _from_alarm(episode: Episode) -> Shift:
    """What the alarms alone say, where there is too little history for more."""
    rates = [a.value / a.expected - 1 for a in episode.alarms if abs(a.expected) > 1e-9]
    rate = max(-1.0, min(10.0, sum(rates) / len(rates))) if rates else 0.0
    return Shift(episode.first.key.metric, rate, min(rate, 0.0), max(rate, 0.0), 0.5, None, 0.0, 1, compared=False)


def _subject(move: _Move, tree: EntityTree) -> str:
    """What moved where; the channel is named where the metric is its own."""
    own = move.channel if move.flight is None or move.flight.channel != move.channel else None
    what, where = capital(term(move.metric)), places_text(move.units, tree)
    if own is None:
        return f"{what} in {where}"
    return f"{what} of {where}" if move.units == (own,) else f"{what} of {tree.name(own)} in {where}"


def _against(move: _Move) -> str:
    """Above or below what: the units where nothing happened, else the past."""
    base = f"the other {plural(2, kind_text(move.units))}" if move.shift.compared else "the weeks before"
    return f"{'above' if move.shift.rate >= 0 else 'below'} {base}"


def _evidence(move: _Move, lost: dict[str, float], tree: EntityTree) -> Iterator[Evidence]:
    shift, since = move.shift, day_text(moment(move.onset_s))
    bounds = f" (90% interval {shift.low:+.1%} to {shift.high:+.1%})" if shift.compared else ""
    yield Evidence(
        text=f"{_subject(move, tree)}: {abs(shift.rate):.1%} {_against(move)} since {since}{bounds}.",
        figures={
            "rate": round(shift.rate, 4),
            "low": round(shift.low, 4),
            "high": round(shift.high, 4),
            "p_value": round(shift.p_value, 4),
            "periods": shift.after,
        },
        source=f"series:{move.metric}@{','.join(move.units[:3])}",
    )
    if move.flight is not None:
        yield Evidence(
            text=f"Exposure of {tree.name(move.flight.channel)} {'rose' if move.flight.up else 'fell'} in "
            f"{counted(len(move.flight.units), kind_text(move.flight.units))} on "
            f"{day_text(moment(move.flight.onset_s))}.",
            figures={
                "places": len(move.flight.units),
                "lead_days": round((move.onset_s - move.flight.onset_s) / DAY_S),
            },
            source=f"series:{move.flight.metric}@{','.join(move.flight.units[:3])}",
        )
    if lost:
        mean = sum(lost.values()) / len(lost)
        yield Evidence(
            text=f"Others show on {mean:.0%} of branded searches there.",
            figures={"lost_share_rate": round(mean, 4)},
            source=f"series:impression_share@{','.join(sorted(lost)[:3])}",
        )
