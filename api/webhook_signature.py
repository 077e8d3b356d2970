"""Standard Webhooks: whether a body was signed by who holds the secret, lately. Pure; the raw body is judged."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from domain.errors import ConfigError, Unauthorised

TOLERANCE_S = 300


def verify(secrets: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The `webhook-id` of a genuine call. `secrets` holds one or more `whsec_…`, parted by spaces, all of them valid.

    Raises Unauthorised (missing headers, older or newer than 5 minutes, no signature fits) and ConfigError
    when a secret is no base64.
    """
    number, stamp = headers.get("webhook-id"), headers.get("webhook-timestamp")
    given = headers.get("webhook-signature")
    if not number or not stamp or not given:
        raise Unauthorised("`webhook-id`, `webhook-timestamp` or `webhook-signature` is missing. Sign the call.")
    if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise Unauthorised(f"`webhook-timestamp` {stamp[:20]!r} is not within 5 minutes of our clock. Send it again.")
    wanted = [_signature(secret, number, stamp, body) for secret in secrets.split()]
    signatures = [part.removeprefix("v1,") for part in given.split() if part.startswith("v1,")]
    fits = [hmac.compare_digest(want, got.encode()) for want in wanted for got in signatures]
    if not any(fits):
        raise Unauthorised("No signature fits the body. Check the secret and sign the raw body.")
    return number


def secret_name(webhook: str) -> str:
    """Name of the environment variable that holds the secret of `webhook`."""
    return f"ACCORD_WEBHOOK_{''.join(c if c.isalnum() else '_' for c in webhook).upper()}_SECRET"


def _signature(secret: str, number: str, stamp: str, body: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ConfigError("A webhook secret is no base64. Write it as `whsec_` and base64.") from error
    return base64.b64encode(hmac.new(key, f"{number}.{stamp}.".encode() + body, hashlib.sha256).digest())
