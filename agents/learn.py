"""Lessons: what a measured outcome does to later expectations. Learnt from measurements only, never from text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.entities import EntityTree, kind_of
from domain.ids import derive_id
from domain.outcomes import Lesson, Outcome, OutcomeVerdict
from domain.proposals import Proposal

PRIOR_WEIGHT = 2.0
"""Measured outcomes that the neutral factor 1 counts for: the first result moves expectations by a third."""
BOUNDS = (0.1, 2.0)


def about(specialist: str, entity: str | None, tree: EntityTree) -> str:
    """What a lesson generalises over: the specialist and the channel (`demand:brand-search`), else the entity's kind."""
    chain = tree.chain(entity) if entity else ()
    channels = [above.partition(":")[2] for above in chain if kind_of(above) == "channel"]
    return f"{specialist}:{channels[0] if channels else kind_of(entity or 'company')}"


def lesson_from(
    outcome: Outcome, proposal: Proposal, lessons: Mapping[str, Lesson], tree: EntityTree, now: datetime
) -> Lesson | None:
    """The newest lesson after `outcome`; None when nothing was learnt (unknowable).

    The factor is a running mean of measured over expected value, shrunk towards 1 by `PRIOR_WEIGHT`.
    """
    if outcome.verdict is OutcomeVerdict.UNKNOWABLE:
        return None
    theme = about(proposal.specialist, proposal.actions[0].spec.entity, tree)
    before = lessons.get(theme)
    ratio = outcome.value_minor / outcome.expected_minor if outcome.expected_minor > 0 else 1.0
    ratio = min(max(ratio, -1.0), 3.0)
    prior = before.factor if before else 1.0
    factor = min(max((PRIOR_WEIGHT * prior + ratio) / (PRIOR_WEIGHT + 1), BOUNDS[0]), BOUNDS[1])
    text = (
        f"{proposal.title}: {outcome.verdict.value.replace('_', ' ')}; measured "
        f"{outcome.value_minor / 100:,.0f} against {outcome.expected_minor / 100:,.0f} {outcome.currency} expected "
        f"in the window. Expect {factor:.2f} of what the figures alone say."
    )
    return Lesson(id=derive_id("les", outcome.id), outcome=outcome.id, about=theme, text=text, factor=factor, at=now)
