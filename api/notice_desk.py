"""Everything by which people are told and answer outside the pages: mails with links, Slack, and who sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.notify.notifier import Notifier
from agents.notify.opening import open_notifier, open_slack
from api.auth import Gate
from api.notice_writer import NoticeWriter
from api.slack_answers import SlackAnswers
from api.slack_signature import SlackSignature

if TYPE_CHECKING:
    from agents.parts import Runtime


@dataclass(frozen=True, slots=True)
class NoticeDesk:
    """`notifier` and `slack` are None where the configuration names neither a mail server nor a channel."""

    writer: NoticeWriter
    notifier: Notifier | None
    slack: SlackAnswers | None
    signature: SlackSignature

    def start(self) -> None:
        if self.notifier is not None:
            self.notifier.start()

    def stop(self) -> None:
        if self.notifier is not None:
            self.notifier.stop()

    def poke(self) -> None:
        """Something was decided: cards are brought up to date at once."""
        if self.notifier is not None:
            self.notifier.poke()


def open_desk(runtime: Runtime, gate: Gate, url: str) -> NoticeDesk:
    """The desk of the configuration; links lead to `public_url`, else to `url`."""
    writer = NoticeWriter(runtime, gate.signer, (runtime.settings.public_url or url).rstrip("/"))
    workspace = open_slack(runtime.settings)
    answers = SlackAnswers(runtime, writer, workspace) if workspace else None
    return NoticeDesk(writer, open_notifier(runtime, writer), answers, SlackSignature())
