"""One arbitration round: look, connect, weigh, propose; then one transaction, or nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agents.arbitrate import Choice, promotes
from agents.graph import Thought, think
from agents.guidance import read_notes, recent_since
from agents.judgement import ROLLING_DAY, facts_now, why_void
from agents.pools import Recent
from agents.propose import propose
from domain.audit import Fact
from domain.canaries import draw, planted
from domain.guidance import Guidance
from domain.ids import derive_id
from domain.lifecycle import due_at
from domain.limits import breach
from domain.policy import Facts, VerdictKind
from domain.ports import Context, View
from domain.proposals import Candidate, Proposal, ProposalStatus, again, again_id, proposal_id
from domain.record import Moment, Record
from domain.situations import Finding, Situation, situation_id
from memory.rounds import RoundMark
from memory.situations import finding_digest

if TYPE_CHECKING:
    from agents.parts import Runtime

STALE = timedelta(days=28)
"""A situation that no detector has seen for so long is closed once nothing of it is pending or measured."""
ASKED = 3
"""How often the same thing is asked when nobody answers."""
_one_round = threading.Lock()


class RoundReport(Record):
    """What a round saw and did."""

    id: str
    at: Moment
    signals: int
    findings: int
    opened: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    voided: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    committed: bool
    """False when another worker's round came first; nothing was written then."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Situations of this round: changed ones (to be written) and all that are open."""

    opened: tuple[Situation, ...]
    renewed: tuple[Situation, ...]
    open: tuple[Situation, ...]


def run_round(runtime: Runtime, *, use_model: bool = False) -> RoundReport:
    """Run one round on everything known at this moment and commit it; then wake what it authorised."""
    with _one_round:
        now = runtime.clock.now()
        previous = runtime.store.rounds.last()
        view = runtime.store.view(now)
        outside = view.outside()
        mark = RoundMark(derive_id("rnd", previous.id if previous else "", view.seq, now), now, view.seq)
        findings = [finding for detector in runtime.detectors for finding in detector.find(view)]
        findings += () if outside is None else _only_outside(runtime, outside, findings)
        seen = _open_and_renew(runtime, findings, now)
        voided = _void_stale(runtime, view)
        thought = think(
            runtime.graph,
            seen.open,
            _context(runtime, view),
            runtime.settings.language,
            recent=_recent(runtime, now),
            use_model=use_model,
        )
        thought = _doubted(thought, view, outside)
        proposals = _propose(runtime, view, thought)
        proposals += _canaries(runtime, proposals, view)
        committed = runtime.store.rounds.commit(
            mark,
            previous=previous.id if previous else None,
            situations=_as_read(seen, thought),
            findings=findings,
            proposals=proposals,
            facts=_facts(seen, proposals, now),
            due={action.id: due_at(p, action, now) for p in proposals for action in p.actions},
        )
        closed = _close_old(runtime, seen.open, findings, now) if committed else ()
    runtime.driver.wake([action.id for p in proposals for action in p.actions])
    return RoundReport(
        id=mark.id,
        at=now,
        signals=mark.signal_seq - (previous.signal_seq if previous else 0),
        findings=len(findings),
        opened=tuple(s.id for s in seen.opened),
        renewed=tuple(s.id for s in seen.renewed),
        proposed=tuple(p.id for p in proposals),
        voided=voided,
        closed=closed,
        committed=committed,
    )


def _only_outside(runtime: Runtime, outside: View, known: Sequence[Finding]) -> list[Finding]:
    """What shows only with what untrusted senders told: kept apart under names of its own, and marked.

    So what runs by itself rests on findings that were made without a word of theirs (DESIGN D9).
    """
    keys = {finding.key for finding in known}
    found = (finding for detector in runtime.outside_detectors for finding in detector.find(outside))
    return [
        finding.model_copy(update={"key": f"outside:{finding.key}", "trust": "external"})
        for finding in found
        if finding.key not in keys
    ]


def _doubted(thought: Thought, view: View, outside: View | None) -> Thought:
    """A limit of an untrusted sender binds nothing; what would pass it is asked instead of done."""
    if outside is None:
        return thought
    told = [limit for limit in outside.limits() if limit not in view.limits()]

    def doubt(choice: Choice) -> Choice:
        passed = any(breach(spec, told, view.tree, view.now) for spec in choice.candidate.specs)
        return replace(choice, candidate=choice.candidate.model_copy(update={"tainted": True})) if passed else choice

    return replace(thought, choices=tuple(map(doubt, thought.choices)))


