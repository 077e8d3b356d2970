"""Mails to people, written by code from a proposal's arguments; words of models and others are quoted, links broken."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.answer_links import AnswerLinks
from api.cards import Card, card
from api.wording import Language, Wording
from domain.decisions import DecisionKind, Person
from domain.notices import Notice
from domain.proposals import Proposal
from domain.prose import unlinked
from domain.questions import Question

_TEMPLATES = Path(__file__).with_name("templates")
_ASKING = frozenset({"asked", "escalated", "expiring"})
_LONGEST_SUBJECT = 150


class Letters:
    """Mails in the receiver's language, plain and as simple HTML."""

    def __init__(self, words: Callable[[Language | None], Wording], links: AnswerLinks, horizon_days: int) -> None:
        self._words, self._links, self._horizon = words, links, horizon_days
        self._html, self._text = _environment(markup=True), _environment(markup=False)

    def mail(self, notice: Notice, person: Person, proposal: Proposal, question: Question | None) -> EmailMessage:
        """The mail of `notice` to `person`, without sender and Message-ID.

        Whoever is asked gets two links of their own, each for one answer to this version.
        """
        words = self._words(person.language)
        shown = card(proposal, person, words.now, words)
        values = self._values(notice, person, shown, question, words)
        message = EmailMessage()
        message["Subject"] = _one_line(words(f"mail.subject_{notice.kind}", **values["filled"]))[:_LONGEST_SUBJECT]
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self._text.get_template("mail.txt").render(values))
        message.add_alternative(self._html.get_template("mail.html").render(values), subtype="html")
        return message

    def _values(
        self, notice: Notice, person: Person, shown: Card, question: Question | None, words: Wording
    ) -> dict[str, Any]:
        proposal = shown.proposal
        name = question.by if question else person.id
        left = words.left(proposal.expires_at)
        filled = {"title": unlinked(proposal.title), "left": left, "name": name}
        asks = notice.kind in _ASKING
        return {
            "w": words,
            "filled": filled,
            "intro": words(f"mail.intro_{notice.kind}", **filled),
            "said": unlinked(question.text) if question else "",
            "c": shown,
            "title": unlinked(proposal.title),
            "why": unlinked(proposal.why),
            "horizon": self._horizon,
            "done": notice.kind == "done",
            "asks": asks,
            "person": person,
            "approve": self._links.url(person, proposal, DecisionKind.APPROVE) if asks else "",
            "reject": self._links.url(person, proposal, DecisionKind.REJECT) if asks else "",
            "open": f"{self._links.base}/proposals/{quote(proposal.id)}",
        }


def _environment(*, markup: bool) -> Environment:
    loader = FileSystemLoader(_TEMPLATES)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.autoescape = markup
    return made


def _one_line(text: str) -> str:
    """A header is one line, whatever a title holds."""
    return " ".join(text.split())
