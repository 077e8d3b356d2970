"""Decisions of people: recorded first, by compare-and-set, then acted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from agents.judgement import facts_now, why_void
from agents.people import absent_people
from agents.propose import rejudge
from domain.actions import ActionSpec
from domain.audit import Fact
from domain.canaries import unmasked
from domain.decisions import Channel, Decision, DecisionKind, DecisionRequest, Person, decision_id
from domain.errors import AccordError, Conflict, Forbidden, InputError
from domain.lifecycle import Seat, after_approval, record_decision, refuse_unless_open, seat_of
from domain.lifecycle import decide as status_after
from domain.policy import VerdictKind
from domain.proposals import Proposal, ProposalStatus
from memory.crash import reached

if TYPE_CHECKING:
    from agents.parts import Runtime

MOST_AT_ONCE = 50
_AGREEING = frozenset({DecisionKind.APPROVE, DecisionKind.MODIFY})


@dataclass(frozen=True, slots=True)
class Voice:
    """Who answers and how: a person, where it came in, and the key it was sent with."""

    person: Person
    channel: Channel = "api"
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An answer that may be given: what stood, what will stand; `decision` is None for one that was given before."""

    before: Proposal
    after: Proposal
    decision: Decision | None


class _Void(Conflict):
    """Policy or the tools moved on; `reason` says how, as the end of a sentence."""

    def __init__(self, proposal: Proposal, reason: str) -> None:
        super().__init__(
            f"{proposal.id} is void: {reason}. Wait for the next round's proposal.", status=ProposalStatus.VOID
        )
        self.proposal, self.reason = proposal, reason


def decide(
    runtime: Runtime,
    proposal_id: str,
    request: DecisionRequest,
    person: Person,
    *,
    channel: Channel = "api",
    key: str | None = None,
) -> Proposal:
    """The proposal after `person`'s answer. While others are still asked, the same answer twice is one decision.

    Raises NotFound, Conflict (decided, expired, drifted, denied by policy), Forbidden, InputError.
    """
    reached("decision.received")
    try:
        prepared = _prepare(runtime, proposal_id, request, Voice(person, channel, key))
    except _Void as drifted:
        _void(runtime, drifted)
        raise
    stored = _record(runtime, prepared)
    _wake(runtime, [prepared])
    reached("decision.answered")
    return stored


def decide_all(runtime: Runtime, answers: Sequence[tuple[str, DecisionRequest]], voice: Voice) -> list[Proposal]:
    """The proposals after all of `answers`, or none of them: they are written in one transaction.

    Raises InputError when all faults are in the request, else Conflict; `errors` names each item that was refused.
    """
    _refuse_odd_batch(answers)
    prepared: list[_Prepared] = []
    faults: list[tuple[int, AccordError]] = []
    for place, (proposal_id, request) in enumerate(answers):
        try:
            prepared.append(_prepare(runtime, proposal_id, request, voice))
        except AccordError as error:
            faults.append((place, error))
    if faults:
        raise _refused(answers, faults)
    with runtime.store.alone("decision"):
        for place, each in enumerate(prepared):
            try:
                _record(runtime, each)
            except Conflict as error:
                raise _refused(answers, [(place, error)]) from error
    _wake(runtime, prepared)
    return [runtime.store.proposals.get(each.before.id) for each in prepared]


def _refuse_odd_batch(answers: Sequence[tuple[str, DecisionRequest]]) -> None:
    ids = [proposal for proposal, _ in answers]
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise InputError(f"{len(ids)} decisions were sent; 1 to {MOST_AT_ONCE} go together. Send them in parts.")
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise InputError(f"{twice[0]} stands twice. Decide once on each proposal.")
    if any(request.decision is DecisionKind.MODIFY for _, request in answers):
        raise InputError("`modify` does not go in a batch. Change that proposal by itself.")