def _open_and_renew(runtime: Runtime, findings: Sequence[Finding], now: datetime) -> _Seen:
    """Findings as situations; an unchanged finding changes nothing, and old news open nothing."""
    digests = runtime.store.situations.digests()
    known = {situation.id: situation for situation in runtime.store.situations.open()}
    opened: list[Situation] = []
    renewed: list[Situation] = []
    for finding in findings:
        if digests.get(finding.key) == finding_digest(finding):
            continue
        before = known.get(situation_id(finding.key))
        if before is not None:
            renewed.append(before.renew(finding, now))
        elif finding.key not in digests:
            opened.append(Situation.open(finding, now))
    everything = known | {situation.id: situation for situation in (*opened, *renewed)}
    return _Seen(tuple(opened), tuple(renewed), tuple(everything[key] for key in sorted(everything)))


def _context(runtime: Runtime, view: View) -> Context:
    return Context(
        view=view,
        objective=runtime.settings.objective,
        limits=runtime.policies.current().limits,
        state=runtime.tools.states(view.tree),
        lessons=runtime.store.outcomes.lessons(),
    )


def _recent(runtime: Runtime, now: datetime) -> Recent:
    """What is under way: a second change of an entity or a unit would blur a decision or a measurement."""
    # Asked for before the last changes: what is executed in between stands in one of the two.
    waiting = {runtime.store.actions.get(name).proposal for name in runtime.store.actions.waiting()}
    measured = [runtime.store.proposals.get(name) for name in _measured(runtime)]
    asked = [proposal for proposal in map(runtime.store.proposals.get, sorted(waiting)) if proposal.canary is None]
    under_way = [*asked, *measured]
    busy = {action.spec.entity for p in under_way for action in p.actions if action.spec.entity}
    busy.update(unit for p in under_way for unit in p.measurement.treated)
    return Recent(
        moved_24h_minor=runtime.store.actions.moved_since(now - ROLLING_DAY),
        last_change=runtime.store.actions.last_changes(),
        busy=frozenset(busy),
        controls=tuple(frozenset(p.measurement.control) - busy for p in measured if p.measurement.control),
    )


def _measured(runtime: Runtime) -> list[str]:
    """Proposals with an executed action whose effect is yet to be measured."""
    return sorted({action.proposal for action in runtime.store.actions.measuring()})


def _propose(runtime: Runtime, view: View, thought: Thought) -> list[Proposal]:
    policy = runtime.policies.current()
    facts = facts_now(runtime, view)
    states = runtime.tools.states(view.tree)
    proposals: list[Proposal] = []
    for choice in thought.choices:
        generation = _generation(runtime, choice.candidate, policy.version)
        if generation is None:
            continue
        # Read-only mode stops effects, not proposals: what is approved meanwhile waits for it to end.
        tainted, demanded = choice.candidate.tainted, choice.candidate.mandatory
        judged = replace(facts, tainted=tainted, demanded=demanded, read_only=False)
        proposal = _settled(again(propose(choice, policy, judged, states), generation))
        proposals.append(proposal)
        if proposal.verdict.kind is VerdictKind.AUTO:
            moved = facts.moved_24h_minor + sum(action.spec.delta_minor for action in proposal.actions)
            facts = replace(facts, moved_24h_minor=moved)
    return proposals


def _canaries(runtime: Runtime, proposals: Sequence[Proposal], view: View) -> list[Proposal]:
    """A copy with a planted fault for the share of the asked ones that the settings wish for."""
    rate = runtime.settings.approvals.canary_rate
    if not rate:
        return []
    states, key = runtime.tools.states(view.tree), runtime.store.database.audit_key
    lucky = [(each, draw(each.id, key)) for each in proposals if each.status is ProposalStatus.PENDING]
    made = [planted(each, states, luck / rate) for each, luck in lucky if luck < rate]
    return [canary for canary in made if canary is not None]


def _generation(runtime: Runtime, candidate: Candidate, policy_version: str) -> int | None:
    """How often the same choice lapsed before; None when it stands, was decided, or policy still denies it.

    After `ASKED` questions without an answer the silence is taken for one.
    """
    generation, unanswered = 0, 0
    while True:
        before = runtime.store.proposals.find(again_id(proposal_id(candidate), generation))
        if before is None:
            return generation
        lapsed = before.status is ProposalStatus.EXPIRED or (
            before.status is ProposalStatus.VOID
            and not (before.verdict.kind is VerdictKind.DENY and before.policy_version == policy_version)
        )
        unanswered += before.status is ProposalStatus.EXPIRED
        if not lapsed or unanswered >= ASKED:
            return None
        generation += 1


