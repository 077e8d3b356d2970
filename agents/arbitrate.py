"""Chooses among all specialists' candidates: most expected contribution, risk counted, within what is shared.

Score of a candidate = value − RISK_AVERSION × (value − low) over the objective's horizon, minor units: the expected
contribution pulled a quarter of the way towards the low end of its 90 % interval. Candidates that score 0 or less are
never chosen. Mandatory ones come first and are not weighed. The choice is a 0/1 programme solved exactly.

Untrusted text (notes from outside, candidates derived from it, anything a model said) is kept from the automatic set:
the choice is made once without it; what only appears with it, or what it speaks against, is marked tainted, so that
a person decides (DESIGN D9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from agents.pools import Pool, Recent, pools_of, signed_delta, unavailable
from domain.actions import ActionKind, ActionSpec
from domain.guidance import Guidance
from domain.ports import Context
from domain.proposals import Candidate
from domain.situations import Origin

RISK_AVERSION = 0.25
RANK_BOUND = 0.2
"""A model may move a candidate's score by at most this rate."""
FAVOUR = 0.1
"""A note that favours an entity lifts its candidates' scores by this rate: it decides among near equals."""
_TASK_SCORE = 1.0
"""Minor units: tasks and messages carry no expected money of their own, yet are better done than not."""


