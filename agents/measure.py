"""Measuring: the effect of a proposal's executed actions against its pre-registered counterfactual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from agents import learn
from agents.pools import LEAST_CONTROLS
from agents.series import Panel, daily_panel, day_start
from domain.actions import Action, ActionStatus
from domain.audit import Fact
from domain.errors import InputError
from domain.ids import derive_id
from domain.money import to_minor
from domain.outcomes import Outcome, OutcomeVerdict
from domain.ports import View
from domain.proposals import Proposal
from memory.crash import reached

if TYPE_CHECKING:
    from agents.parts import Runtime

PRE_DAYS = 90
"""Days before the action that the counterfactual is fitted on, when there are as many."""
CLEAN = timedelta(days=14)
"""How long before the action a control must have been left alone."""
TOGETHER = timedelta(days=7)
"""Two answers to one situation that took effect within so long are one treatment."""
LEAST_KNOWN_RATE = 0.9
"""A unit with fewer reported days than this share is not used."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is measured where: rows of `panel` are treated units first, then controls."""

    panel: Panel
    treated: int
    start: int
    dropped: tuple[str, ...]


def measure(runtime: Runtime, proposal: Proposal, action: Action) -> None:
    """Write the outcome of `action`'s proposal and its lesson; siblings share one outcome."""
    reached("measure.begun")
    store, now = runtime.store, runtime.clock.now()
    view = store.view(now)
    outcome = _measured(runtime, view, proposal, action, now)
    facts = [
        Fact(
            at=now,
            actor="worker",
            verb="outcome.measured",
            subject=proposal.id,
            facts={"outcome": outcome.id, "verdict": outcome.verdict, "value_minor": outcome.value_minor},
        )
    ]
    lesson = learn.lesson_from(outcome, proposal, store.outcomes.lessons(), view.tree, now)
    if not store.outcomes.add(outcome, lesson, facts=facts):
        store.actions.move(action.id, ActionStatus.DONE, ActionStatus.DONE, due_at=None, facts=[], outcome=outcome.id)


def _measured(runtime: Runtime, view: View, proposal: Proposal, action: Action, now: datetime) -> Outcome:
    twin = _measured_together(runtime, proposal, action)
    if twin is not None:
        detail = f"took effect together with {twin.proposal}; the effect of both is counted there ({twin.id})"
        shared = _outcome(runtime, proposal, action, now, twin.verdict, detail)
        rates = {name: getattr(twin, name) for name in ("lift_rate", "low_rate", "high_rate", "p_value", "mde_rate")}
        return shared.model_copy(update={**rates, "expected_minor": 0, "method": learn.TOGETHER})
    try:
        return _by_counterfactual(runtime, view, proposal, action, now)
    except InputError as error:
        return _outcome(runtime, proposal, action, now, OutcomeVerdict.UNKNOWABLE, error.detail)


def _measured_together(runtime: Runtime, proposal: Proposal, action: Action) -> Outcome | None:
    """The outcome of another answer to the same situation in the same units at the same time, if there is one."""
    treated, at = set(proposal.measurement.treated), action.executed_at
    for other in runtime.store.proposals.page(situation=proposal.situation, limit=200).items:
        for each in other.actions if other.id != proposal.id and treated & set(other.measurement.treated) else ():
            if each.outcome and each.executed_at and at and abs(each.executed_at - at) < TOGETHER:
                return runtime.store.outcomes.get(each.outcome)
    return None


def _by_counterfactual(runtime: Runtime, view: View, proposal: Proposal, action: Action, now: datetime) -> Outcome:
    """The verdict of `analysis.lift` on the window. Raises InputError when it cannot be measured."""
    from analysis.lift import lift, single_series_lift

    plan = proposal.measurement
    window = _window(runtime, view, proposal, action)
    if plan.method == "before_after" or window.treated == window.panel.shape[0]:
        total = window.panel[: window.treated].sum(axis=0)
        result = single_series_lift(
            total, _week(total.size), window.start, alpha=plan.alpha, min_effect_rate=plan.min_effect_rate
        )
    else:
        result = lift(
            window.panel,
            range(window.treated),
            window.start,
            alpha=plan.alpha,
            min_effect_rate=plan.min_effect_rate,
        )
    currency = runtime.settings.objective.currency
    base = result.incremental / result.lift_rate if result.lift_rate else 0.0
    detail = (
        f"{plan.metric} of {window.treated} treated units against {window.panel.shape[0] - window.treated} controls "
        f"over {window.panel.shape[1] - window.start} days; fit before: R² {result.pre_fit.r2:.2f}"
        + (f"; left out: {', '.join(window.dropped)}" if window.dropped else "")
    )
    known = result.verdict != "unknowable"
    outcome = _outcome(runtime, proposal, action, now, OutcomeVerdict(result.verdict), detail)
    return outcome.model_copy(
        update={
            "lift_rate": result.lift_rate,
            "low_rate": result.low,
            "high_rate": result.high,
            "p_value": result.p_value,
            "mde_rate": result.mde_rate,
            "value_minor": to_minor(result.incremental, currency) if known else 0,
            "low_minor": to_minor(result.low * base, currency),
            "high_minor": to_minor(result.high * base, currency),
        }
    )


