"""What the candidates of one round share and compete for: money, daily movement, content hours, entities, controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.actions import ActionKind, ActionSpec
from domain.entities import EntityTree
from domain.limits import ActiveLimit, binding, breach
from domain.money import to_minor
from domain.ports import Context
from domain.proposals import Candidate
from domain.prose import day_text, term

LEAST_CONTROLS = 4
"""Untouched units below which a measurement cannot be believed."""
CONTENT_POOL = "hours:content"
CONTENT_HOURS = 40.0
"""Content hours a week unless a declared entity names `hours_per_week` in its attributes."""


@dataclass(frozen=True, slots=True)
class Recent:
    """What already happened or is under way, so that a round never counts on it twice."""

    moved_24h_minor: int = 0
    last_change: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    busy: frozenset[str] = frozenset()
    """Entities with a pending or approved change, and units in which an effect is being measured."""
    controls: Sequence[frozenset[str]] = ()
    """For each running measurement the units it can still be compared with."""
    hours_taken: float = 0.0


@dataclass(frozen=True, slots=True)
class Pool:
    """A shared bound: the sum of `loads` over chosen candidates (by position) stays within `room`.

    `full` says why a candidate finds no room, as the end of a sentence.
    """

    name: str
    room: float
    loads: Mapping[int, float]
    full: str


def pools_of(candidates: Sequence[Candidate], context: Context, recent: Recent) -> list[Pool]:
    """Every bound that two or more candidates could break together, or one alone."""
    return [
        *_money(candidates, context),
        *_movement(candidates, context, recent),
        *_hours(candidates, context, recent),
        *_named(candidates),
        *_entities(candidates, context.view.tree),
        *_units(candidates, context.view.tree),
        *_controls(candidates, context.view.tree),
    ]


def unavailable(candidate: Candidate, context: Context, recent: Recent) -> str | None:
    """Why `candidate` cannot be done now whatever else is chosen: its entity is resting or busy; None when it can."""
    tree, rest = context.view.tree, timedelta(hours=context.limits.per_entity_cooldown_h or 0)
    for spec in candidate.specs:
        entity = spec.entity or ""
        last = recent.last_change.get(entity)
        barred = breach(spec, context.view.limits(), tree, context.view.now)
        if barred is not None:
            return barred.text(tree)
        if entity in recent.busy:
            return f"another change of {tree.name(entity)} is already under way"
        if last is not None and last + rest > context.view.now:
            return f"{tree.name(entity)} changed on {day_text(last)} and rests until {day_text(last + rest)}"
    return None if candidate.mandatory else _blurs(candidate, recent, tree)


def _blurs(candidate: Candidate, recent: Recent, tree: EntityTree) -> str | None:
    """Why `candidate` would make a running measurement worthless; None when it would not."""
    treated = set(candidate.measurement.treated)
    shared = sorted(treated & recent.busy)
    if shared:
        return f"the effect of another change in {tree.name(shared[0])} is still being measured"
    for clean in recent.controls:
        if treated & clean and len(clean - treated) < LEAST_CONTROLS:
            return "a running measurement would lose the regions it is compared with"
    return None


def signed_delta(spec: ActionSpec) -> int:
    """Money added per day by a budget change, minor units; negative when it is taken away."""
    return int(spec.value) - int(spec.expect or 0) if spec.kind == ActionKind.BUDGET_SET else 0


def spent_in(limit: ActiveLimit, context: Context) -> int:
    """Sum of the current daily budgets that `limit` binds, minor units; a paused campaign's budget is not spent."""
    tree = context.view.tree
    return sum(
        budget_now(context, entity.id) or 0
        for entity in tree.of_kind("budget")
        if limit.binds(entity.id, tree) and not is_paused(context, entity.id)
    )


def is_paused(context: Context, budget: str) -> bool:
    """Whether a campaign above `budget` is paused as its tool shows it."""
    chain = context.view.tree.chain(budget)
    return any(context.state.get(entity, {}).get(ActionKind.STATUS_SET) == "paused" for entity in chain)


def budget_now(context: Context, budget: str) -> int | None:
    """Daily budget as its tool shows it, else as declared in major units; minor units, None when unknown."""
    shown = context.state.get(budget, {}).get(ActionKind.BUDGET_SET)
    if shown is not None:
        return int(shown)
    declared = context.view.tree.get(budget)
    amount = declared.attrs.get("daily_budget") if declared else None
    return None if amount is None else to_minor(amount, currency_of(context, budget))


def currency_of(context: Context, entity: str) -> str:
    """Currency of an entity's money: as its tool shows it, as declared, else the objective's."""
    declared = context.view.tree.get(entity)
    shown = context.state.get(entity, {}).get("currency") or (declared.attrs.get("currency") if declared else None)
    return str(shown or context.objective.currency)


