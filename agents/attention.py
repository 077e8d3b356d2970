"""Whether people still read what they approve: how much each is asked, how fast and how alike they answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from domain.canaries import caught
from domain.decisions import Decision, DecisionKind
from domain.proposals import Proposal
from domain.record import Record
from memory.track import Mark, Track

if TYPE_CHECKING:
    from agents.parts import Runtime

_ANSWERS = frozenset({DecisionKind.APPROVE, DecisionKind.MODIFY, DecisionKind.REJECT})


class Attention(Record):
    """The answers of one person. Many, fast and alike is fatigue; a missed canary is a fact."""

    person: str
    answers: int
    approve_rate: float
    """Approved as proposed, of all answers to real proposals; 0 without one."""
    changed: int
    """Approved with other arguments."""
    median_s: float
    """From the proposal to the answer, seconds."""
    canaries: int
    """Proposals with a planted fault that the person answered."""
    canaries_caught: int


def attention(runtime: Runtime, days: int) -> list[Attention]:
    """The last `days` days, those who were asked most first."""
    since = runtime.clock.now() - timedelta(days=days)
    decided, _ = Track(runtime.store.database).decided(Mark())
    by_person: dict[str, list[tuple[Decision, Proposal]]] = defaultdict(list)
    for decision, proposal in decided:
        if decision.at >= since and decision.kind in _ANSWERS and not _undo(decision, proposal):
            by_person[decision.by].append((decision, proposal))
    found = [_of(person, answers) for person, answers in by_person.items()]
    return sorted(found, key=lambda each: (-each.answers, each.person))


def _undo(decision: Decision, proposal: Proposal) -> bool:
    """An undo is recorded as an approval by whoever asked for it, after the proposal was decided."""
    agreed = decision.kind is DecisionKind.APPROVE
    return agreed and decision.fingerprint != proposal.fingerprint and proposal.canary is None


def _of(person: str, answers: Sequence[tuple[Decision, Proposal]]) -> Attention:
    real = [decision for decision, proposal in answers if proposal.canary is None]
    canaries = [decision for decision, proposal in answers if proposal.canary is not None]
    approved = sum(decision.kind is DecisionKind.APPROVE for decision in real)
    return Attention(
        person=person,
        answers=len(answers),
        approve_rate=approved / len(real) if real else 0.0,
        changed=sum(decision.kind is DecisionKind.MODIFY for decision in real),
        median_s=median((decision.at - proposal.created_at).total_seconds() for decision, proposal in answers),
        canaries=len(canaries),
        canaries_caught=sum(map(caught, canaries)),
    )
