"""Browser sessions and one-time login links: signed, expiring tokens, and the CSRF token of a session. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.errors import Unauthorised

COOKIE = "accord_session"
SESSION_LASTS = timedelta(hours=12)
LINK_LASTS = timedelta(minutes=30)
SIGN_IN_LASTS = timedelta(minutes=10)
"""How long a sign-in at the company's own provider may take."""
Purpose = Literal["session", "login", "answer", "oidc"]


class Signer:
    """Seals small JSON claims with HMAC-SHA256. A token is of use for one purpose only, and only until it expires."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, purpose: Purpose, claims: Mapping[str, Any], expires: datetime) -> str:
        body = json.dumps({**claims, "exp": expires.timestamp()}, separators=(",", ":"), sort_keys=True)
        packed = base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")
        return f"{packed}.{self._mac(purpose, packed)}"

    def unseal(self, purpose: Purpose, token: str, now: datetime) -> dict[str, Any]:
        """The claims of `token`. Raises Unauthorised when it is forged, of another purpose, or expired."""
        packed, _, mac = token.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(purpose, packed).encode()):
            raise Unauthorised("This sign-in is not valid. Sign in again.")
        try:
            claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        except (binascii.Error, ValueError) as error:
            raise Unauthorised("This sign-in is not valid. Sign in again.") from error
        if now.timestamp() >= claims["exp"]:
            raise Unauthorised("This sign-in has expired. Sign in again.")
        return claims

    def csrf(self, nonce: str) -> str:
        """The token that a form of the session `nonce` must carry."""
        return self._mac("csrf", nonce)

    def csrf_fits(self, nonce: str, token: str) -> bool:
        return hmac.compare_digest(self.csrf(nonce).encode(), token.encode())

    def _mac(self, purpose: str, text: str) -> str:
        mac = hmac.new(self._key, f"{purpose}\n{text}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
