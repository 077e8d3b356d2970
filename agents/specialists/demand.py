"""Moves budgets with demand: defends only what competitors take, ramps in small steps, keeps regions to compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from agents.arbitrate import score
from agents.specialists.context import answer_note
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
from agents.specialists.returns import channel_class, gain_of
from analysis.rivals import ACTABLE, BOTS, FAULT
from domain.actions import ActionKind, ActionSpec, Message
from domain.entities import Entity, EntityTree, kind_of
from domain.money import money_text
from domain.ports import Context
from domain.proposals import Candidate, Expected, Measurement
from domain.prose import capital, counted, plural
from domain.situations import Evidence, Situation, SituationKind

LEAST_LOST_SHARE = 0.05
"""Below this share lost to others there is nothing to defend: the clicks come anyway."""
TOP_ODDS = 0.4
WASTE = -0.15
"""Gain per unit spent below which spend on a falling demand counts as waste."""


class DemandSpecialist:
    """Built-in specialist `demand`."""

    name = "demand"

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        match situation.kind:
            case SituationKind.DEMAND_RISE | SituationKind.EXPOSURE_LIFT:
                return _answer_rise(situation, context)
            case SituationKind.DEMAND_DROP:
                return _answer_drop(situation, context)
            case SituationKind.TRACKING_FAULT:
                return _warn(situation, context)
            case SituationKind.CONTEXT_CHANGE:
                return answer_note(situation, context)
            case _:
                return ()


def _believed(situation: Situation) -> bool:
    """Whether the likeliest explanation is one on which money may move."""
    ranked = sorted(situation.hypotheses, key=lambda h: (-h.odds, h.name))
    return bool(ranked) and ranked[0].name in ACTABLE and ranked[0].odds >= TOP_ODDS


def _answer_rise(situation: Situation, context: Context) -> Iterable[Candidate]:
    if not _believed(situation):
        return
    groups = budgets_near(situation, context)
    lost: dict[str, float] = situation.facts.get("lost_share", {})
    made: list[Candidate] = []
    for name, budgets in sorted(groups.items()):
        kind = channel_class(name)
        if kind == "brand" and lost and max(lost.values()) < LEAST_LOST_SHARE:
            continue
        made += _raise(situation, context, name, budgets)
    yield from made
    if not any(score(candidate) > 0 for candidate in made):
        yield _tell(situation, context)


def _tell(situation: Situation, context: Context) -> Candidate:
    """Where no money should move, the people who run search still learn of it the same day."""
    lost: dict[str, float] = situation.facts.get("lost_share", {})
    taken = f" Others show on up to {max(lost.values()):.0%} of these searches." if lost else ""
    text = f"{situation.summary}{taken} No budget was raised: more spend is not expected to pay."
    nothing = Expected(value=0, low=0, high=0, currency=context.objective.currency)
    return Candidate(
        key="tell-search",
        situation=situation.id,
        specialist="demand",
        specs=(ActionSpec(kind=ActionKind.MESSAGE_POST, value=Message(channel="#search", text=text).model_dump()),),
        title=f"Tell search: {situation.title}",
        why="Those who run search should know what is behind the demand before they change bids.",
        expected=nothing,
        measurement=unmeasured(context, "A message changes no metric by itself."),
        evidence=situation.evidence,
    )


def _raise(situation: Situation, context: Context, name: str, budgets: dict[str, str]) -> Iterable[Candidate]:
    """More money on one channel where demand rose, with regions held out to compare."""
    about = f"demand:{name}"
    factor = lesson_factor(context, about)
    treated, control = held_out(situation.id, sorted(budgets))
    if factor > 1.05 and control:
        # It worked where it was tried: the regions that were held out get it too.
        treated, control = control, ()
    specs = within_room(context, _steps(situation, context, budgets, treated, name))
    if not specs:
        return
    gain = gain_of(context, _channel(context.view.tree, specs[0]), treated, name).times(factor)
    per_day = sum(spec.delta_minor for spec in specs)
    if factor < 0.8:
        yield from _set_back(situation, context, name, budgets, gain)
        return
    worth = expected(context, per_day, gain, MEASURE_DAYS)
    rate = max(spec.step_rate or 0 for spec in specs)
    held = f" {_kept(control)}" if control else ""
    yield Candidate(
        key=f"raise:{name}",
        situation=situation.id,
        specialist="demand",
        specs=tuple(specs),
        title=f"Raise {_named(context, specs, name)} by up to {rate:.0%}",
        why=f"{situation.summary} The rise is limited to the share others take and to {step_rate(context):.0%} a step."
        f"{held}",
        expected=worth,
        cost_minor=per_day * MEASURE_DAYS,
        risk="The added clicks may have come for free; the demand may end before the money is spent.",
        measurement=_plan(situation, context, specs, budgets, control),
        evidence=(*situation.evidence, _arithmetic(per_day, gain, worth, about, factor)),
    )


def _kept(control: Sequence[str]) -> str:
    return f"{counted(len(control), kind_of(control[0]))} {plural(len(control), 'stays')} as now, to compare with."


def _steps(
    situation: Situation, context: Context, budgets: dict[str, str], treated: Sequence[str], name: str
) -> Iterable[ActionSpec]:
    """One step per treated unit, the unit that loses most first."""
    lost: dict[str, float] = situation.facts.get("lost_share", {})
    lift = max(0.0, float(situation.facts.get("rate") or 0.0))
    for unit in sorted(treated, key=lambda unit: (-lost.get(unit, 0.0), unit)):
        rate = lift or step_rate(context)
        if channel_class(name) == "brand" and unit in lost:
            share = lost[unit]
            # Buying back all that is lost needs lost / won more of what is spent now.
            rate = min(rate, share / max(1 - share, 0.05)) if share >= LEAST_LOST_SHARE else 0.0
        spec = set_budget(context, budgets[unit], rate, f"{situation.title}"[:200])
        if spec is not None:
            yield spec


def _set_back(
    situation: Situation, context: Context, name: str, budgets: dict[str, str], gain: Gain
) -> Iterable[Candidate]:
    """After a harmful outcome: take the last step back where it was made."""
    treated, control = held_out(situation.id, sorted(budgets))
    step = step_rate(context)
    made = [
        set_budget(context, budgets[unit], 1 / (1 + step) - 1, "Set back after a harmful outcome") for unit in treated
    ]
    specs = within_room(context, [spec for spec in made if spec is not None])
    if not specs:
        return
    per_day = sum(spec.delta_minor for spec in specs)
    saved = Gain(-gain.mean, -gain.high, -gain.low, gain.because)
    worth = expected(context, per_day, saved, MEASURE_DAYS)
    yield Candidate(
        key=f"set-back:{name}",
        situation=situation.id,
        specialist="demand",
        specs=tuple(specs),
        title=f"Set {_named(context, specs, name)} back one step",
        why="The last such rise was measured as harmful, so the step is taken back.",
        expected=worth,
        risk="Demand that is still there may be missed.",
        measurement=_plan(situation, context, specs, budgets, control),
        evidence=(*situation.evidence, _arithmetic(per_day, saved, worth, f"demand:{name}", 1.0)),
    )


def _answer_drop(situation: Situation, context: Context) -> Iterable[Candidate]:
    """Spend that no longer pays is lowered one step; otherwise nothing is done."""
    if not _believed(situation):
        return
    for name, budgets in sorted(budgets_near(situation, context).items()):
        treated, control = held_out(situation.id, sorted(budgets))
        rate = float(situation.facts.get("rate") or 0.0)
        gain = gain_of(context, _channel_of_budget(context.view.tree, budgets[treated[0]]), treated, name)
        fallen = gain.times(max(0.1, 1 + rate) * lesson_factor(context, f"demand:{name}"))
        if fallen.mean > WASTE:
            continue
        made = [set_budget(context, budgets[unit], rate, situation.title[:200]) for unit in treated]
        specs = within_room(context, [spec for spec in made if spec is not None])
        if not specs:
            continue
        per_day = sum(spec.delta_minor for spec in specs)
        saved = Gain(-fallen.mean, -fallen.high, -fallen.low, fallen.because)
        worth = expected(context, per_day, saved, MEASURE_DAYS)
        yield Candidate(
            key=f"lower:{name}",
            situation=situation.id,
            specialist="demand",
            specs=tuple(specs),
            title=f"Lower {_named(context, specs, name)} while demand is down",
            why=f"{situation.summary} What is spent there earns less than it costs.",
            expected=worth,
            risk="Demand may come back before the money does.",
            measurement=_plan(situation, context, specs, budgets, control),
            evidence=(*situation.evidence, _arithmetic(per_day, saved, worth, f"demand:{name}", 1.0)),
        )


def _warn(situation: Situation, context: Context) -> Iterable[Candidate]:
    """A likely fault moves no money: somebody has to look at the tracking."""
    top = max(situation.hypotheses, key=lambda h: h.odds, default=None)
    if top is None or top.name not in {FAULT, BOTS}:
        return
    text = f"{situation.summary} Please check the tracking before anybody acts on these numbers."
    nothing = Expected(value=0, low=0, high=0, currency=context.objective.currency)
    yield Candidate(
        key="check-tracking",
        situation=situation.id,
        specialist="demand",
        specs=(ActionSpec(kind=ActionKind.MESSAGE_POST, value=Message(channel="#marketing", text=text).model_dump()),),
        title=f"Ask for a check: {situation.title}",
        why=f"{capital(top.name)} is the likeliest explanation ({top.odds:.0%}): {top.because}.",
        expected=nothing,
        measurement=unmeasured(context, "A message changes no metric by itself."),
        evidence=situation.evidence,
    )


def budgets_near(situation: Situation, context: Context) -> dict[str, dict[str, str]]:
    """Budgets that answer the situation, as channel name → unit → budget.

    With regions: every channel's budget in the regions concerned, or where budgets know no regions the ones of the
    whole company. Without: budgets above, below or beside the entities concerned, or that share a word of their name.
    """
    tree, facts = context.view.tree, situation.facts
    units: list[str] = list(facts.get("units") or situation.entities)
    found: dict[str, dict[str, str]] = {}
    for budget in tree.of_kind("budget"):
        unit = next((unit for unit in units if _near(tree, budget, unit)), None)
        if unit is not None:
            name = _channel_name(tree, budget)
            found.setdefault(name, {}).setdefault(unit, budget.id)
    if not found and any(kind_of(unit) == "region" for unit in units):
        found = _placeless(tree)
    wanted = _channels_wanted(situation, found)
    return {name: budgets for name, budgets in found.items() if name in wanted}


def _placeless(tree: EntityTree) -> dict[str, dict[str, str]]:
    """Budgets that belong to no region, by channel and by what they pay for; in search the brand's, where it is named.

    Money of them cannot be moved for some regions only, so nothing can be held out.
    """
    found: dict[str, dict[str, str]] = {}
    for budget in tree.of_kind("budget"):
        if not any(kind_of(step) == "region" for step in tree.chain(budget.id)):
            found.setdefault(_channel_name(tree, budget), {}).setdefault(budget.parent or budget.id, budget.id)
    for name, budgets in found.items():
        brand = {
            unit: budget for unit, budget in budgets.items() if "brand" in {channel_class(unit), channel_class(budget)}
        }
        found[name] = brand or budgets
    return found


def _near(tree: EntityTree, budget: Entity, unit: str) -> bool:
    if tree.covers(unit, budget.id) or tree.covers(budget.id, unit):
        return True
    if kind_of(unit) == "region":
        return False
    parents = {budget.parent} & set(tree.chain(unit)) - {None}
    words = set(_words(unit)) & set(_words(budget.id))
    return bool(parents) or bool(words)


def _words(entity: str) -> list[str]:
    return [word for word in entity.partition(":")[2].replace("_", "-").split("-") if len(word) > 2]


def _channels_wanted(situation: Situation, found: dict[str, Any]) -> set[str]:
    """Captured demand is defended by search; a channel that moved by itself is answered on itself."""
    if "elasticity" in situation.facts:
        # A steady link says that more exposure brings more; no demand has risen that could be defended.
        return {name for name in found if name == str(situation.facts["channel"]).partition(":")[2]}
    own = str(situation.facts.get("channel") or "").partition(":")[2]
    exposure = str(situation.facts.get("exposure_channel") or "").partition(":")[2]
    if situation.kind == SituationKind.DEMAND_DROP:
        return {name for name in found if not own or name == own} or set(found)
    brand = {name for name in found if channel_class(name) == "brand"}
    search = {name for name in found if "search" in name or "keyword" in name}
    wanted = brand | search | {name for name in found if name in {own, exposure}}
    return wanted or set(found)


def _named(context: Context, specs: Sequence[ActionSpec], channel: str) -> str:
    """The one budget by its name, several as a count with their channel."""
    tree = context.view.tree
    if len(specs) == 1:
        return f"“{tree.name(specs[0].entity or '')}”"
    found = _channel(tree, specs[0])
    return f"{counted(len(specs), 'budget')} of {tree.name(found) if found else channel}"


def _channel_name(tree: EntityTree, budget: Entity) -> str:
    channel = _channel_of_budget(tree, budget.id)
    return (channel or budget.parent or budget.id).partition(":")[2]


def _channel_of_budget(tree: EntityTree, budget: str) -> str | None:
    return next((step for step in tree.chain(budget) if kind_of(step) == "channel"), None)


def _channel(tree: EntityTree, spec: ActionSpec) -> str | None:
    return _channel_of_budget(tree, spec.entity or "")


def _plan(
    situation: Situation, context: Context, specs: Sequence[ActionSpec], budgets: dict[str, str], control: Sequence[str]
) -> Measurement:
    changed = {spec.entity for spec in specs}
    treated = [unit for unit, budget in sorted(budgets.items()) if budget in changed]
    mde = situation.facts.get("mde_rate")
    return measured(context, treated, control, float(mde) if mde is not None else None)


def _arithmetic(per_day: int, gain: Gain, worth: Expected, about: str, factor: float) -> Evidence:
    money = worth.currency
    return Evidence(
        text=f"{money_text(per_day, money)} a day moved for {MEASURE_DAYS} days, each {money} of it worth "
        f"{gain.mean:+.2f} {money} after its cost ({gain.low:+.2f} to {gain.high:+.2f}): {gain.because}.",
        figures={"per_day_minor": per_day, "days": MEASURE_DAYS, "gain": round(gain.mean, 4),
                 "value_minor": worth.value, "lesson_factor": factor},
        source=f"lesson:{about}",
    )  # fmt: skip