def _refused(answers: Sequence[tuple[str, DecisionRequest]], faults: Sequence[tuple[int, AccordError]]) -> AccordError:
    """The refusal of a whole batch, with the reason of each item that stands in the way."""
    told = " ".join(f"{answers[place][0]}: {error.detail}" for place, error in faults[:3])
    kind = InputError if all(isinstance(error, InputError) for _, error in faults) else Conflict
    return kind(
        f"Nothing was decided: {len(faults)} of {len(answers)} cannot be. {told}",
        errors=[(f"decisions.{place}", f"{answers[place][0]}: {error.detail}") for place, error in faults],
    )


def recheck(runtime: Runtime, proposal_id: str, specs: Sequence[ActionSpec]) -> Proposal:
    """What the proposal would be with `specs`: verdict, checks, expectation. Nothing is written.

    Raises NotFound, Conflict when it no longer waits for answers, InputError when more than values changed.
    """
    before = runtime.store.proposals.get(proposal_id)
    refuse_unless_open(before, before.fingerprint, runtime.clock.now())
    return _changed(runtime, before, specs)


def _prepare(runtime: Runtime, proposal_id: str, request: DecisionRequest, voice: Voice) -> _Prepared:
    """Judges an answer without writing anything. Raises what `decide` raises."""
    now = runtime.clock.now()
    before = runtime.store.proposals.get(proposal_id)
    name = decision_id(proposal_id, voice.person.id, request.decision, request.fingerprint)
    pending = before.status is ProposalStatus.PENDING
    if pending and any(decision.id == name for decision in before.decisions) and _as_asked(before, request):
        return _Prepared(before, before, None)
    if voice.key is not None and voice.key in before.requested_by:
        raise Forbidden(f"The key {voice.key!r} asked for {proposal_id}, so it cannot decide on it. Use another one.")
    absent = absent_people(runtime, voice.person, now)
    status = status_after(before, request, voice.person, now, absent)
    _refuse_other_arguments(before, request)
    if request.decision is DecisionKind.ESCALATE and before.verdict.escalate_to is None:
        raise InputError(f"Rule {before.verdict.rule!r} names nobody to hand it on to. Approve or reject it.")
    if request.decision in _AGREEING:
        _refuse_if_void(runtime, before)
    seat = seat_of(before, voice.person, absent)
    decision = _decision(name, before, request, voice, seat, now)
    if before.canary is not None and request.decision is not DecisionKind.ESCALATE:
        return _Prepared(before, unmasked(before, decision), decision)
    if request.decision is DecisionKind.MODIFY and request.actions is not None:
        after = _modified(runtime, before, decision, request.actions, voice.person, absent)
    else:
        after = record_decision(before, decision, status)
    if request.decision is DecisionKind.ESCALATE:
        after = after.model_copy(update={"escalated": True})
    after = _authorised(after)
    return _Prepared(before, after, after.decisions[-1])


def _refuse_other_arguments(before: Proposal, request: DecisionRequest) -> None:
    """Raises InputError for arguments that an answer would pass over in silence."""
    if request.decision is DecisionKind.MODIFY or request.actions is None:
        return
    if not _same_arguments(before, request.actions):
        raise InputError(f"`{request.decision}` takes the actions as they stand. Give other values with `modify`.")


def _decision(
    name: str, before: Proposal, request: DecisionRequest, voice: Voice, seat: Seat, now: datetime
) -> Decision:
    return Decision(
        id=name,
        proposal=before.id,
        kind=request.decision,
        by=voice.person.id,
        role=seat.role,
        reason=request.reason,
        reason_code=request.reason_code,
        on_behalf_of=seat.on_behalf_of,
        fingerprint=request.fingerprint,
        at=now,
        channel=voice.channel,
    )


def _record(runtime: Runtime, prepared: _Prepared) -> Proposal:
    if prepared.decision is None:
        return prepared.before
    facts = _facts(prepared.decision, prepared.after)
    return runtime.store.proposals.decide(prepared.before, prepared.decision, prepared.after, facts=facts)


def _wake(runtime: Runtime, prepared: Sequence[_Prepared]) -> None:
    actions = [action.id for each in prepared for action in (*each.before.actions, *each.after.actions)]
    runtime.driver.wake(dict.fromkeys(actions))


