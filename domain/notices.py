"""Notices: what people are told outside the pages, each once. Pure: who is to be told what; sending is done elsewhere.

A notice is derived from what stands in the store, under an id of its own: whoever was to be told before a crash is
found again after it, and nobody is queued twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from domain.actions import ActionStatus
from domain.decisions import Person
from domain.delegations import Delegation
from domain.ids import derive_id
from domain.lifecycle import agreed
from domain.policy import VerdictKind
from domain.proposals import Proposal, ProposalStatus
from domain.questions import Question
from domain.record import Moment, Record

NoticeKind = Literal["asked", "escalated", "expiring", "done", "question", "answer", "card"]
NoticeStatus = Literal["waiting", "sent", "open", "over", "failed"]
"""`open` is a card that was sent and may still change; `over` was closed, or overtaken before it was sent."""
SOON_SHARE = 1 / 4
"""Share of the time to answer that is left when people are reminded."""
ADMIN = "admin"


class Notice(Record):
    """One thing one receiver is told. A `card` stays open and is brought up to date until nothing more can happen."""

    id: str
    kind: NoticeKind
    way: Literal["mail", "slack"]
    to: str
    """A person's id, or a Slack channel."""
    proposal: str
    about: str = ""
    """Id of the question that it tells of."""
    status: NoticeStatus = "waiting"
    attempts: int = 0
    queued_at: Moment
    due_at: Moment
    sent_at: Moment | None = None
    place: str = ""
    """Where it can be found there: `channel:ts` of a Slack message."""
    shown: str = ""
    """Digest of what a card shows."""
    detail: str = ""
    """Why it could not be sent."""


def asked(proposal: Proposal, people: Sequence[Person], delegations: Iterable[Delegation], now: datetime) -> list[str]:
    """Ids of those whose answer is waited for: the roles' holders, who stands in for them, else the administrators.

    Left out is who has answered this version, and who asked for it.
    """
    named = set(proposal.verdict.roles)
    if proposal.escalated and proposal.verdict.escalate_to:
        named.add(proposal.verdict.escalate_to)
    holders = _holders(people, named)
    stand_ins = {each.to for each in delegations if each.person in holders and each.in_force(now)}
    spoken = {voice for decision in agreed(proposal) for voice in decision.voices}
    return sorted((holders | stand_ins) - spoken - set(proposal.requested_by))


def _holders(people: Sequence[Person], roles: Iterable[str]) -> set[str]:
    wanted = set(roles)
    return {person.id for person in people if wanted & person.roles} or {p.id for p in people if ADMIN in p.roles}


def due_notices(
    proposal: Proposal, people: Sequence[Person], delegations: Sequence[Delegation], now: datetime
) -> list[Notice]:
    """Everything that has to be written to people about `proposal` by `now`, also what was sent long ago."""
    if (
        proposal.status is ProposalStatus.PENDING
        and proposal.verdict.kind is VerdictKind.ASK
        and now < proposal.expires_at
    ):
        return [
            _mail(kind, person, proposal, now, version)
            for kind, version in _reasons(proposal, now)
            for person in asked(proposal, people, delegations, now)
        ]
    if proposal.status is ProposalStatus.APPROVED and proposal.verdict.notify and _done_by_rule(proposal):
        return [
            _mail("done", person, proposal, now, "") for person in sorted(_holders(people, proposal.verdict.notify))
        ]
    return []


def _reasons(proposal: Proposal, now: datetime) -> list[tuple[NoticeKind, str]]:
    """Why people are written to about a pending proposal, and the version of it that makes a reason new."""
    found: list[tuple[NoticeKind, str]] = [("asked", proposal.fingerprint)]
    if proposal.escalated:
        found = [("escalated", proposal.fingerprint)]
    if now >= proposal.expires_at - (proposal.expires_at - proposal.created_at) * SOON_SHARE:
        found.append(("expiring", f"{proposal.fingerprint}@{proposal.expires_at.isoformat()}"))
    return found


def _done_by_rule(proposal: Proposal) -> bool:
    by_rule = [action for action in proposal.actions if (action.authorised_by or "").startswith("rule:")]
    return bool(by_rule) and all(action.status is ActionStatus.DONE for action in by_rule)


def about_question(question: Question, asker: str | None, people: Sequence[Person], now: datetime) -> list[Notice]:
    """Notices of a question to whom it names (a person or a role), and of an answer to who had asked."""
    if question.kind == "answer":
        to = {asker} if asker and asker != question.by else set[str]()
    else:
        named = {person.id for person in people if question.to and (question.to == person.id)}
        to = (named or (_holders(people, [question.to]) if question.to else set())) - {question.by}
    known = {person.id for person in people}
    return [
        Notice(
            id=derive_id("msg", "mail", question.id, person),
            kind=question.kind,
            way="mail",
            to=person,
            proposal=question.proposal,
            about=question.id,
            queued_at=now,
            due_at=now,
        )
        for person in sorted(to & known)
    ]


def _mail(kind: NoticeKind, person: str, proposal: Proposal, now: datetime, version: str) -> Notice:
    return Notice(
        id=derive_id("msg", "mail", kind, person, proposal.id, version),
        kind=kind,
        way="mail",
        to=person,
        proposal=proposal.id,
        queued_at=now,
        due_at=now,
    )


def card_notice(proposal: Proposal, channel: str, now: datetime) -> Notice:
    """The one card of `proposal` in a Slack channel."""
    return Notice(
        id=derive_id("msg", "slack", channel, proposal.id),
        kind="card",
        way="slack",
        to=channel,
        proposal=proposal.id,
        queued_at=now,
        due_at=now,
    )


def backoff(attempts: int) -> timedelta:
    """Wait before the next attempt: half a minute, doubled each time, at most an hour."""
    return timedelta(seconds=min(30 * 2 ** max(0, attempts - 1), 3600))
