"""Streaming anomaly detection for one metric series: strictly causal, constant work and memory per point.

Three residuals of each point are watched: against a slow level, against an hour-of-week (or weekday) profile, and
the smoothed residual of whichever of these predicts better, which sees level shifts. Each has its own running tail:
a high quantile learned by stochastic approximation and an exponential tail beyond it (peaks over threshold). A point
alarms when the smallest tail probability is below 10^-3.5, unless an alarm stands within the last 3 % of the series.

An anomaly is a reason to look, never a reason to act: on public labelled series half of all alarms are false.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from domain.errors import InputError

Kind = Literal["spike", "drop", "shift_up", "shift_down"]

THRESHOLD = 3.5  # surprise at which a point alarms
REFRACTORY_RATE = 0.03  # silence after an alarm, as a share of the points seen so far
REFRACTORY_POINTS = 5
WARM_UP = 20  # points before the first alarm
SURPRISE_CAP = 15.0

_TAIL_RATE = 0.02  # share of points beyond the running quantile
_LOG_TAIL = -math.log10(_TAIL_RATE)
_LN10 = math.log(10.0)
_SLOW, _SMOOTH, _ERROR = 0.003, 0.1, 0.01  # smoothing per point of level, shift residual, predictor error
_HOUR, _WEEK = 0.25, 0.5  # weight of one new visit to an hour-of-day and an hour-of-week slot
_PRIOR_QUANTILE, _PRIOR_EXCESS = 2.5, 0.5  # tail at the end of the warm-up, in mean sizes: at least a normal one
_CLIP = 4.0  # what one visit may teach a profile slot, in mean errors: a spike must not become the expectation
_COUNT_SPREAD = 0.5  # least believed tail excess of a count, in Poisson deviations
_RELEARN_POINTS = 20  # memory left to the level after a shift
_HUGE = 1e150  # beyond it squares overflow; such values are passed over like missing ones
_DAY_S, _HOUR_S = 86_400.0, 3_600.0


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One alarm. `score` is the surprise, -log10 of the estimated tail probability (3.5 to 15)."""

    index: int
    at_s: float
    value: float
    expected: float
    score: float
    kind: Kind


class _Tail:
    """Running tail of non-negative sizes: `quantile` is passed by 2 % of them, on average by `excess`."""

    __slots__ = ("excess", "mean", "n", "quantile")

    def __init__(self) -> None:
        self.n = 0
        self.mean = self.quantile = self.excess = 0.0

    def update(self, size: float, floor: float) -> float:
        """Surprise of `size` given those before it, then learns it. `floor`: smallest excess that counts."""
        beyond = size - self.quantile
        surprise = 0.0
        if beyond > 0.0:
            surprise = _LOG_TAIL + beyond / ((max(floor, self.excess)) * _LN10)
        self.n = n = self.n + 1
        if n <= 1:
            self.mean = self.quantile = self.excess = size
            return 0.0
        self.mean += (size - self.mean) / (min(1000, n))
        if n == WARM_UP:
            self.quantile = max(self.quantile, _PRIOR_QUANTILE * self.mean)
            self.excess = max(self.excess, _PRIOR_EXCESS * self.mean)
        step = self.mean * (2.0 / n if n < 200 else 0.01)
        if beyond <= 0.0:
            self.quantile -= step * _TAIL_RATE
            return 0.0
        self.quantile += step * (1.0 - _TAIL_RATE)
        beyond = size - self.quantile
        if beyond > 0.0:
            capped = 5.0 * self.excess
            if capped > 0.0 and beyond > capped:
                beyond = capped
            self.excess += (beyond - self.excess) * (1.0 / n if n < 20 else 0.05)
        return surprise


