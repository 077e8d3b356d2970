"""Keeps to finance limits at once, and offers freed money where the next unit of it earns most."""

from __future__ import annotations

from collections.abc import Iterable

from agents.pools import budget_now, currency_of, is_paused
from agents.specialists.plan import (
    MEASURE_DAYS,
    Gain,
    expected,
    held_out,
    lesson_factor,
    measured,
    set_budget,
    step_rate,
    unmeasured,
    within_room,
)
from agents.specialists.returns import Returns
from domain.actions import ActionKind, ActionSpec
from domain.entities import Entity, kind_of
from domain.money import money_text
from domain.ports import Context
from domain.proposals import Candidate, Expected
from domain.prose import counted
from domain.situations import Evidence, Situation, SituationKind


class FinanceSpecialist:
    """Built-in specialist `finance`."""

    name = "finance"

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        facts = situation.facts
        if situation.kind == SituationKind.FINANCE_LIMIT and facts.get("kind") == "cap":
            over = _over(situation, context)
            if over > 0:
                cut = _comply(situation, context, over)
                yield from cut
                freed = sum(spec.delta_minor for candidate in cut for spec in candidate.specs)
                # What the cap takes from its scope is free for budgets that it does not bind.
                yield from _offer(situation, context, freed)
        elif situation.kind == SituationKind.FREED_BUDGET and facts.get("kind") == "cap":
            bound = [budget_now(context, budget) or 0 for budget in facts.get("budgets", [])]
            yield from _offer(situation, context, int(sum(bound) * step_rate(context)))


def _bound(situation: Situation, context: Context) -> list[Entity]:
    """Running budgets under the limit, exceptions left out by the detector."""
    found = (context.view.tree.get(budget) for budget in situation.facts.get("budgets", []))
    return [budget for budget in found if budget is not None and not is_paused(context, budget.id)]


def _over(situation: Situation, context: Context) -> int:
    """By how much the budgets under the cap pass it now, minor units a day."""
    amount = situation.facts.get("amount_minor")
    spent = sum(budget_now(context, budget.id) or 0 for budget in _bound(situation, context))
    return 0 if amount is None else spent - int(amount)


def _comply(situation: Situation, context: Context, over: int) -> list[Candidate]:
    """Cuts, worst return first, until the sum is under the cap. A demanded cut may pass the usual step."""
    returns = Returns(context)
    worst = sorted(_bound(situation, context), key=lambda b: (_gain(returns, context, b).mean, b.id))
    specs: list[ActionSpec] = []
    left = over
    # First the usual steps over all; what still misses is cut evenly from the worst.
    for share in (step_rate(context), 0.5, 1.0):
        specs, left = _cut(context, worst, over, share, situation.title)
        if left <= 0:
            break
    if not specs:
        return []
    loss = sum(_gain(returns, context, budget).mean for budget in worst) / max(1, len(worst))
    per_day = sum(spec.delta_minor for spec in specs)
    scope = context.view.tree.name(str(situation.facts["scope"]))
    worth = expected(context, per_day, Gain(-loss, -loss - 0.5, -loss + 0.5, "money not spent"), MEASURE_DAYS)
    return [
        Candidate(
            key="comply",
            situation=situation.id,
            specialist="finance",
            specs=tuple(specs),
            title=f"Lower {counted(len(specs), 'budget')} to keep to the cap on {scope}",
            why=f"{situation.summary} Spend passes it by {money_text(over, context.objective.currency)} a day; the "
            "weakest budgets give way first.",
            expected=worth,
            risk="Demand under these budgets is served less.",
            measurement=unmeasured(context, "Demanded by finance: not weighed, so not tested."),
            evidence=(*situation.evidence, _fact(over, per_day, worth.currency)),
            mandatory=True,
        )
    ]


