"""The words of every notice: mails in the reader's language, cards in that of the installation."""

from __future__ import annotations

from email.message import EmailMessage
from typing import TYPE_CHECKING

from agents.notify.port import SlackCard
from api.answer_links import AnswerLinks
from api.letters import Letters
from api.session import Signer
from api.slack_cards import slack_card
from api.wording import Language, Wording
from domain.decisions import Person
from domain.notices import Notice
from domain.proposals import Proposal
from domain.questions import Question

if TYPE_CHECKING:
    from agents.parts import Runtime


class NoticeWriter:
    """Implements `agents.notify.port.Writer`. `base` is where people reach the pages."""

    def __init__(self, runtime: Runtime, signer: Signer, base: str) -> None:
        self._runtime = runtime
        self.links = AnswerLinks(signer, base)
        self._horizon = runtime.settings.objective.horizon_days
        self._letters = Letters(self.words, self.links, self._horizon)

    def words(self, language: Language | None = None) -> Wording:
        return Wording(language or self._runtime.settings.language, self._runtime.clock.now())

    def mail(self, notice: Notice, person: Person, proposal: Proposal, question: Question | None) -> EmailMessage:
        return self._letters.mail(notice, person, proposal, question)

    def card(self, proposal: Proposal) -> SlackCard:
        return slack_card(proposal, self.words(), self.links.base, self._horizon)
