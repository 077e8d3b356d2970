"""What a notice needs from outside: the words of a mail or a card, and somebody who carries them away."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Protocol

from domain.decisions import Person
from domain.notices import Notice
from domain.proposals import Proposal
from domain.questions import Question


@dataclass(frozen=True, slots=True)
class SlackCard:
    """Block Kit blocks and the line that stands in notifications."""

    blocks: tuple[dict[str, Any], ...]
    text: str


class Writer(Protocol):
    """Puts proposals into words by code, from their arguments."""

    def mail(self, notice: Notice, person: Person, proposal: Proposal, question: Question | None) -> EmailMessage:
        """The mail to `person`, without sender and Message-ID."""
        ...

    def card(self, proposal: Proposal) -> SlackCard: ...


class MailWay(Protocol):
    def send(self, message: EmailMessage) -> None: ...


class CardWay(Protocol):
    def post(self, channel: str, blocks: Any, text: str) -> str: ...
    def update(self, place: str, blocks: Any, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Ways:
    """How people can be reached; None where it is not set up."""

    mail: MailWay | None = None
    sender: str = ""
    """The From of mails."""
    slack: CardWay | None = None
    channel: str = ""
