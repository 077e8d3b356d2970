"""Tells people outside the pages: finds what is due in the store, queues it, sends it, keeps cards up to date.

Everything is derived from what stands in the store, so that nothing is lost with a process. A notice may be sent twice
when the process dies, or its claim runs out, between the receiver's yes and our note of it: mails then carry the same
Message-ID.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING

from agents.notify.port import SlackCard, Ways, Writer
from agents.people import known_people
from domain.actions import ActionStatus
from domain.audit import Fact
from domain.decisions import Person
from domain.errors import AccordError, TransientError
from domain.ids import digest
from domain.lifecycle import next_move
from domain.notices import Notice, about_question, backoff, card_notice, due_notices
from domain.policy import VerdictKind
from domain.proposals import Proposal, ProposalStatus
from memory.crash import reached

if TYPE_CHECKING:
    from agents.clock import Clock
    from agents.parts import Runtime

log = logging.getLogger(__name__)

EVERY_S = 5.0
"""Seconds between two looks."""
CLAIM = timedelta(minutes=2)
"""How long a sender has for one notice before another one may take it."""
MOST_ATTEMPTS = 12
"""About half a day with `backoff`; then the notice has failed, for people to see."""
LOOK_BACK = timedelta(days=2)
"""How old an answered question or an effect may be that people are still told of."""
_STALE_KINDS = frozenset({"asked", "escalated", "expiring"})


class Notifier:
    """One sender. `wall` is the time that sending goes by; what people are told of goes by the runtime's clock."""

    def __init__(self, runtime: Runtime, writer: Writer, ways: Ways, wall: Clock) -> None:
        self._runtime, self._writer, self._ways, self._wall = runtime, writer, ways, wall
        self._wanted, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="accord_notifier", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """Something was decided: look now."""
        self._wanted.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def tell(self) -> int:
        """One look: queue what is due, send it, bring cards up to date. Returns how many were sent or updated."""
        self._runtime.store.outbox.queue(self._due(), self._queued)
        return sum(map(self._deliver, self._claimed())) + sum(map(self._refresh, self._open_cards()))

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tell()
            except Exception:  # edge: the loop outlives a failed look; the next one finds the same
                log.exception("people could not be told; the next look tries again")
            self._wanted.wait(EVERY_S)
            self._wanted.clear()

    def _due(self) -> Iterator[Notice]:
        store, now = self._runtime.store, self._runtime.clock.now()
        people = list(known_people(self._runtime).values())
        lent = store.delegations.in_force(now)
        done = {action.proposal for action in store.actions.executed_since(now - LOOK_BACK)}
        for proposal in (*store.proposals.pending(), *map(store.proposals.get, sorted(done))):
            if self._ways.mail is not None:
                yield from self._at_wall(due_notices(proposal, people, lent, now))
            if self._ways.slack is not None and _is_shown(proposal):
                yield from self._at_wall([card_notice(proposal, self._ways.channel, now)])
        if self._ways.mail is not None:
            yield from self._at_wall(self._about_questions(people, now))

    def _about_questions(self, people: list[Person], now: datetime) -> list[Notice]:
        found: list[Notice] = []
        for question in self._runtime.store.questions.page(limit=50).items:
            if question.at < now - LOOK_BACK:
                break
            asked = self._runtime.store.questions.find(question.answers) if question.answers else None
            found += about_question(question, asked.by if asked else None, people, now)
        return found

    def _at_wall(self, notices: list[Notice]) -> Iterator[Notice]:
        """Due at once, in the time that sending goes by."""
        wall = self._wall.now()
        return (notice.model_copy(update={"queued_at": wall, "due_at": wall}) for notice in notices)

    def _queued(self, notice: Notice) -> Fact:
        return self._fact("notice.queued", notice)

    def _fact(self, verb: str, notice: Notice, **more: object) -> Fact:
        facts = {"notice": notice.id, "kind": notice.kind, "way": notice.way, "to": notice.to, **more}
        return Fact(at=self._runtime.clock.now(), actor="notifier", verb=verb, subject=notice.proposal, facts=facts)

    def _claimed(self) -> list[Notice]:
        now = self._wall.now()
        return self._runtime.store.outbox.claim(now, now + CLAIM)

    def _open_cards(self) -> list[Notice]:
        return self._runtime.store.outbox.open_cards() if self._ways.slack is not None else []

    def _deliver(self, notice: Notice) -> bool:
        try:
            proposal = self._runtime.store.proposals.get(notice.proposal)
            settled = self._post(notice, proposal) if notice.way == "slack" else self._mail(notice, proposal)
        except TransientError as error:
            self._put_off(notice, error)
            return False
        except AccordError as error:
            self._fail(notice, error)
            return False
        verb = "notice.sent" if settled.sent_at else "notice.dropped"
        self._runtime.store.outbox.settle(settled, [self._fact(verb, settled, attempts=settled.attempts)])
        return settled.sent_at is not None

    def _mail(self, notice: Notice, proposal: Proposal) -> Notice:
        person = known_people(self._runtime).get(notice.to)
        overtaken = notice.kind in _STALE_KINDS and proposal.status is not ProposalStatus.PENDING
        if self._ways.mail is None or person is None or person.email is None or overtaken:
            why = "it was decided before" if overtaken else "no address is known"
            return notice.model_copy(update={"status": "over", "detail": why})
        question = self._runtime.store.questions.find(notice.about) if notice.about else None
        message = self._writer.mail(notice, person, proposal, question)
        domain = parseaddr(self._ways.sender)[1].rpartition("@")[2] or "localhost"
        message["From"], message["To"] = self._ways.sender, person.email
        message["Message-ID"] = f"<{notice.id}@{domain}>"
        reached("notice.sending")
        self._ways.mail.send(message)
        reached("notice.taken")
        return notice.model_copy(update={"status": "sent", "sent_at": self._wall.now(), "detail": ""})

    def _post(self, notice: Notice, proposal: Proposal) -> Notice:
        if self._ways.slack is None:
            return notice.model_copy(update={"status": "over", "detail": "Slack is no longer set up"})
        card = self._writer.card(proposal)
        reached("notice.sending")
        place = self._ways.slack.post(notice.to, card.blocks, card.text)
        reached("notice.taken")
        given = {"status": "open", "sent_at": self._wall.now(), "place": place, "shown": _digest(card), "detail": ""}
        return notice.model_copy(update=given)

    def _refresh(self, notice: Notice) -> bool:
        """Shows on a card what has become of its proposal; closes it when nothing more can."""
        try:
            proposal = self._runtime.store.proposals.get(notice.proposal)
            card = self._writer.card(proposal)
            changed = _digest(card) != notice.shown
            over = _is_over(proposal, self._runtime.clock.now())
            if not changed and not over:
                return False
            if changed and self._ways.slack is not None:
                self._ways.slack.update(notice.place, card.blocks, card.text)
        except TransientError as error:
            log.warning("card %s waits: %s", notice.place, error.detail)
            return False
        except AccordError as error:
            self._fail(notice, error)
            return False
        after = notice.model_copy(update={"shown": _digest(card), "status": "over" if over else "open"})
        self._runtime.store.outbox.settle(after, [self._fact("notice.updated", after)])
        return changed

    def _put_off(self, notice: Notice, error: TransientError) -> None:
        if notice.attempts >= MOST_ATTEMPTS:
            self._fail(notice, error)
            return
        log.warning("notice %s to %s waits: %s", notice.id, notice.to, error.detail)
        later = self._wall.now() + backoff(notice.attempts)
        self._runtime.store.outbox.settle(notice.model_copy(update={"due_at": later, "detail": error.detail}))

    def _fail(self, notice: Notice, error: AccordError) -> None:
        log.error("notice %s to %s failed: %s", notice.id, notice.to, error.detail)
        failed = notice.model_copy(update={"status": "failed", "detail": error.detail})
        self._runtime.store.outbox.settle(failed, [self._fact("notice.failed", failed, because=error.detail)])


def _is_shown(proposal: Proposal) -> bool:
    """What asks people, and what a rule did that they are to be told of."""
    return proposal.verdict.kind is VerdictKind.ASK or bool(proposal.verdict.notify)


def _is_over(proposal: Proposal, now: datetime) -> bool:
    """Whether a card has shown all that it will: no answer is waited for, and no tool."""
    if proposal.status is ProposalStatus.PENDING:
        return False
    at_work = {ActionStatus.PENDING, ActionStatus.EXECUTING}
    return all(next_move(proposal, a, now).kind == "close" or a.status not in at_work for a in proposal.actions)


def _digest(card: SlackCard) -> str:
    return digest([list(card.blocks), card.text])
