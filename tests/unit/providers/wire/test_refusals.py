from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from domain.errors import TransientError
from providers.faults import Fault, fault_of, retry_after_s
from providers.wire.refusals import Refusal, in_band, refused

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def refusal(body: object, status: int, **headers: str) -> Refusal:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Refusal(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, NOW)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (500, "oops", Fault.OVERLOADED),
        (503, "", Fault.OVERLOADED),
        (529, "overloaded_error", Fault.OVERLOADED),
        (429, "slow down", Fault.RATE_LIMITED),
        (429, "insufficient_quota", Fault.NO_CREDIT),
        (408, "", Fault.TIMEOUT),
        (401, "", Fault.UNAUTHORISED),
        (403, "", Fault.UNAUTHORISED),
        (404, "model_not_found", Fault.NOT_FOUND),
        (400, "API_KEY_INVALID", Fault.UNAUTHORISED),
        (400, "Your credit balance is too low", Fault.NO_CREDIT),
        (400, "unknown parameter", Fault.BAD_REQUEST),
        (400, "This model's maximum context length is 8192 tokens", Fault.CONTEXT_OVERFLOW),
        (400, "prompt is too long: 210000 tokens", Fault.CONTEXT_OVERFLOW),
        (413, "", Fault.BAD_REQUEST),
        (413, "prompt is too long", Fault.CONTEXT_OVERFLOW),
        (400, "content_filter", Fault.REFUSED),
        (302, "", Fault.MALFORMED),
        (403, "Your input was flagged by moderation", Fault.REFUSED),
        (429, "You exceeded your current quota, please check your plan and billing details", Fault.RATE_LIMITED),
        (400, "Invalid schema for function 'get_billing_info'", Fault.BAD_REQUEST),
        (400, "Invalid schema for function 'set_context_window'", Fault.BAD_REQUEST),
    ],
)
def test_a_failure_is_told_by_status_and_text(status: int, text: str, expected: Fault) -> None:
    assert fault_of(refused(refusal({"error": {"message": text}}, status), "p")) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, Fault.OVERLOADED),
        ({"type": "rate_limit_error"}, Fault.RATE_LIMITED),
        ({"code": 503, "status": "UNAVAILABLE"}, Fault.OVERLOADED),
        ({"code": "insufficient_quota"}, Fault.NO_CREDIT),
        ({"code": "context_length_exceeded", "message": "maximum context length"}, Fault.CONTEXT_OVERFLOW),
        ({"type": "content_filter", "message": "content_filter"}, Fault.REFUSED),
        ("boom", Fault.OVERLOADED),
        (None, Fault.OVERLOADED),
    ],
)
def test_an_error_object_is_told_by_its_own_words(error: object, expected: Fault) -> None:
    assert fault_of(in_band(error, "p")) is expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "2"}, 2.0),
        ({"retry_after": "-1"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "Tue, 10 Mar 2026 12:00:07 GMT"}, 7.0),
        ({"retry_after": "Tue, 10 Mar 2026 11:00:00 GMT"}, 0.0),
        ({"retry_after": "9", "retry_after_ms": "1500"}, 1.5),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "1m2.5s"}, 62.5),
        ({"x_ratelimit_remaining_requests": "1", "x_ratelimit_reset_requests": "9s"}, None),
        (
            {
                "anthropic_ratelimit_tokens_remaining": "0",
                "anthropic_ratelimit_tokens_reset": "2026-03-10T12:00:30Z",
            },
            30.0,
        ),
    ],
)
def test_the_wait_a_vendor_asks_for_is_read_however_it_says_it(headers: dict[str, str], seconds: float | None) -> None:
    found = refused(refusal({}, 429, **headers), "p")
    assert isinstance(found, TransientError)
    assert retry_after_s(found) == seconds


def test_googles_delay_stands_in_the_body() -> None:
    body = {"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}]}}
    assert retry_after_s(refused(refusal(body, 429), "p")) == 17


def test_no_key_reaches_the_text_of_an_error() -> None:
    said = b"Incorrect API key provided: sk-proj-abcdef123456789. And our-own-secret too."
    detail = refused(refusal(said, 401), "p", "our-own-secret").detail
    assert "abcdef" not in detail
    assert "our-own-secret" not in detail
    assert "[key]" in detail
