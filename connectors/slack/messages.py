"""Messages in Slack through its Web API: cards are posted, brought up to date, and asked about in modals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from domain.errors import AccordError, TerminalError, TransientError

if TYPE_CHECKING:
    from slack_sdk import WebClient

Block = dict[str, Any]
LIMIT_S = 10
_LATER = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})
"""Errors of Slack that pass by themselves; all others are faults of ours or of the settings."""


class SlackMessages:
    """One workspace, by a bot token that is read when first needed."""

    def __init__(self, token: Callable[[], str | None], api_base: str) -> None:
        self._token, self._api_base = token, api_base
        self._client: WebClient | None = None

    def post(self, channel: str, blocks: Sequence[Block], text: str) -> str:
        """Posts a card; `text` stands in notifications. Returns its place, `channel:ts`."""
        said = self._call("chat_postMessage", channel=channel, blocks=blocks, text=text, **_PLAIN)
        return f"{said['channel']}:{said['ts']}"

    def update(self, place: str, blocks: Sequence[Block], text: str) -> None:
        """Puts other blocks in the place of those of a card."""
        channel, _, stamp = place.partition(":")
        self._call("chat_update", channel=channel, ts=stamp, blocks=blocks, text=text)

    def whisper(self, channel: str, user: str, text: str) -> None:
        """Says something that only `user` sees."""
        self._call("chat_postEphemeral", channel=channel, user=user, text=text)

    def open_modal(self, trigger: str, view: Block) -> None:
        """Opens a form; a trigger is good for three seconds after the click."""
        self._call("views_open", trigger_id=trigger, view=view)

    def email_of(self, user: str) -> str | None:
        """The address in the profile of a Slack user; None when it is hidden or there is no such user."""
        try:
            said = self._call("users_info", user=user)
        except TerminalError:
            return None
        profile = cast("dict[str, Any]", said.get("user", {})).get("profile", {})
        return profile.get("email") or None

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            return dict(getattr(self._connected(), method)(**arguments).data)
        except SlackApiError as error:
            said = cast("Any", error.response)
            raise _refusal(method, str(said.get("error", "unknown")), int(said.status_code)) from error
        except (SlackClientError, OSError, ValueError) as error:
            raise TransientError(f"Slack does not answer: {error}. It is tried again.") from error

    def _connected(self) -> WebClient:
        if self._client is None:
            from slack_sdk import WebClient

            token = self._token()
            if not token:
                raise TerminalError("There is no token for Slack. Set the variable that `slack.bot_token_env` names.")
            self._client = WebClient(token=token, base_url=self._api_base, timeout=LIMIT_S)
        return self._client


_PLAIN: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False, "link_names": False}
"""Nothing in a card becomes a preview or a mention by itself."""


def _refusal(method: str, code: str, status: int) -> AccordError:
    if code in _LATER or status == 429 or status >= 500:
        return TransientError(f"Slack puts {method} off: {code}. It is tried again.")
    return TerminalError(f"Slack refuses {method}: {code}. Check the channel, the token and its scopes.")
