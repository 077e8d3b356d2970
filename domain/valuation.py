"""What a proposal is worth once a person has changed its arguments. Pure.

Specialists value money by one response: contribution per unit of money moved, times the money moved, so that worth is
linear in the sum of changes (`agents/specialists/plan.py: expected`). The same response is read back from the proposal
and applied to the new arguments. It was estimated for the step proposed: far beyond it returns fall.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain.actions import MONEY_KINDS, ActionSpec
from domain.entities import EntityTree
from domain.proposals import Basis, Expected, Measurement, Proposal


@dataclass(frozen=True, slots=True)
class Valuation:
    """Expected margin, cost over the horizon (minor units) and plan of measurement of changed arguments."""

    expected: Expected
    cost_minor: int
    measurement: Measurement
    basis: Basis


def revalue(proposal: Proposal, specs: Sequence[ActionSpec], tree: EntityTree) -> Valuation:
    """The worth of `specs` in place of the proposal's arguments.

    `rescaled` where the former arguments were changes of money in one direction, by one response; otherwise `former`:
    the figures are those of the former arguments, and say so.
    """
    before = [action.spec for action in proposal.actions]
    share = _share(before, specs)
    if share is None:
        return Valuation(proposal.expected, proposal.cost_minor, proposal.measurement, _kept(proposal, before, specs))
    basis: Basis = proposal.valuation if share == 1 else "rescaled"
    return Valuation(
        expected=_scaled(proposal.expected, share),
        cost_minor=max(0, round(proposal.cost_minor * share)),
        measurement=_narrowed(proposal.measurement, specs, tree),
        basis=basis,
    )


def _kept(proposal: Proposal, before: Sequence[ActionSpec], specs: Sequence[ActionSpec]) -> Basis:
    same = [spec.argument_hash for spec in before] == [spec.argument_hash for spec in specs]
    return proposal.valuation if same else "former"


def _share(before: Sequence[ActionSpec], after: Sequence[ActionSpec]) -> float | None:
    """Money moved by `after` over that moved by `before`, negative when it turns round; None without one response."""
    changes = [_change(spec) for spec in before]
    moved = [change for change in changes if change]
    one_way = all(change > 0 for change in moved) or all(change < 0 for change in moved)
    alike = len({(spec.kind, spec.currency) for spec in (*before, *after)}) == 1
    if not moved or not one_way or not alike or before[0].kind not in MONEY_KINDS:
        return None
    return sum(_change(spec) for spec in after) / sum(moved)


def _change(spec: ActionSpec) -> int:
    """Value less what it is now, minor units; 0 for what is no money."""
    return spec.value - (spec.expect or 0) if spec.kind in MONEY_KINDS else 0


def _scaled(expected: Expected, share: float) -> Expected:
    ends = sorted((round(expected.low * share), round(expected.high * share)))
    return Expected(value=round(expected.value * share), low=ends[0], high=ends[1], currency=expected.currency)


def _narrowed(plan: Measurement, specs: Sequence[ActionSpec], tree: EntityTree) -> Measurement:
    """The plan over the units that still change; with fewer of them only larger effects can be seen.

    The smallest visible effect grows with the root of the share of units that is left: a mean over fewer is noisier.
    """
    touched = {step for spec in specs if _change(spec) and spec.entity for step in tree.chain(spec.entity)}
    treated = tuple(unit for unit in plan.treated if unit in touched)
    if not treated or len(treated) == len(plan.treated):
        return plan
    wider = math.sqrt(len(plan.treated) / len(treated))
    mde = None if plan.mde_rate is None else plan.mde_rate * wider
    return plan.model_copy(update={"treated": treated, "mde_rate": mde})
