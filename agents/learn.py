"""Lessons: what a measured outcome does to later expectations. Learnt from measurements only, never from text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.ids import derive_id
from domain.outcomes import Lesson, Outcome, OutcomeVerdict
from domain.proposals import Proposal

PRIOR_WEIGHT = 2.0
"""Measured outcomes that the neutral factor 1 counts for: the first result moves expectations by a third."""
BOUNDS = (0.1, 2.0)


def about(specialist: str, entity: str | None) -> str:
    """What a lesson generalises over: the specialist and the entity's family, `demand:brand-search`.

    A family is the entity's name without its last part, which names the place (`budget:brand-search-idf`).
    """
    name = (entity or "").partition(":")[2]
    return f"{specialist}:{name.rpartition('-')[0] or name or 'any'}"


def lesson_from(outcome: Outcome, proposal: Proposal, lessons: Mapping[str, Lesson], now: datetime) -> Lesson | None:
    """The newest lesson after `outcome`; None when nothing was learnt (unknowable).

    The factor is a running mean of measured over expected value, shrunk towards 1 by `PRIOR_WEIGHT`.
    """
    if outcome.verdict is OutcomeVerdict.UNKNOWABLE:
        return None
    theme = about(proposal.specialist, proposal.actions[0].spec.entity if proposal.actions else None)
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
