"""What a policy would have said of the last weeks' proposals: auto, ask or deny, and what would have moved by itself.

The proposals are those that were made. What would have run by itself counts as done when it was proposed, what would
have been asked as done when it really was, so that cooldowns and rolling sums are those of the policy looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agents.judgement import ROLLING_DAY, facts_now
from domain.policy import Facts, Policy, VerdictKind, in_objective, judge
from domain.proposals import Proposal
from domain.record import Moment, Record

if TYPE_CHECKING:
    from agents.parts import Runtime


class Reading(Record):
    """One proposal: what was said of it then, and what the policy would have said."""

    proposal: str
    title: str
    at: Moment
    was: VerdictKind
    would_be: VerdictKind
    rule: str
    reason: str


class Hindsight(Record):
    """Counts over all proposals since `since`; money in minor units of `currency`, by changes of budgets alone."""

    policy_version: str
    since: Moment
    until: Moment
    proposals: int
    was: dict[VerdictKind, int]
    would_be: dict[VerdictKind, int]
    by_rule: dict[str, int]
    currency: str
    moved_by_itself_minor: int
    most_in_a_day_minor: int
    changed: tuple[Reading, ...]
    """The proposals of which the verdict differs, oldest first."""


@dataclass(slots=True)
class _Past:
    """What had been done by a moment, in the world in which the policy held."""

    done: list[tuple[datetime, str | None, int]] = field(default_factory=list[tuple[datetime, str | None, int]])

    def before(self, facts: Facts) -> Facts:
        """`facts` with the sums and last changes as they stood then."""
        behind = [each for each in self.done if each[0] <= facts.now]
        recent = sum(minor for at, _, minor in behind if at > facts.now - ROLLING_DAY)
        last = {entity: at for at, entity, _ in sorted(behind, key=lambda each: each[0]) if entity is not None}
        return replace(facts, moved_24h_minor=recent, last_change=last)

    def most_in_a_day(self) -> int:
        """The largest sum within a rolling day."""
        sums = (sum(m for at, _, m in self.done if end - ROLLING_DAY < at <= end) for end, _, _ in self.done)
        return max(sums, default=0)


def look_back(runtime: Runtime, policy: Policy, days: int) -> Hindsight:
    """What `policy` would have said of every proposal of the last `days` days."""
    until = runtime.clock.now()
    since = until - timedelta(days=days)
    facts = replace(facts_now(runtime), known_kinds=None, read_only=False, shown=None)
    past, readings, by_itself = _Past(), list[Reading](), 0
    for proposal in sorted(_since(runtime, since), key=lambda each: (each.created_at, each.id)):
        reading = _read(runtime, policy, proposal, past.before(replace(facts, now=proposal.created_at)))
        done = list(_done(proposal, reading.would_be, facts))
        past.done.extend(done)
        by_itself += sum(minor for _, _, minor in done) if reading.would_be is VerdictKind.AUTO else 0
        readings.append(reading)
    return Hindsight(
        policy_version=policy.version,
        since=since,
        until=until,
        proposals=len(readings),
        was=_counted(reading.was for reading in readings),
        would_be=_counted(reading.would_be for reading in readings),
        by_rule=dict(sorted(Counter(reading.rule for reading in readings).items())),
        currency=facts.currency,
        moved_by_itself_minor=by_itself,
        most_in_a_day_minor=past.most_in_a_day(),
        changed=tuple(reading for reading in readings if reading.was is not reading.would_be),
    )


def _counted(verdicts: Iterator[VerdictKind]) -> dict[VerdictKind, int]:
    found = Counter(verdicts)
    return {kind: found[kind] for kind in VerdictKind}


def _since(runtime: Runtime, since: datetime) -> Iterator[Proposal]:
    cursor: str | None = None
    while True:
        page = runtime.store.proposals.page(limit=200, cursor=cursor)
        yield from (each for each in page.items if each.created_at >= since and each.canary is None)
        if page.next is None or page.items[-1].created_at < since:
            return
        cursor = page.next


def _read(runtime: Runtime, policy: Policy, proposal: Proposal, facts: Facts) -> Reading:
    specs = [action.spec for action in proposal.actions if action.undo_of is None]
    trust = runtime.track_record.levels(policy, until=facts.now)
    then = replace(facts, tainted=proposal.tainted, demanded=proposal.mandatory, trust=trust)
    verdict = judge(policy, specs, then)
    return Reading(
        proposal=proposal.id,
        title=proposal.title,
        at=proposal.created_at,
        was=proposal.verdict.kind,
        would_be=verdict.kind,
        rule=verdict.rule,
        reason=verdict.reason,
    )


def _done(proposal: Proposal, verdict: VerdictKind, facts: Facts) -> Iterator[tuple[datetime, str | None, int]]:
    """When each action would have changed something, and by how much money a day in the objective's currency."""
    for action in proposal.actions:
        asked = action.executed_at if verdict is VerdictKind.ASK else None
        at = proposal.created_at if verdict is VerdictKind.AUTO else asked
        if at is not None and action.undo_of is None:
            yield at, action.spec.entity, in_objective(action.spec, action.spec.delta_minor, facts) or 0