@dataclass(frozen=True, slots=True)
class Rank:
    """A model's view on candidates by `situation/key`: a rate within ±RANK_BOUND and why.

    `untrusted` when text from outside was in front of the model.
    """

    moves: Mapping[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen candidate with what else was weighed; `tainted` stands in the candidate.

    `worded_by` is the provider whose model wrote its words, None where rules did.
    """

    candidate: Candidate
    alternatives: tuple[str, ...] = ()
    origin: Origin = "rules"
    worded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Arbitration:
    """What was chosen, best first with mandatory ones in front, and why each other candidate lost."""

    chosen: tuple[Choice, ...]
    lost: Mapping[str, str] = field(default_factory=dict[str, str])


def label(candidate: Candidate) -> str:
    """Name of a candidate within a round."""
    return f"{candidate.situation}/{candidate.specialist}/{candidate.key}"


def score(candidate: Candidate) -> float:
    """Expected contribution with risk counted, minor units (formula in the module's docstring)."""
    expected = candidate.expected
    adjusted = expected.value - RISK_AVERSION * max(0, expected.value - expected.low)
    if expected.value == expected.low == expected.high == 0 and not _moves_money(candidate):
        return _TASK_SCORE
    return adjusted


def _moves_money(candidate: Candidate) -> bool:
    return any(spec.delta_minor for spec in candidate.specs) or candidate.cost_minor > 0


def arbitrate(
    candidates: Sequence[Candidate],
    context: Context,
    recent: Recent | None = None,
    *,
    guidance: Sequence[Guidance] = (),
    rank: Rank | None = None,
) -> Arbitration:
    """The best set under all shared bounds; see the module's docstring for how trust is kept."""
    recent, rank = recent or Recent(), rank or Rank()
    # Of two candidates of one name the untainted one stands: untrusted text must not replace it.
    named = {label(c): c for c in sorted(candidates, key=lambda c: not c.tainted)}
    ordered = sorted(named.values(), key=lambda c: (not c.mandatory, -score(c), label(c)))
    round_ = _Round(ordered, context, recent, guidance, rank)
    return round_.result()


@dataclass(slots=True)
class _Round:
    """One arbitration over `ordered` candidates; sets of positions name choices."""

    ordered: list[Candidate]
    context: Context
    recent: Recent
    guidance: Sequence[Guidance]
    rank: Rank
    lost: dict[int, str] = field(default_factory=dict[int, str])

    def result(self) -> Arbitration:
        plain = [g for g in self.guidance if g.trust == "internal" and g.origin == "rules"]
        inside = [g for g in self.guidance if g.trust == "internal"]
        outside = [g for g in self.guidance if g.trust == "external"]
        clean = [place for place, candidate in enumerate(self.ordered) if not candidate.tainted]
        trusted = self._solve(clean, plain, Rank())
        informed = self._solve(clean, inside, self.rank)
        base = trusted if self.rank.untrusted else informed
        final = self._solve(range(len(self.ordered)), inside, self.rank, fixed=base)
        for place in set(range(len(self.ordered))) - final:
            self.lost[place] = self._why_lost(place, final, inside)
        doubted = {place for place in final if place not in trusted or place not in informed}
        doubted |= {place for place in final if self._veto(place, outside)}
        return self._written(sorted(final), doubted)

    def _solve(
        self,
        places: Sequence[int] | range,
        guidance: Sequence[Guidance],
        rank: Rank,
        fixed: frozenset[int] = frozenset(),
    ) -> frozenset[int]:
        """Positions chosen among `places`; those in `fixed` stay whatever the others are worth."""
        open_ = [
            place
            for place in places
            if place in fixed
            or (not self._veto(place, guidance) and unavailable(self.ordered[place], self.context, self.recent) is None)
        ]
        candidates = [self.ordered[place] for place in open_]
        scores = [self._score(candidate, guidance, rank) for candidate in candidates]
        must = {at for at, place in enumerate(open_) if place in fixed or self._demanded(place)}
        pools = pools_of(candidates, self.context, self.recent)
        return frozenset(open_[at] for at in solve(scores, pools, must))

    def _demanded(self, place: int) -> bool:
        """Untrusted text cannot demand: a tainted candidate is weighed like any other."""
        return self.ordered[place].mandatory and not self.ordered[place].tainted

    def _score(self, candidate: Candidate, guidance: Sequence[Guidance], rank: Rank) -> float:
        base = score(candidate)
        move = max(-RANK_BOUND, min(RANK_BOUND, rank.moves.get(label(candidate), (0.0, ""))[0]))
        favoured = any(g.stance == "favour" and self._touches(g, candidate.specs) for g in guidance)
        return base + abs(base) * (move + (FAVOUR if favoured else 0.0))

    def _veto(self, place: int, guidance: Sequence[Guidance]) -> Guidance | None:
        """The note that forbids the candidate: `hold` any change, `avoid` any push. Mandatory ones are above notes."""
        candidate = self.ordered[place]
        if candidate.mandatory:
            return None
        for note in guidance:
            pushed = [spec for spec in candidate.specs if note.stance == "hold" or promotes(spec)]
            if note.stance != "favour" and self._touches(note, pushed):
                return note
        return None

    def _touches(self, note: Guidance, specs: Sequence[ActionSpec]) -> bool:
        view = self.context.view
        return any(spec.entity is not None and note.speaks_of(spec.entity, view.tree, view.now) for spec in specs)

    def _why_lost(self, place: int, final: frozenset[int], guidance: Sequence[Guidance]) -> str:
        candidate = self.ordered[place]
        if note := self._veto(place, guidance):
            return f"{candidate.title}: a note says “{note.quote[:120]}”."
        if reason := unavailable(candidate, self.context, self.recent):
            return f"{candidate.title}: {reason}."
        if score(candidate) <= 0:
            return f"{candidate.title}: expected to bring less than it may cost."
        both = sorted({*final, place})
        for pool in pools_of([self.ordered[at] for at in both], self.context, self.recent):
            if pool.loads.get(both.index(place)) and sum(pool.loads.values()) > pool.room + 1e-6:
                return f"{candidate.title}: {pool.full}."
        return f"{candidate.title}: brings less than what was chosen."

    def _written(self, final: list[int], doubted: set[int]) -> Arbitration:
        chosen: list[Choice] = []
        for place in final:
            candidate = self.ordered[place]
            rivals = [why for at, why in sorted(self.lost.items()) if self.ordered[at].situation == candidate.situation]
            moved = label(candidate) in self.rank.moves and place in doubted
            tainted = candidate.tainted or place in doubted
            kept = candidate.model_copy(update={"tainted": tainted})
            chosen.append(Choice(kept, tuple(rivals[:5]), "model" if moved else "rules"))
        return Arbitration(tuple(chosen), {label(self.ordered[at]): why for at, why in self.lost.items()})


def promotes(spec: ActionSpec) -> bool:
    """Whether the action pushes its entity: more money, a higher bid or priority, switched on, played harder."""
    match spec.kind:
        case ActionKind.BUDGET_SET:
            return signed_delta(spec) > 0
        case ActionKind.BID_SET | ActionKind.PRIORITY_SET:
            return int(spec.value) > int(spec.expect or 0)
        case ActionKind.STATUS_SET:
            return spec.value == "active"
        case ActionKind.PLAY_SET:
            return spec.value != "pause"
        case _:
            return spec.kind not in {ActionKind.TASK_CREATE, ActionKind.MESSAGE_POST}


def solve(scores: Sequence[float], pools: Sequence[Pool], must: set[int]) -> list[int]:
    """Positions of the best subset: scores summed, every pool within its room, those in `must` included.

    Exact by HiGHS; should it find none (mandatory ones that exclude each other), the best-first choice stands in.
    """
    count = len(scores)
    if not count:
        return []
    tight = [pool for pool in pools if sum(max(0.0, load) for load in pool.loads.values()) > pool.room]
    wanted = [at for at in range(count) if at in must or scores[at] > 0]
    if not tight:
        return wanted
    chosen = _milp(scores, tight, must)
    return _best_first(scores, pools, must) if chosen is None else chosen


def _milp(scores: Sequence[float], pools: Sequence[Pool], must: set[int]) -> list[int] | None:
    import numpy as np
    from scipy import optimize

    count = len(scores)
    loads = np.zeros((len(pools), count))
    for row, pool in enumerate(pools):
        for at, load in pool.loads.items():
            loads[row, at] = load
    lower = np.array([1.0 if at in must else 0.0 for at in range(count)])
    upper = np.array([1.0 if at in must or scores[at] > 0 else 0.0 for at in range(count)])
    # The earlier of two equals wins, so that the same round always gives the same choice.
    cost = -np.array([value - 1e-6 * at for at, value in enumerate(scores)])
    solved: Any = optimize.milp(
        cost,
        integrality=np.ones(count),
        bounds=cast("Any", optimize.Bounds)(lower, upper),
        constraints=cast("Any", optimize.LinearConstraint)(
            loads, -np.inf, np.array([pool.room + 1e-6 for pool in pools])
        ),
    )
    return None if solved.x is None else [at for at in range(count) if solved.x[at] > 0.5]


def _best_first(scores: Sequence[float], pools: Sequence[Pool], must: set[int]) -> list[int]:
    taken: list[int] = []
    for at in sorted(range(len(scores)), key=lambda at: (at not in must, -scores[at], at)):
        trial = [*taken, at]
        fits = all(sum(pool.loads.get(member, 0.0) for member in trial) <= pool.room + 1e-6 for pool in pools)
        if fits and (at in must or scores[at] > 0):
            taken = trial
    return sorted(taken)
