"""Scores a streaming detector on labelled windows by the Numenta Anomaly Benchmark's published definition.

Source: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms" (2015), and the corpus's own sweeper.
Alarms are taken as fired: no threshold is swept over the corpus, so a figure here holds for the default setting.
"""

from __future__ import annotations

import csv
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PROBATION_RATE = 0.15
PROBATION_CAP = 5000


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hit earns, and what a false alarm and a missed window cost."""

    tp: float = 1.0
    fp: float = 0.11
    fn: float = 1.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One series with its anomaly windows as inclusive index pairs."""

    name: str
    times_s: list[float]
    values: list[float]
    windows: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SeriesScore:
    """Raw score of one series and what it is made of."""

    name: str
    raw: float
    windows: int
    hits: int
    false_alarms: int


def scaled_sigmoid(position: float) -> float:
    """Worth of an alarm `position` window widths after a window's end: 0.99 at its start, 0 at its end, then -1."""
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def probation(points: int) -> int:
    """Leading points of a series whose alarms are ignored: 15 %, counted over at most 5,000 points."""
    return math.floor(PROBATION_RATE * min(points, PROBATION_CAP))


def score_series(series: Labelled, alarms: Sequence[int], profile: Profile) -> SeriesScore:
    """Raw score: each window its earliest alarm or `-fn`, each alarm outside windows its sigmoid cost."""
    counted = [index for index in alarms if index >= probation(len(series.values))]
    best: dict[int, float] = {}
    cost = 0.0
    misses = 0
    starts = [left for left, _ in series.windows]
    for index in counted:
        slot = bisect_right(starts, index) - 1
        if slot >= 0 and index <= series.windows[slot][1]:
            left, right = series.windows[slot]
            gain = scaled_sigmoid(-(right - index + 1) / (right - left + 1)) / scaled_sigmoid(-1.0)
            best[slot] = max(best.get(slot, -1.0), gain * profile.tp)
            continue
        misses += 1
        cost += profile.fp * _outside(index, series.windows, slot)
    raw = sum(best.values()) + cost - profile.fn * (len(series.windows) - len(best))
    return SeriesScore(series.name, raw, len(series.windows), len(best), misses)


def _outside(index: int, windows: Sequence[tuple[int, int]], slot: int) -> float:
    if slot < 0:
        return -1.0
    left, right = windows[slot]
    return scaled_sigmoid((index - right) / max(right - left, 1))


def normalise(scores: Sequence[SeriesScore], profile: Profile) -> float:
    """Corpus score in percent: 0 is a detector that never fires, 100 a perfect one."""
    windows = sum(score.windows for score in scores)
    return 100.0 * (sum(score.raw for score in scores) + profile.fn * windows) / ((profile.tp + profile.fn) * windows)


def profiles(root: Path) -> dict[str, Profile]:
    """The profiles of `profiles.json` under `root`, by name."""
    raw = json.loads((root / "profiles.json").read_text())
    return {
        name: Profile(tp=cost["tpWeight"], fp=cost["fpWeight"], fn=cost["fnWeight"])
        for name, cost in ((name, body["CostMatrix"]) for name, body in raw.items())
    }


def corpus(root: Path) -> list[Labelled]:
    """Every series of `windows.json` under `root` whose file is there."""
    raw: dict[str, list[list[str]]] = json.loads((root / "windows.json").read_text())
    return [_labelled(root, name, spans) for name, spans in sorted(raw.items()) if (root / name).is_file()]


def _labelled(root: Path, name: str, spans: Sequence[Sequence[str]]) -> Labelled:
    with (root / name).open() as file:
        rows = [(_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    times = [row[0] for row in rows]
    windows = [
        (bisect_left(times, _seconds(left)), bisect_right(times, _seconds(right)) - 1)
        for left, right in sorted((span[0], span[1]) for span in spans)
    ]
    return Labelled(name, times, [row[1] for row in rows], windows)


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp()


def evaluate(
    root: Path, alarms_of: Callable[[list[float], list[float]], Sequence[int]]
) -> tuple[dict[str, float], list[SeriesScore]]:
    """Score by profile over the corpus at `root`, and the standard-profile score of each series."""
    fired = [(series, alarms_of(series.times_s, series.values)) for series in corpus(root)]
    totals = {
        name: normalise([score_series(series, alarms, profile) for series, alarms in fired], profile)
        for name, profile in profiles(root).items()
    }
    return totals, [score_series(series, alarms, Profile()) for series, alarms in fired]
