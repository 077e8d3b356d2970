from __future__ import annotations

import json
from typing import Any

import pytest

from domain.errors import AccordError, TerminalError
from providers.faults import Fault, fault_of
from providers.types import Reply, Tokens
from providers.wire.anthropic import AnthropicReading
from providers.wire.events import Event
from providers.wire.gemini import GeminiReading
from providers.wire.openai import OpenAIReading
from providers.wire.reading import Reading

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


READINGS: dict[str, type[Reading]] = {
    "choices": OpenAIReading,
    "content": AnthropicReading,
    "candidates": GeminiReading,
    "promptFeedback": GeminiReading,
}


def reading_for(body: dict[str, Any]) -> Reading:
    return next(READINGS[part] for part in READINGS if part in body)("p")


def read(body: dict[str, Any], reading: Reading | None = None) -> Reply:
    """The reply at the end of an answer that came at once."""
    reading = reading or reading_for(body)
    reading.whole(json.dumps(body).encode())
    reply = reading.complete()[-1]
    assert isinstance(reply, Reply)
    return reply


def fault(body: object, reading: Reading | None = None) -> Fault:
    with pytest.raises(AccordError) as caught:
        read(body, reading or OpenAIReading("p"))  # type: ignore[arg-type]
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
    reply = read(body)
    assert (reply.text, reply.finish, reply.usage) == ("hi", "stop", usage)


def test_an_answer_without_end_marker_is_cut() -> None:
    openai = OPENAI | {"choices": [{"message": {"content": "hi"}}]}
    gemini = GEMINI | {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]}
    anthropic = ANTHROPIC | {"stop_reason": None}
    assert {fault(body, reading_for(body)) for body in (openai, gemini, anthropic)} == {Fault.CUT}


@pytest.mark.parametrize("marker", ["error", "OTHER", "MALFORMED_FUNCTION_CALL", "pause_turn", ["stop"], 7])
def test_an_end_marker_nobody_knows_ends_nothing(marker: object) -> None:
    assert fault(OPENAI | {"choices": [{"message": {"content": "hi"}, "finish_reason": marker}]}) is Fault.CUT


@pytest.mark.parametrize(
    "body",
    [{}, [], 7, {"choices": None}, {"choices": [None]}, {"choices": []}, {"choices": [{"message": {"content": 5}}]}],
)
def test_what_makes_no_sense_is_no_answer(body: object) -> None:
    assert fault(body) in {Fault.MALFORMED, Fault.CUT}


def test_every_cut_of_a_body_is_seen() -> None:
    whole = json.dumps(OPENAI).encode()
    for length in range(len(whole)):
        with pytest.raises(AccordError) as caught:
            OpenAIReading("p").whole(whole[:length])
        assert fault_of(caught.value) is Fault.CUT


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many"}, {"prompt_tokens": -1}])
def test_a_nonsense_usage_is_unknown_and_does_not_spoil_the_answer(usage: object) -> None:
    assert read(OPENAI | {"usage": usage}).usage is None


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]},
        {"choices": [{"message": {"content": None, "refusal": "I will not."}, "finish_reason": "stop"}]},
        ANTHROPIC | {"stop_reason": "refusal"},
        {"promptFeedback": {"blockReason": "SAFETY"}},
        GEMINI | {"candidates": [{"finishReason": "SAFETY"}]},
    ],
)
def test_a_refusal_is_terminal_and_names_the_provider(body: dict[str, Any]) -> None:
    with pytest.raises(TerminalError, match="'p' refused") as caught:
        read(body)
    assert fault_of(caught.value) is Fault.REFUSED


@pytest.mark.parametrize(
    "body",
    [
        OPENAI | {"choices": [{"message": {"content": " "}, "finish_reason": "stop"}]},
        ANTHROPIC | {"content": []},
        GEMINI | {"candidates": [{"finishReason": "STOP"}]},
    ],
)
def test_an_end_with_nothing_before_it_is_no_answer(body: dict[str, Any]) -> None:
    assert fault(body, reading_for(body)) is Fault.EMPTY


def test_an_error_inside_a_200_is_an_error() -> None:
    assert fault({"error": {"code": 429, "message": "slow"}}) is Fault.RATE_LIMITED
    assert fault({"error": "boom"}) is Fault.OVERLOADED
    assert fault(OPENAI | {"error": {"type": "server_error"}}) is Fault.OVERLOADED


def test_geminis_end_said_twice_is_no_more_content() -> None:
    reading = GeminiReading("p")
    end = Event(
        "",
        json.dumps(GEMINI | {"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}]}).encode(),
    )
    for event in (Event("", json.dumps(GEMINI).encode()), end, end):
        reading.event(event)
    assert reading.complete()[-1] == Reply(text="hi", finish="stop", usage=Tokens(input=10, output=3))


@pytest.mark.parametrize("marker", [["STOP"], {"STOP": 1}, 7])
@pytest.mark.parametrize("kind", ["anthropic", "gemini"])
def test_an_end_marker_that_is_no_word_ends_nothing(kind: str, marker: object) -> None:
    candidate = {"content": {"parts": [{"text": "hi"}]}, "finishReason": marker}
    body = ANTHROPIC | {"stop_reason": marker} if kind == "anthropic" else GEMINI | {"candidates": [candidate]}
    assert fault(body, reading_for(body)) in {Fault.CUT, Fault.MALFORMED}


@pytest.mark.parametrize("kind", READINGS.values())
def test_what_is_nested_without_end_makes_no_sense(kind: type[Reading]) -> None:
    deep = b"[" * 100_000
    for say in (kind("p").whole, lambda data: kind("p").event(Event("", data))):
        with pytest.raises(AccordError) as caught:
            say(deep)
        assert fault_of(caught.value) in {Fault.CUT, Fault.MALFORMED}


def test_a_refusal_stays_one_whatever_follows() -> None:
    reading = GeminiReading("p")
    for text, marker in (("", "SAFETY"), ("hi", "STOP")):
        candidate = {"content": {"parts": [{"text": text}]}, "finishReason": marker}
        reading.event(Event("", json.dumps({"candidates": [candidate]}).encode()))
    with pytest.raises(TerminalError) as caught:
        reading.complete()
    assert fault_of(caught.value) is Fault.REFUSED