def _as_asked(stored: Proposal, request: DecisionRequest) -> bool:
    """Whether `stored` holds the arguments of `request`, if it brings any: other ones are another answer."""
    return request.actions is None or _same_arguments(stored, request.actions)


def _same_arguments(proposal: Proposal, specs: Sequence[ActionSpec]) -> bool:
    return [action.spec.argument_hash for action in proposal.actions] == [spec.argument_hash for spec in specs]


def _refuse_if_void(runtime: Runtime, proposal: Proposal) -> None:
    """Raises when policy or the state of the tools moved on since it was made."""
    facts = facts_now(runtime)
    reason = why_void(runtime, proposal, facts, runtime.tools.states(facts.tree))
    if reason is not None:
        raise _Void(proposal, reason)


def _void(runtime: Runtime, drifted: _Void) -> None:
    name = drifted.proposal.id
    because = {"because": drifted.reason}
    said = Fact(at=runtime.clock.now(), actor="worker", verb="proposal.voided", subject=name, facts=because)
    runtime.store.proposals.move(name, ProposalStatus.PENDING, ProposalStatus.VOID, facts=[said], detail=drifted.reason)
    runtime.driver.wake([action.id for action in drifted.proposal.actions])


def _changed(runtime: Runtime, before: Proposal, specs: Sequence[ActionSpec]) -> Proposal:
    """The proposal with `specs`, judged and valued anew. Raises InputError when more than values changed."""
    given = [(spec.kind, spec.entity, spec.expect, spec.currency) for spec in specs]
    known = [action.spec for action in before.actions]
    if given != [(spec.kind, spec.entity, spec.expect, spec.currency) for spec in known]:
        raise InputError(
            "`modify` changes values only: give the same kinds and entities in the same order, with their `expect` and "
            "`currency`."
        )
    if any(spec.expect is not None for spec in specs) and all(spec.value == spec.expect for spec in specs):
        raise InputError("With these values nothing would change. Reject the proposal instead.")
    facts = replace(facts_now(runtime), read_only=False)
    return rejudge(before, tuple(specs), runtime.policies.current(), facts, runtime.tools.states(facts.tree))


def _modified(
    runtime: Runtime,
    before: Proposal,
    decision: Decision,
    specs: Sequence[ActionSpec],
    person: Person,
    absent: Sequence[Person],
) -> Proposal:
    """The proposal with the person's arguments; approved if policy lets this one person do that.

    Raises InputError when more than values changed, Conflict when policy denies the new arguments, Forbidden when
    it keeps them for other roles.
    """
    changed = _changed(runtime, before, specs)
    verdict = changed.verdict
    if verdict.kind is VerdictKind.DENY:
        raise Conflict(f"Policy denies the change: {verdict.reason} ({verdict.rule}). Change the arguments or reject.")
    seat = seat_of(changed, person, absent)
    status = after_approval(changed, person, seat)
    agreed = decision.model_copy(
        update={"fingerprint": changed.fingerprint, "role": seat.role, "on_behalf_of": seat.on_behalf_of}
    )
    return record_decision(changed, agreed, status)


def _authorised(proposal: Proposal) -> Proposal:
    """An approved proposal's actions name the decision that lets them run."""
    if proposal.status is not ProposalStatus.APPROVED:
        return proposal
    by = proposal.decisions[-1].id
    actions = tuple(action.model_copy(update={"authorised_by": by}) for action in proposal.actions)
    return proposal.model_copy(update={"actions": actions})


def _facts(decision: Decision, after: Proposal) -> list[Fact]:
    return [
        Fact(
            at=decision.at,
            actor=f"person:{decision.by}",
            verb="decision.recorded",
            subject=decision.proposal,
            facts={
                "decision": decision.id,
                "kind": decision.kind,
                "reason": decision.reason,
                "reason_code": decision.reason_code,
                "on_behalf_of": decision.on_behalf_of,
                "fingerprint": decision.fingerprint,
                "channel": decision.channel,
                "status": after.status,
                "arguments": [action.spec.argument_hash for action in after.actions],
            },
        )
    ]