class Detector:
    """Detector of one series; feed it points in time order. Missing values (NaN, infinite) are passed over."""

    __slots__ = (
        "_cycle", "_gaps", "_index", "_last_alarm", "_last_s", "_level", "_level_error", "_level_n", "_level_tail",
        "_n", "_parent", "_parents", "_profile_error", "_profile_tail", "_shift_tail", "_slots", "_smooth",
        "_unit_s", "_visit", "_whole",
    )  # fmt: skip

    def __init__(self) -> None:
        self._index, self._n, self._level_n = -1, 0, 0
        self._last_s, self._last_alarm = math.nan, -(10**9)
        self._level = self._smooth = self._level_error = self._profile_error = 0.0
        self._gaps: list[float] = []
        self._unit_s, self._parents, self._cycle, self._visit = 0.0, 1, 1, 1.0
        self._parent: list[float | None] = []
        self._slots: list[float | None] = []
        self._whole = True
        self._level_tail, self._profile_tail, self._shift_tail = _Tail(), _Tail(), _Tail()

    def update(self, at_s: float, value: float) -> Anomaly | None:
        """Take the next point (`at_s` in epoch seconds); the alarm it raises, if any, from it and its past alone."""
        self._index += 1
        if not (-_HUGE < value < _HUGE and -_HUGE < at_s < _HUGE):
            return None
        self._n = n = self._n + 1
        if n == 1:
            self._level = value
        if self._unit_s == 0.0:
            self._learn_grain(at_s)
        level = self._level
        profile = self._profile(at_s, value)
        best = by_level = value - level
        expected = level
        if profile is not None and self._profile_error <= self._level_error:
            best, expected = value - profile, profile
        self._smooth = smooth = self._smooth + _SMOOTH * (best - self._smooth)
        floor = self._floor(value, expected)
        size_level = by_level if by_level >= 0.0 else -by_level
        point = self._level_tail.update(size_level, floor)
        gain = 1.0 / n if n < 100 else _ERROR
        self._level_error += gain * (size_level - self._level_error)
        if profile is not None:
            size_profile = value - profile if value >= profile else profile - value
            seasonal = self._profile_tail.update(size_profile, floor)
            self._profile_error += gain * (size_profile - self._profile_error)
            point = max(point, seasonal)
        shift = self._shift_tail.update(smooth if smooth >= 0.0 else -smooth, floor * _SMOOTH)
        self._level_n = seen = self._level_n + 1
        self._level = level + (1.0 / seen if seen < 200 else _SLOW) * by_level
        if (max(shift, point)) < THRESHOLD or n <= WARM_UP:
            return None
        return self._alarm(at_s, value, expected, best, point, shift)

    def _floor(self, value: float, expected: float) -> float:
        """Smallest tail excess believed: rounding noise, and for counts half their Poisson spread."""
        size = expected if expected >= 0.0 else -expected
        if self._whole:
            if value >= 0.0 and value == int(value):
                return _COUNT_SPREAD * math.sqrt(size + 1.0)
            self._whole = False
        return 1e-9 * size + 1e-12

    def _alarm(
        self, at_s: float, value: float, expected: float, residual: float, point: float, shift: float
    ) -> Anomaly | None:
        if self._n - self._last_alarm <= max(REFRACTORY_POINTS, REFRACTORY_RATE * self._n):
            return None
        self._last_alarm = self._n
        score = min(max(point, shift), SURPRISE_CAP)
        if shift > point:
            kind: Kind = "shift_up" if self._smooth > 0.0 else "shift_down"
            self._relearn_level()
        else:
            kind = "spike" if residual > 0.0 else "drop"
        return Anomaly(self._index, at_s, value, expected, score, kind)

    def _relearn_level(self) -> None:
        self._level_n = min(self._level_n, _RELEARN_POINTS)

    def _learn_grain(self, at_s: float) -> None:
        """Choose the season once seven gaps are known: hour of the week, weekday, or none for coarser grains."""
        if at_s > self._last_s:
            self._gaps.append(at_s - self._last_s)
        self._last_s = at_s
        if len(self._gaps) < 7:
            return
        grain = sorted(self._gaps)[3]
        if grain <= _DAY_S / 2:
            self._unit_s, self._parents, self._cycle = _HOUR_S, 24, 168
        elif grain <= 2 * _DAY_S:
            self._unit_s, self._parents, self._cycle = _DAY_S, 1, 7
        else:
            self._unit_s, self._parents, self._cycle = 7 * _DAY_S, 1, 1
        self._visit = min(1.0, grain / self._unit_s)
        self._parent, self._slots = [None] * self._parents, [None] * self._cycle

    def _profile(self, at_s: float, value: float) -> float | None:
        """What the profile expects at `at_s`, None while it cannot tell; then learns `value`."""
        if self._unit_s == 0.0:
            return None
        unit = int(at_s // self._unit_s)
        parent, slot = unit % self._parents, unit % self._cycle
        above, own = self._parent[parent], self._slots[slot]
        self._parent[parent] = value if above is None else above + _HOUR * self._visit * (value - above)
        self._slots[slot] = value if own is None else own + _WEEK * self._visit * self._clipped(value - own)
        return above if own is None and self._parents > 1 else own

    def _clipped(self, deviation: float) -> float:
        most = _CLIP * self._profile_error
        if most == 0.0 or -most <= deviation <= most:
            return deviation
        return most if deviation > 0.0 else -most


def detect(times_s: Iterable[float], values: Iterable[float]) -> list[Anomaly]:
    """Alarms of a whole series, as a stream would have raised them. Raises InputError when lengths differ."""
    detector = Detector()
    try:
        found = [detector.update(at_s, value) for at_s, value in zip(times_s, values, strict=True)]
    except ValueError as error:
        raise InputError("`times_s` and `values` differ in length. Give one time per value.") from error
    return [anomaly for anomaly in found if anomaly is not None]
