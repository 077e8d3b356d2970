"""Names the fault behind an HTTP status or an error object, and the wait a vendor asks for. Keys never reach a text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from domain.errors import AccordError
from providers.faults import Fault, failure

_CONTEXT = re.compile(
    r"(?<!\w)context.?(length|window|size|limit)|maximum context|too many (input )?tokens|prompt is too long"
    r"|input token count.*exceeds|exceeds? the (available|maximum) (context|number of tokens)"
    r"|reduce the length of the (messages|prompt|input)",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content.?(filter|policy|management)|responsible.?ai|moderation.?blocked|flagged.{0,40}(policy|moderation)",
    re.IGNORECASE,
)
# Not any word of billing: texts about a rate name it too, and so do tools of callers.
_QUOTA = re.compile(
    r"insufficient_quota|billing_(error|hard_limit|not_active)|credit balance|insufficient (balance|credit)",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"API_KEY_INVALID|api key not valid|invalid.{0,10}api key|incorrect api key", re.IGNORECASE)
_PREFILL = re.compile(r"prefill|(end|last).{0,40}(user|assistant)|assistant.{0,40}(last|final|end)", re.IGNORECASE)
# What looks like a key in a vendor's text: it may be another one than the provider's own.
_KEYS = re.compile(r"(sk|pk|rk|gsk|xai|key|AIza|Bearer)[-_ ]?[A-Za-z0-9*_\-.]{12,}")
_STATUS = {
    401: Fault.UNAUTHORISED,
    402: Fault.NO_CREDIT,
    403: Fault.UNAUTHORISED,
    404: Fault.NOT_FOUND,
    408: Fault.TIMEOUT,
    409: Fault.OVERLOADED,
    425: Fault.OVERLOADED,
    429: Fault.RATE_LIMITED,
}
# The HTTP status that a vendor's name for an error stands for, for errors that arrive inside a 200.
_NAMED = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "UNAUTHENTICATED": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "permission_error": 403,
    "PERMISSION_DENIED": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "NOT_FOUND": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "RESOURCE_EXHAUSTED": 429,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "request_too_large": 413,
    "throttlingException": 429,
    "validationException": 400,
}
_ADVICE = {
    Fault.RATE_LIMITED: "Wait, or raise the vendor's limit.",
    Fault.UNAUTHORISED: "Check the provider's key and its rights.",
    Fault.NOT_FOUND: "Check `model` and `api_base` of the provider.",
    Fault.NO_CREDIT: "Top up the vendor's account.",
    Fault.BAD_REQUEST: "Change the request; another vendor would refuse it too.",
    Fault.CONTEXT_OVERFLOW: "Shorten the messages or use a model with a larger window.",
    Fault.REFUSED: "Change the content of the request.",
}
_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer that is none: header names in lower case, `at` is when it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime


def refused(refusal: Refusal, provider: str, secret: str | None = None) -> AccordError:
    """The error of our tree for an answer whose status is not 200; `secret` is cut out of its text."""
    text = refusal.body[:4096].decode("utf-8", "replace")
    fault = classify(refusal.status, text)
    excerpt = excerpt_of(text, secret)
    return failure(
        fault,
        f"{provider!r} answered HTTP {refusal.status}: {excerpt!r}. {_ADVICE.get(fault, 'Try again later.')}",
        retry_after_s=retry_after(refusal),
        http_status=refusal.status,
        refuses_prefill=fault is Fault.BAD_REQUEST and _PREFILL.search(text) is not None,
    )


def in_band(error: object, provider: str, secret: str | None = None) -> AccordError:
    """The error of our tree for an error object inside a 200: what it names counts, else it is the vendor's trouble."""
    text = json.dumps(error) if not isinstance(error, str) else error
    fault = classify(_status_in(error), text)
    advice = _ADVICE.get(fault, "Try again later.")
    return failure(fault, f"{provider!r} sent an error inside HTTP 200: {excerpt_of(text, secret)!r}. {advice}")


def classify(status: int, text: str) -> Fault:
    """The fault that `status` and the vendor's `text` tell."""
    if status in {400, 413, 422}:
        return _caller_fault(text)
    if status in {403, 451} and _FILTER.search(text):
        return Fault.REFUSED
    if status in {402, 429} and _QUOTA.search(text):
        return Fault.NO_CREDIT
    if status >= 500:
        return Fault.OVERLOADED
    return _STATUS.get(status, Fault.BAD_REQUEST if 400 <= status < 500 else Fault.MALFORMED)


def retry_after(refusal: Refusal) -> float | None:
    """Seconds the vendor asks us to wait: by its header (seconds, milliseconds, a date), else by the limit used up."""
    headers = refusal.headers
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if value := headers.get("retry-after"):
        return _number(value) if _number(value) is not None else _until(value, refusal.at)
    if refusal.status != 429:
        return None
    waits = [wait for limit in _LIMITS if (wait := _reset(headers, limit, refusal.at)) is not None]
    return max(waits) if waits else _delay_in(refusal.body)


def excerpt_of(text: str, secret: str | None = None) -> str:
    """The beginning of a vendor's text on one line, without keys."""
    if secret:
        text = text.replace(secret, "[key]")
    return " ".join(_KEYS.sub("[key]", text).split())[:200]


def _status_in(error: object) -> int:
    if not isinstance(error, dict):
        return 500
    named = cast("dict[str, Any]", error)
    for field in ("code", "type", "status"):
        value = named.get(field)
        if isinstance(value, int):
            return value
        if isinstance(value, str) and (value in _NAMED or value.isdigit()):
            return _NAMED.get(value) or int(value)
    return 500


def _caller_fault(text: str) -> Fault:
    if _CONTEXT.search(text):
        return Fault.CONTEXT_OVERFLOW
    if _FILTER.search(text):
        return Fault.REFUSED
    if _BAD_KEY.search(text):
        return Fault.UNAUTHORISED
    return Fault.NO_CREDIT if _QUOTA.search(text) else Fault.BAD_REQUEST


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return max(0.0, number) if number is not None and math.isfinite(number) else None


def _until(value: str, at: datetime) -> float | None:
    """Seconds from `at` to a date as HTTP or RFC 3339 writes it."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            then = parse(value)
        except ValueError:
            continue
        return max(0.0, ((then if then.tzinfo else then.replace(tzinfo=UTC)) - at).total_seconds())
    return None


def _reset(headers: Mapping[str, str], limit: str, at: datetime) -> float | None:
    """When a used-up limit is free again, as OpenAI (`6m0s`) and Anthropic (a date) say it."""
    if headers.get(f"x-ratelimit-remaining-{limit}") == "0":
        spans = _SPAN.findall(headers.get(f"x-ratelimit-reset-{limit}", ""))
        return sum(float(number) * _UNIT_S[unit] for number, unit in spans) if spans else None
    if headers.get(f"anthropic-ratelimit-{limit}-remaining") == "0":
        return _until(headers.get(f"anthropic-ratelimit-{limit}-reset", ""), at)
    return None


def _delay_in(body: bytes) -> float | None:
    """Google's RetryInfo, which stands in the body."""
    found = re.search(rb'"retryDelay":\s*"(\d+(?:\.\d+)?)s"', body)
    return float(found[1]) if found else None
