from __future__ import annotations

import json
from typing import Any

import pytest

from domain.errors import AccordError, TerminalError, TransientError
from providers.faults import Fault, fault_of, retry_after_s
from providers.types import Tokens
from providers.wire import Exchange, judge

OPENAI: dict[str, Any] = {
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
}
ANTHROPIC: dict[str, Any] = {
    "type": "message",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 1, "output_tokens": 3},
}
GEMINI: dict[str, Any] = {
    "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2, "thoughtsTokenCount": 1},
}


def exchange(body: object, status: int = 200, **headers: str) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(status, {"content-type": "application/json"} | headers, raw)


def fault(found: Exchange) -> Fault:
    with pytest.raises(AccordError) as caught:
        judge(found, "p")
    return fault_of(caught.value)


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (OPENAI, Tokens(input=10, cached=4, output=3)),
        (ANTHROPIC, Tokens(input=10, cached=4, cache_write=1, output=3)),
        (GEMINI, Tokens(input=10, output=3)),
    ],
)
def test_a_whole_answer_of_each_format_passes_with_its_usage(body: dict[str, Any], usage: Tokens) -> None:
    verdict = judge(exchange(body), "p")
    assert (verdict.finish, verdict.usage) == ("stop", usage)


@pytest.mark.parametrize(("body", "part"), [(OPENAI, "choices"), (GEMINI, "candidates")])
def test_an_answer_without_choices_or_end_marker_is_cut(body: dict[str, Any], part: str) -> None:
    first = {key: value for key, value in body[part][0].items() if not key.startswith("finish")}
    assert fault(exchange(body | {part: []})) is Fault.CUT
    assert fault(exchange(body | {part: [first]})) is Fault.CUT


def test_anthropic_without_a_stop_reason_is_cut() -> None:
    assert fault(exchange(ANTHROPIC | {"stop_reason": None})) is Fault.CUT


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"finish_reason": ["stop"]}]},
        {"candidates": "x"},
        b"",
        b'{"choices": [',
    ],
)
def test_no_shape_we_know_is_never_an_answer(body: object) -> None:
    assert fault(exchange(body)) is Fault.CUT


def test_every_cut_of_a_body_is_seen() -> None:
    whole = json.dumps(OPENAI).encode()
    assert {fault(exchange(whole[:length])) for length in range(len(whole))} == {Fault.CUT}


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many"}, {"prompt_tokens": -1}, 7])
def test_a_nonsense_usage_is_unknown_and_does_not_spoil_the_answer(usage: object) -> None:
    assert judge(exchange(OPENAI | {"usage": usage}), "p").usage is None


def test_a_page_is_no_answer() -> None:
    assert fault(Exchange(200, {"content-type": "text/html"}, b"<html>")) is Fault.MALFORMED


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
        (413, "", Fault.CONTEXT_OVERFLOW),
        (400, "content_filter", Fault.REFUSED),
        (302, "", Fault.MALFORMED),
    ],
)
def test_a_failure_is_told_by_status_and_text(status: int, text: str, expected: Fault) -> None:
    assert fault(exchange({"error": {"message": text}}, status)) is expected


def test_an_error_inside_a_200_is_an_error() -> None:
    assert fault(exchange({"error": {"code": 429, "message": "slow"}})) is Fault.RATE_LIMITED
    assert fault(exchange({"error": "boom"})) is Fault.OVERLOADED


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]},
        ANTHROPIC | {"stop_reason": "refusal"},
        {"promptFeedback": {"blockReason": "SAFETY"}},
    ],
)
def test_a_refusal_is_terminal(body: dict[str, Any]) -> None:
    with pytest.raises(TerminalError) as caught:
        judge(exchange(body), "p")
    assert fault_of(caught.value) is Fault.REFUSED


def test_retry_after_is_kept_and_nonsense_in_it_is_not() -> None:
    for header, seconds in {"2": 2.0, "soon": None, "-1": 0.0}.items():
        with pytest.raises(TransientError) as caught:
            judge(exchange({}, 429, **{"retry-after": header}), "p")
        assert retry_after_s(caught.value) == seconds
