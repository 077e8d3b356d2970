"""Lessons: what a measured outcome does to later expectations. Learnt from measurements only, never from text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.entities import EntityTree, kind_of
from domain.ids import derive_id
from domain.money import to_major
from domain.outcomes import Lesson, Outcome, OutcomeVerdict
from domain.proposals import Proposal

TOGETHER = "measured_together"
"""Method of an outcome whose effect is counted in that of another answer to the same situation."""
PRIOR_WEIGHT = 2.0
"""Outcomes that the former factor counts for: each result moves expectations by a third of its surprise."""
BOUNDS = (0.1, 2.0)


def about(specialist: str, entity: str | None, tree: EntityTree) -> str:
    """What a lesson generalises over: specialist and channel (`demand:brand-search`), else the entity's kind."""
    chain = tree.chain(entity) if entity else ()
    channels = [above.partition(":")[2] for above in chain if kind_of(above) == "channel"]
    return f"{specialist}:{channels[0] if channels else kind_of(entity or 'company')}"


def lesson_from(
    outcome: Outcome, proposal: Proposal, lessons: Mapping[str, Lesson], tree: EntityTree, now: datetime
) -> Lesson | None:
    """The newest lesson after `outcome`; None when nothing was learnt.

    Nothing is learnt from what is unknowable, or was measured together with another answer.

    The factor is an exponential mean of measured over expected value: the old one weighs `PRIOR_WEIGHT` to 1.
    """
    if outcome.verdict is OutcomeVerdict.UNKNOWABLE or outcome.method == TOGETHER:
        return None
    theme = about(proposal.specialist, proposal.actions[0].spec.entity, tree)
    before = lessons.get(theme)
    ratio = outcome.value_minor / outcome.expected_minor if outcome.expected_minor > 0 else 1.0
    ratio = min(max(ratio, -1.0), 3.0)
    prior = before.factor if before else 1.0
    factor = min(max((PRIOR_WEIGHT * prior + ratio) / (PRIOR_WEIGHT + 1), BOUNDS[0]), BOUNDS[1])
    text = (
        f"{proposal.title}: {outcome.verdict.value.replace('_', ' ')}; measured "
        f"{to_major(outcome.value_minor, outcome.currency):,.0f} against "
        f"{to_major(outcome.expected_minor, outcome.currency):,.0f} {outcome.currency} expected "
        f"in the window. Expect {factor:.2f} of what the figures alone say."
    )
    return Lesson(id=derive_id("les", outcome.id), outcome=outcome.id, about=theme, text=text, factor=factor, at=now)
