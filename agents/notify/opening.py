"""Sets up the notifier that the configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.clock import WallClock
from agents.notify.notifier import Notifier
from agents.notify.port import Ways, Writer
from agents.settings import Settings, secret
from connectors.mail.smtp import Mailer
from connectors.slack.messages import SlackMessages

if TYPE_CHECKING:
    from agents.parts import Runtime


def open_notifier(runtime: Runtime, writer: Writer) -> Notifier | None:
    """A notifier that is yet to be started; None when neither mail nor Slack is set up."""
    mail, slack = runtime.settings.mail, runtime.settings.slack
    if mail.url is None and slack.channel is None:
        return None
    ways = Ways(
        mail=Mailer(mail.url, lambda: secret(mail.password_env)) if mail.url else None,
        sender=mail.sender,
        slack=open_slack(runtime.settings),
        channel=slack.channel or "",
    )
    return Notifier(runtime, writer, ways, WallClock())


def open_slack(settings: Settings) -> SlackMessages | None:
    """The workspace of the configuration; None when no channel is set."""
    slack = settings.slack
    if slack.channel is None:
        return None
    return SlackMessages(lambda: secret(slack.bot_token_env), slack.api_base)