def _cut(context: Context, worst: list[Entity], over: int, share: float, title: str) -> tuple[list[ActionSpec], int]:
    specs: list[ActionSpec] = []
    left = over
    for budget in worst:
        now = budget_now(context, budget.id) or 0
        taken = min(left, int(now * share))
        if taken <= 0:
            continue
        specs.append(
            ActionSpec(
                kind=ActionKind.BUDGET_SET, entity=budget.id, value=now - taken, expect=now,
                currency=currency_of(context, budget.id), reason=title[:200],
            )
        )  # fmt: skip
        left -= taken
    return specs, left


def _offer(situation: Situation, context: Context, freed: int) -> Iterable[Candidate]:
    """Raises where the next unit earns most, one step each, together at most `freed` minor units a day."""
    returns = Returns(context)
    bound = set(situation.facts.get("budgets", [])) if not situation.facts.get("ended") else set[str]()
    ranked = sorted(
        (b for b in context.view.tree.of_kind("budget") if b.id not in bound and not is_paused(context, b.id)),
        key=lambda b: (-_gain(returns, context, b).mean, b.id),
    )
    if freed <= 0 or not ranked:
        return
    best = _channel(context, ranked[0])
    same = [budget for budget in ranked if _channel(context, budget) == best]
    treated, control = held_out(situation.id, [_unit(context, budget) for budget in same])
    raises = [
        set_budget(context, b.id, step_rate(context), situation.title[:200])
        for b in same
        if _unit(context, b) in treated
    ]
    specs: list[ActionSpec] = []
    for spec in within_room(context, [spec for spec in raises if spec is not None]):
        if sum(one.delta_minor for one in specs) + spec.delta_minor <= freed:
            specs.append(spec)
    if not specs:
        return
    per_day = sum(spec.delta_minor for spec in specs)
    name = (best or "budget").partition(":")[2] or "budget"
    gain = _gain(returns, context, same[0]).times(lesson_factor(context, f"demand:{name}"))
    worth = expected(context, per_day, gain, MEASURE_DAYS)
    changed = {spec.entity for spec in specs}
    yield Candidate(
        key=f"reoffer:{name}",
        situation=situation.id,
        specialist="finance",
        specs=tuple(specs),
        title=f"Offer freed money to {context.view.tree.name(best) if best else name}: "
        f"{counted(len(specs), 'budget')} up by at most {step_rate(context):.0%}",
        why=f"{situation.summary} {money_text(freed, worth.currency)} a day are free, and the next {worth.currency} "
        f"earns most there: {gain.because}.",
        expected=worth,
        cost_minor=per_day * MEASURE_DAYS,
        risk="Returns fall as budgets grow.",
        measurement=measured(context, [_unit(context, b) for b in same if b.id in changed], control, None),
        evidence=(*situation.evidence, _fact(freed, per_day, worth.currency), _worth(worth, gain)),
    )


def _gain(returns: Returns, context: Context, budget: Entity) -> Gain:
    channel = _channel(context, budget)
    return returns.gain(channel, (), channel or budget.id)


def _channel(context: Context, budget: Entity) -> str | None:
    return next((step for step in context.view.tree.chain(budget.id) if kind_of(step) == "channel"), None)


def _unit(context: Context, budget: Entity) -> str:
    return next((step for step in context.view.tree.chain(budget.id) if kind_of(step) == "region"), budget.id)


def _fact(wanted: int, moved: int, currency: str) -> Evidence:
    return Evidence(
        text=f"{money_text(wanted, currency)} a day at stake, {money_text(moved, currency)} moved.",
        figures={"at_stake_minor": wanted, "moved_minor": moved},
        source="state:budgets",
    )


def _worth(worth: Expected, gain: Gain) -> Evidence:
    return Evidence(
        text=f"Each {worth.currency} added brings {gain.mean:+.2f} {worth.currency} after its cost ({gain.low:+.2f} to "
        f"{gain.high:+.2f}).",
        figures={"gain": round(gain.mean, 4), "value_minor": worth.value},
        source="series:conversions,spend",
    )