def _money(candidates: Sequence[Candidate], context: Context) -> Iterable[Pool]:
    """Caps over a scope bind the sum of its budgets. Only mandatory cuts may be needed to get back under one."""
    tree, now = context.view.tree, context.view.now
    for active in context.view.limits():
        if active.limit.kind not in {"cap", "freeze"} or not active.in_force(now):
            continue
        loads = {
            place: float(sum(signed_delta(spec) for spec in candidate.specs if _bound(active, spec, tree, now)))
            for place, candidate in enumerate(candidates)
        }
        amount = active.limit.amount
        room = 0.0
        if active.limit.kind == "cap" and amount is not None:
            room = float(to_minor(amount, active.limit.currency or context.objective.currency))
            room -= spent_in(active, context)
        cut = sum(load for place, load in loads.items() if candidates[place].mandatory and load < 0)
        # Over the cap already: nothing may add, and what is cut is not handed out again.
        full = f"the {active.limit.kind} on {tree.name(active.limit.scope)} leaves no room"
        yield Pool(f"money:{active.limit.scope}", max(room, min(cut, 0.0)), {p: v for p, v in loads.items() if v}, full)


def _bound(active: ActiveLimit, spec: ActionSpec, tree: EntityTree, now: datetime) -> bool:
    return spec.entity is not None and bool(binding([active], spec.entity, tree, now))


def _movement(candidates: Sequence[Candidate], context: Context, recent: Recent) -> Iterable[Pool]:
    cap = context.limits.daily_spend_moved
    if cap is None:
        return
    room = to_minor(cap, context.objective.currency) - recent.moved_24h_minor
    loads = {place: float(sum(spec.delta_minor for spec in c.specs)) for place, c in enumerate(candidates)}
    yield Pool("daily_spend_moved", float(max(0, room)), loads, "it would pass what may be moved within 24 hours")


def _hours(candidates: Sequence[Candidate], context: Context, recent: Recent) -> Iterable[Pool]:
    declared = [e.attrs["hours_per_week"] for e in context.view.tree.by_id.values() if "hours_per_week" in e.attrs]
    room = float(declared[0]) if declared else CONTENT_HOURS
    loads = _uses(candidates, CONTENT_POOL)
    if loads:
        yield Pool(CONTENT_POOL, max(0.0, room - recent.hours_taken), loads, "the week has no content hours left")


def _uses(candidates: Sequence[Candidate], pool: str) -> dict[int, float]:
    return {
        place: sum(use.amount for use in candidate.uses if use.pool == pool)
        for place, candidate in enumerate(candidates)
        if any(use.pool == pool for use in candidate.uses)
    }


def _named(candidates: Sequence[Candidate]) -> Iterable[Pool]:
    """Pools that only the candidates name, such as `once:<topic>`: one use of each."""
    names = {use.pool for candidate in candidates for use in candidate.uses if use.pool.startswith("once:")}
    for name in sorted(names):
        full = f"something else that was chosen covers {term(name.partition(':')[2])}"
        yield Pool(name, 1.0, _uses(candidates, name), full)


def _entities(candidates: Sequence[Candidate], tree: EntityTree) -> Iterable[Pool]:
    """One change per entity and round."""
    touching: dict[str, dict[int, float]] = {}
    for place, candidate in enumerate(candidates):
        for entity in {spec.entity for spec in candidate.specs if spec.entity}:
            touching.setdefault(entity, {})[place] = 1.0
    for entity, loads in sorted(touching.items()):
        if len(loads) > 1:
            full = f"a better change of {tree.name(entity)} was chosen"
            yield Pool(f"one change of {entity}", 1.0, loads, full)


def _units(candidates: Sequence[Candidate], tree: EntityTree) -> Iterable[Pool]:
    """One situation answered per measured unit: answers to two at once could not be told apart."""
    for place, candidate in enumerate(candidates):
        for other in range(place + 1, len(candidates)):
            rival = candidates[other]
            shared = set(candidate.measurement.treated) & set(rival.measurement.treated)
            if shared and candidate.situation != rival.situation and not (candidate.mandatory or rival.mandatory):
                full = f"a better change whose effect shows in {tree.name(min(shared))} was chosen"
                yield Pool(f"one answer measured in {min(shared)}", 1.0, {place: 1.0, other: 1.0}, full)


def _controls(candidates: Sequence[Candidate], tree: EntityTree) -> Iterable[Pool]:
    """Nobody changes the regions that another measures against: the comparison would be worthless."""
    for place, candidate in enumerate(candidates):
        control = set(candidate.measurement.control)
        for other, rival in enumerate(candidates):
            mixed = control & set(rival.measurement.treated)
            if other != place and mixed and not (candidate.mandatory or rival.mandatory):
                full = f"{tree.name(min(mixed))} must stay as it is, to compare a chosen change with"
                yield Pool(f"control {min(mixed)}", 1.0, {place: 1.0, other: 1.0}, full)
