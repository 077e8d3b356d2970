"""What every specialist computes alike: steps within limits, held-out regions, expectations, measurement plans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agents.pools import budget_now, currency_of, spent_in
from domain.actions import ActionKind, ActionSpec
from domain.entities import kind_of
from domain.ids import digest
from domain.limits import binding, breach
from domain.money import to_minor
from domain.ports import Context
from domain.proposals import Expected, Measurement
from domain.prose import day_text

MAX_STEP_RATE = 0.2
"""Platforms learn anew after larger steps; holds where the policy names no limit."""
MEASURE_DAYS = 28
MIN_EFFECT_RATE = 0.03
"""Change of a region's contribution that does not matter: `no_effect` needs an interval inside it."""
CONTROLS = 10
"""Regions to compare with: more bring little precision and keep others from being helped."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Contribution per unit of money a day, after its cost: mean and 90 % bounds, with what it rests on."""

    mean: float
    low: float
    high: float
    because: str

    def times(self, factor: float) -> Gain:
        """After a lesson: the gross return scales, the money spent does not."""
        mean, low, high = ((1 + value) * factor - 1 for value in (self.mean, self.low, self.high))
        return Gain(mean, low, high, self.because)


def step_rate(context: Context) -> float:
    """The largest relative change of a budget or bid that a candidate may ask for."""
    allowed = context.limits.max_step_rate
    return MAX_STEP_RATE if allowed is None else min(MAX_STEP_RATE, allowed)


def set_budget(context: Context, budget: str, rate: float, reason: str) -> ActionSpec | None:
    """A change of `budget` by `rate` of what it is now, cut to the allowed step; None when nothing would change.

    Rounds towards what it is now, so that the step never passes its limit, and breaks no finance limit.
    """
    now = budget_now(context, budget)
    if not now:
        return None
    bound = step_rate(context)
    value = now + int(now * max(-bound, min(bound, rate)))
    spec = ActionSpec(
        kind=ActionKind.BUDGET_SET, entity=budget, value=value, expect=now,
        currency=currency_of(context, budget), reason=reason,
    )  # fmt: skip
    barred = breach(spec, context.view.limits(), context.view.tree, context.view.now)
    return None if value == now or barred is not None else spec


def within_room(context: Context, specs: Iterable[ActionSpec], spent: dict[str, int] | None = None) -> list[ActionSpec]:
    """The specs, first come first, that together stay within every cap and the daily movement limit."""
    tree, now = context.view.tree, context.view.now
    moved = 0
    most = context.limits.daily_spend_moved
    room = {} if spent is None else spent
    kept: list[ActionSpec] = []
    for spec in specs:
        delta = int(spec.value) - int(spec.expect or 0)
        caps = [a for a in binding(context.view.limits(), spec.entity or "", tree, now) if a.limit.kind == "cap"]
        for active in caps:
            if active.signal not in room and active.limit.amount is not None:
                cap = to_minor(active.limit.amount, active.limit.currency or context.objective.currency)
                room[active.signal] = cap - spent_in(active, context)
        if delta > 0 and any(room.get(active.signal, delta) < delta for active in caps):
            continue
        if most is not None and moved + abs(delta) > to_minor(most, context.objective.currency):
            continue
        moved += abs(delta)
        for active in caps:
            room[active.signal] = room.get(active.signal, 0) - delta
        kept.append(spec)
    return kept


def held_out(situation: str, units: Sequence[str], share: float = 1 / 3) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(treated, held out): a fixed split by digest of the situation. Of fewer than three units none is held out."""
    if len(units) < 3:
        return tuple(units), ()
    ranked = sorted(units, key=lambda unit: digest([situation, unit]))
    count = max(1, round(len(units) * share))
    return tuple(sorted(ranked[count:])), tuple(sorted(ranked[:count]))


def expected(context: Context, per_day: float, gain: Gain, days: int) -> Expected:
    """Money of `per_day` minor units spent on `days` at `gain`; never longer than the objective's horizon."""
    total = per_day * min(days, context.objective.horizon_days)
    ends = sorted((round(total * gain.low), round(total * gain.high)))
    return Expected(value=round(total * gain.mean), low=ends[0], high=ends[1], currency=context.objective.currency)


def lesson_factor(context: Context, about: str) -> float:
    lesson = context.lessons.get(about)
    return 1.0 if lesson is None else lesson.factor


def unmeasured(context: Context, why: str) -> Measurement:
    """For what cannot be compared with anything."""
    return Measurement(metric="none", method="none", start=context.view.now, days=0, stop=why)


def measured(context: Context, treated: Sequence[str], control: Sequence[str], mde_rate: float | None) -> Measurement:
    """Synthetic control over regions where some are left alone, else before and after.

    The regions held out are joined by others that nobody touches, up to `CONTROLS` in all.
    """
    regional = all(kind_of(unit) == "region" for unit in (*treated, *control))
    if regional:
        control = _with_untouched(context, treated, control)
    regional = regional and bool(control)
    start = context.view.now
    end = start + timedelta(days=MEASURE_DAYS)
    return Measurement(
        metric="contribution",
        method="synthetic_control" if regional else "before_after",
        treated=tuple(treated),
        control=tuple(control) if regional else (),
        start=start,
        days=MEASURE_DAYS,
        mde_rate=mde_rate,
        min_effect_rate=MIN_EFFECT_RATE,
        stop=f"On {day_text(end)}, or at once when a person or a finance limit sets it back.",
    )


def _with_untouched(context: Context, treated: Sequence[str], control: Sequence[str]) -> tuple[str, ...]:
    """`control` and further regions outside `treated`, the same ones for the same treated regions."""
    rest = [r.id for r in context.view.tree.of_kind("region") if r.id not in {*treated, *control}]
    ranked = sorted(rest, key=lambda region: digest([sorted(treated), region]))
    return (*control, *sorted(ranked[: max(0, CONTROLS - len(control))]))
