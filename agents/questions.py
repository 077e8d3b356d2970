"""Asking about a proposal before deciding, and answering. The first question of somebody who may decide buys time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from agents.people import absent_people, known_people
from domain.audit import Fact
from domain.decisions import Channel, Person
from domain.errors import Conflict, Forbidden, InputError, NotFound
from domain.lifecycle import already, seat_of, wanted_roles
from domain.proposals import Proposal, ProposalStatus
from domain.questions import LONGEST, Question, question_id

if TYPE_CHECKING:
    from agents.parts import Runtime


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody says: a question, perhaps to a person or role, or the answer to the question `answers`."""

    text: str
    to: str | None = None
    answers: str | None = None


def ask(
    runtime: Runtime, proposal_id: str, remark: Remark, person: Person, *, channel: Channel = "api"
) -> list[Question]:
    """The thread with `remark` in it; the same words twice are said once.

    The first question of somebody who may decide gives the proposal its time to answer anew, once: it then expires
    `expires_h` of its rule after the question. Raises NotFound, also for somebody to ask who is not known, Conflict
    for a question about what is decided, InputError for an empty remark or one that is too long.
    """
    proposal, now = runtime.store.proposals.get(proposal_id), runtime.clock.now()
    text = _words(remark)
    _refuse_unknown(runtime, proposal, remark.to)
    kind = "question" if remark.answers is None else "answer"
    if remark.answers is not None:
        asked = runtime.store.questions.find(remark.answers)
        if asked is None or asked.proposal != proposal_id or asked.kind != "question":
            raise NotFound(f"There is no question {remark.answers!r} about {proposal_id}. See its `questions`.")
    elif proposal.status is not ProposalStatus.PENDING:
        raise already(proposal)
    elif now >= proposal.expires_at:
        raise Conflict(f"{proposal_id} expired at {proposal.expires_at.isoformat()}. Wait for the next proposal.")
    said = Question(
        id=question_id(proposal_id, person.id, text, remark.answers),
        proposal=proposal_id,
        kind=kind,
        by=person.id,
        to=remark.to or None,
        text=text,
        answers=remark.answers,
        at=now,
        channel=channel,
    )
    until = None
    if kind == "question" and not proposal.extended and _may_decide(runtime, proposal, person):
        until = now + timedelta(hours=proposal.verdict.expires_h)
    facts = {"question": said.id, "to": said.to, "text": text, "channel": channel}
    fact = Fact(at=now, actor=f"person:{person.id}", verb=f"{kind}.said", subject=proposal_id, facts=facts)
    runtime.store.questions.add(said, until=until, facts=[fact])
    return runtime.store.questions.of(proposal_id)


def _words(remark: Remark) -> str:
    """What is said, without the space around it. Raises InputError when it is empty or too long."""
    text = remark.text.strip()
    if not text:
        raise InputError("A question needs words. Write what you want to know.")
    if len(text) > LONGEST:
        raise InputError(f"A remark of {len(text)} characters is too long; {LONGEST} are kept. Shorten it.")
    return text


def _refuse_unknown(runtime: Runtime, proposal: Proposal, to: str | None) -> None:
    """Raises NotFound for somebody to ask who is neither a person nor a role: nobody would be written to."""
    people = known_people(runtime)
    roles = {role for person in people.values() for role in person.roles} | wanted_roles(proposal)
    if to and to not in people and to not in roles:
        raise NotFound(f"Nobody is called {to!r} here, and no role is. Ask {', '.join(sorted(roles)) or 'a person'}.")


def _may_decide(runtime: Runtime, proposal: Proposal, person: Person) -> bool:
    try:
        seat_of(proposal, person, absent_people(runtime, person, runtime.clock.now()))
    except Forbidden:
        return False
    return True