def _window(runtime: Runtime, view: View, proposal: Proposal, action: Action) -> Window:
    """Panel of treated and control units around the action. Raises InputError when data or controls are missing."""
    plan = proposal.measurement
    if not plan.treated:
        raise InputError(f"The plan names no units in which `{plan.metric}` could be measured.")
    executed = action.executed_at or plan.start
    start = day_start(executed) + timedelta(days=1)
    first = start - timedelta(days=PRE_DAYS)
    span = PRE_DAYS + plan.days
    treated = daily_panel(view, runtime.settings.objective, plan.metric, plan.treated, first, span)
    touched = _touched_since(runtime, start - CLEAN, proposal)
    wanted = [unit for unit in plan.control if unit not in touched]
    control = daily_panel(view, runtime.settings.objective, plan.metric, wanted, first, span) if wanted else None
    begin = _first_reported(treated)
    treated, start_at = treated[:, begin:], PRE_DAYS - begin
    if not _known(treated).all():
        raise InputError(f"`{plan.metric}` of the treated units has gaps; nothing can be said about its change.")
    rows, dropped = [_filled(treated)], sorted(set(plan.control) & touched)
    if control is not None:
        usable = _known(control[:, begin:])
        rows.append(_filled(control[usable][:, begin:]))
        dropped += [unit for unit, ok in zip(wanted, usable, strict=True) if not ok]
    if plan.method == "synthetic_control" and sum(len(row) for row in rows[1:]) < LEAST_CONTROLS:
        raise InputError(f"Fewer than {LEAST_CONTROLS} of the control units stayed untouched: {', '.join(dropped)}.")
    return Window(np.vstack(rows), treated.shape[0], start_at, tuple(dropped))


def _touched_since(runtime: Runtime, first: datetime, proposal: Proposal) -> set[str]:
    """Units that another of our actions changed since `first`: no clean controls."""
    touched: set[str] = set()
    for action in runtime.store.actions.executed_since(first):
        if action.proposal != proposal.id:
            touched.update(runtime.store.proposals.get(action.proposal).measurement.treated)
    return touched


def _first_reported(panel: Panel) -> int:
    """Index of the first day on which every row holds a number; 0 when there is none."""
    complete = np.isfinite(panel).all(axis=0)
    return int(np.argmax(complete)) if complete.any() else 0


def _known(panel: Panel) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.isfinite(panel).mean(axis=1) >= LEAST_KNOWN_RATE


def _week(days: int) -> Panel:
    """The weekly wave as covariates, where no untreated unit tells what would have happened."""
    turn = 2 * np.pi * np.arange(days, dtype=np.float64) / 7
    return np.vstack([np.sin(turn), np.cos(turn)])


def _filled(panel: Panel) -> Panel:
    """Short gaps bridged by straight lines, row by row."""
    days: Panel = np.arange(panel.shape[1], dtype=np.float64)
    filled = panel.copy()
    for row in filled:
        known = np.isfinite(row)
        row[:] = np.interp(days, days[known], row[known])
    return filled


def _outcome(
    runtime: Runtime, proposal: Proposal, action: Action, now: datetime, verdict: OutcomeVerdict, detail: str
) -> Outcome:
    objective = runtime.settings.objective
    share = min(1.0, proposal.measurement.days / objective.horizon_days)
    return Outcome(
        id=derive_id("out", proposal.id),
        proposal=proposal.id,
        action=action.id,
        situation=proposal.situation,
        kind=action.spec.kind,
        entities=tuple(each.spec.entity for each in proposal.actions if each.spec.entity),
        metric=proposal.measurement.metric,
        verdict=verdict,
        expected_minor=round(proposal.expected.value * share),
        currency=objective.currency,
        measured_at=now,
        method=proposal.measurement.method,
        detail=detail,
    )