def _settled(proposal: Proposal) -> Proposal:
    """What policy lets run is approved by its rule; what it denies is void, and kept to be seen."""
    match proposal.verdict.kind:
        case VerdictKind.AUTO:
            by = f"rule:{proposal.verdict.rule}"
            actions = tuple(action.model_copy(update={"authorised_by": by}) for action in proposal.actions)
            return proposal.model_copy(update={"status": ProposalStatus.APPROVED, "actions": actions})
        case VerdictKind.DENY:
            detail = f"policy denies it: {proposal.verdict.reason} ({proposal.verdict.rule})"
            return proposal.model_copy(update={"status": ProposalStatus.VOID, "detail": detail})
        case VerdictKind.ASK:
            return proposal


def _void_stale(runtime: Runtime, view: View) -> tuple[str, ...]:
    """Pending proposals that policy, a limit, a note or a changed state no longer allows are void at once."""
    facts = facts_now(runtime, view)
    states = runtime.tools.states(view.tree)
    notes = read_notes(view.notes(recent_since(view.now)), view.tree)
    guidance = [note for note in notes if note.trust == "internal"]
    voided: list[str] = []
    for proposal in runtime.store.proposals.pending():
        reason = why_void(runtime, proposal, facts, states) or _told_otherwise(proposal, guidance, facts)
        if reason is None:
            continue
        said = Fact(
            at=facts.now, actor="worker", verb="proposal.voided", subject=proposal.id, facts={"because": reason}
        )
        if runtime.store.proposals.move(
            proposal.id, ProposalStatus.PENDING, ProposalStatus.VOID, facts=[said], detail=reason
        ):
            voided.append(proposal.id)
            runtime.driver.wake([action.id for action in proposal.actions])
    return tuple(voided)


def _told_otherwise(proposal: Proposal, guidance: Sequence[Guidance], facts: Facts) -> str | None:
    """A note of our own people against one of its entities, heard after it was proposed."""
    for note in guidance if not proposal.mandatory else ():
        for action in proposal.actions:
            against = note.stance == "hold" or (note.stance == "avoid" and promotes(action.spec))
            if against and action.spec.entity and note.speaks_of(action.spec.entity, facts.tree, facts.now):
                return f"a note says otherwise: “{note.quote}”"
    return None


def _as_read(seen: _Seen, thought: Thought) -> list[Situation]:
    """The changed situations with what the graph read into them: hypotheses and recalled context."""
    changed = {situation.id for situation in (*seen.opened, *seen.renewed)}
    return [situation for situation in thought.situations if situation.id in changed]


def _facts(seen: _Seen, proposals: Iterable[Proposal], now: datetime) -> list[Fact]:
    opened = [
        Fact(at=now, actor="worker", verb="situation.opened", subject=s.id, facts={"kind": s.kind, "key": s.key})
        for s in seen.opened
    ]
    return [*opened, *(_created(proposal, now) for proposal in proposals)]


def _created(proposal: Proposal, now: datetime) -> Fact:
    return Fact(
        at=now,
        actor="worker",
        verb="proposal.created",
        subject=proposal.id,
        facts={
            "situation": proposal.situation,
            "verdict": proposal.verdict.kind,
            "rule": proposal.verdict.rule,
            "policy_version": proposal.policy_version,
            "fingerprint": proposal.fingerprint,
            "arguments": [action.spec.argument_hash for action in proposal.actions],
        },
    )


def _close_old(
    runtime: Runtime, situations: Iterable[Situation], findings: Iterable[Finding], now: datetime
) -> tuple[str, ...]:
    """Situations nobody sees any more, of which nothing is pending or being measured, are over."""
    alive = {situation_id(finding.key) for finding in findings}
    alive |= {runtime.store.proposals.get(name).situation for name in _measured(runtime)}
    alive |= {proposal.situation for proposal in runtime.store.proposals.pending()}
    closed = [s.id for s in situations if s.id not in alive and s.updated_at < now - STALE]
    for situation in closed:
        runtime.store.situations.close(situation, now)
    return tuple(closed)
