"""Run as a process by test_notifier_kill: tells who is asked of one proposal, and dies on order.

Arguments: the store, the mail server, and where to die: `never`, `queueing` (before the queue is durable), `before` or
`after` a message was taken by the server.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import event

from agents.clock import ManualClock
from agents.notify.notifier import CLAIM, Notifier
from agents.notify.port import SlackCard, Ways
from connectors.mail.smtp import Mailer
from domain.decisions import Person
from memory.store import Store

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PEOPLE = tuple(Person(id=name, email=f"{name}@example.org", roles=frozenset({"finance"})) for name in ("ana", "ben"))


class PlainWriter:
    """A title is all that these mails say."""

    def mail(self, notice: Any, person: Any, proposal: Any, question: Any) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = proposal.title
        message.set_content(notice.kind)
        return message

    def card(self, proposal: Any) -> SlackCard:
        raise AssertionError


class DyingMailer:
    """Dies at its first message, before or after the server has taken it."""

    def __init__(self, inner: Mailer, place: str) -> None:
        self._inner, self._place = inner, place

    def send(self, message: EmailMessage) -> None:
        if self._place == "before":
            die()
        self._inner.send(message)
        if self._place == "after":
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(path: str, url: str, place: str) -> None:
    with Store.open(path, audit_key=b"k") as store:
        if place == "queueing":
            event.listen(store.engine, "commit", lambda _: die())
        settings = SimpleNamespace(auth=SimpleNamespace(people=PEOPLE))
        runtime = cast("Any", SimpleNamespace(store=store, clock=ManualClock(NOW), settings=settings))
        ways = Ways(mail=DyingMailer(Mailer(url, lambda: None), place), sender="accord@example.org")
        late = 3 * CLAIM if place == "never" else timedelta(0)
        Notifier(runtime, PlainWriter(), ways, ManualClock(NOW + late)).tell()


if __name__ == "__main__":
    main(*sys.argv[1:])
