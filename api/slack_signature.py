"""Slack's request signature, version 0: whether a body was signed by who holds the secret, lately, and only once.

The seen signatures are kept in memory for as long as they would be good. After a restart within these five minutes a
repeat would pass; it meets a decision that was recorded, so that it changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping
from datetime import datetime

from domain.errors import Unauthorised

TOLERANCE_S = 300
_VERSION = "v0"


class SlackSignature:
    """Verifies calls in one process. Safe to share between threads."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._alone = threading.Lock()

    def verify(self, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Raises Unauthorised for a call that is unsigned, forged, older or newer than 5 minutes, or a repeat."""
        stamp, given = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 20 and given):
            raise Unauthorised("The call is not signed by Slack. Check the address of the app's interactivity.")
        if abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
            raise Unauthorised("The call was signed more than 5 minutes from our clock. Check the clocks.")
        if not hmac.compare_digest(sign(secret, stamp, body).encode(), given.encode()):
            raise Unauthorised("The signature does not fit the body. Check the app's signing secret.")
        self._refuse_repeat(given, now.timestamp())

    def _refuse_repeat(self, signature: str, now_s: float) -> None:
        with self._alone:
            self._seen = {known: at for known, at in self._seen.items() if now_s - at <= 2 * TOLERANCE_S}
            if signature in self._seen:
                raise Unauthorised("This call was received before. Click again.")
            self._seen[signature] = now_s


def sign(secret: str, stamp: str, body: bytes) -> str:
    """`v0=` and the hex HMAC-SHA256 over `v0:<stamp>:<body>`."""
    base = f"{_VERSION}:{stamp}:".encode() + body
    return f"{_VERSION}={hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()}"
