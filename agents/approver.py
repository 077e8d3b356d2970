"""The scripted approver of demo and simulation: answers as patient people would, after a delay, through `decide`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from agents.approve import decide
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.errors import Conflict, Forbidden
from domain.policy import VerdictKind
from domain.proposals import Proposal

if TYPE_CHECKING:
    from agents.parts import Runtime


def answer_pending(runtime: Runtime, delay: timedelta) -> int:
    """Answer every proposal that has waited for `delay`; returns how many answers were given.

    People approve what policy lets them, but refuse what rests on untrusted text, and what they are told
    may well lose money (expected value of 0 or less though it costs something).
    """
    answers = 0
    for proposal in runtime.store.proposals.pending():
        if proposal.verdict.kind is VerdictKind.ASK and runtime.clock.now() >= proposal.created_at + delay:
            answers += _answer(runtime, proposal)
    return answers


def _answer(runtime: Runtime, proposal: Proposal) -> int:
    kind, reason = _opinion(proposal)
    answers = 0
    for person in _asked(runtime, proposal):
        request = DecisionRequest(decision=kind, fingerprint=proposal.fingerprint, reason=reason)
        try:
            decide(runtime, proposal.id, request, person, channel="script")
        except (Conflict, Forbidden):
            return answers
        answers += 1
        if kind is DecisionKind.REJECT:
            break
    return answers


def _opinion(proposal: Proposal) -> tuple[DecisionKind, str]:
    if proposal.tainted:
        return DecisionKind.REJECT, "it rests on a text from outside that nobody here has confirmed"
    if proposal.cost_minor > 0 and proposal.expected.value <= 0:
        return DecisionKind.REJECT, "it costs more than it is expected to bring"
    return DecisionKind.APPROVE, ""


def _asked(runtime: Runtime, proposal: Proposal) -> list[Person]:
    """As many different people as the quorum asks, each with one of the roles; nobody when there are too few."""
    roles = set(proposal.verdict.roles)
    people = [p for p in runtime.settings.auth.people if not roles or roles & p.roles]
    return people[: proposal.verdict.quorum]
