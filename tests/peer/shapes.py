"""Spoilt bodies, streams and wordings, each as one vendor or another has really sent it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.peer.answers import TEXT
from tests.peer.faults import (
    CHUNKED_CUT,
    CHUNKED_RESET,
    CHUNKED_UNENDED,
    GZIP_CUT,
    PROMISING_LESS,
    PROMISING_MORE,
    UNTIL_CLOSED,
    Place,
    Step,
    Telling,
    answered,
    reshaped,
    told,
)
from tests.peer.wires import Event, Wire

Body = dict[str, Any]

JUNK = {"malformed": b'data: {"choices": [{"delta": {"cont\n\n', "not-utf8": b'data: {"x": "\xff\xfe\xe9"}\n\n'}

OVERFLOWS: dict[Wire, list[tuple[int, str]]] = {
    Wire.OPENAI: [
        (
            400,
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 131072 tokens.",
        ),
        (400, "Your input exceeds the context window of this model. Please adjust your input and try again."),
        (
            400,
            "the request exceeds the available context size. try increasing the context size or enable context shift",
        ),
        (400, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
    ],
    Wire.ANTHROPIC: [
        (400, "prompt is too long: 213462 tokens > 200000 maximum"),
        (400, "input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000, decrease input length"),
    ],
    Wire.GEMINI: [(400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")],
}


def error_in_200(telling: Telling) -> list[Step]:
    return [answered(json.dumps(telling.format.error(503, "Overloaded.")).encode())]


def two_blocks(wire: Wire, body: Body) -> Body:
    """The text in two parts, as all three vendors may send it."""
    half = len(TEXT) // 2
    match wire:
        case Wire.OPENAI:
            parts = [{"type": "text", "text": TEXT[:half]}, {"type": "text", "text": TEXT[half:]}]
            body["choices"][0]["message"]["content"] = parts
        case Wire.ANTHROPIC:
            body["content"] = [{"type": "text", "text": TEXT[:half]}, {"type": "text", "text": TEXT[half:]}]
        case Wire.GEMINI:
            body["candidates"][0]["content"]["parts"] = [{"text": TEXT[:half]}, {"text": TEXT[half:]}]
    return body


def emptied(wire: Wire, body: Body) -> Body:
    """No choices at all."""
    return body | {{Wire.OPENAI: "choices", Wire.ANTHROPIC: "content", Wire.GEMINI: "candidates"}[wire]: []}


def hollow(wire: Wire, body: Body) -> Body:
    """An end marker with nothing in front of it."""
    match wire:
        case Wire.OPENAI:
            body["choices"][0]["message"]["content"] = None
        case Wire.ANTHROPIC:
            body["content"] = [{"type": "text", "text": ""}]
        case Wire.GEMINI:
            body["candidates"][0].pop("content")
    return body


def unfinished(wire: Wire, body: Body) -> Body:
    """The vendor's own end marker is missing."""
    match wire:
        case Wire.OPENAI:
            body["choices"][0]["finish_reason"] = None
        case Wire.ANTHROPIC:
            body["stop_reason"] = None
        case Wire.GEMINI:
            body["candidates"][0].pop("finishReason")
    return body


def refusal(_: Wire, body: Body) -> Body:
    body["choices"][0]["message"] |= {"content": None, "refusal": "I can't help with that."}
    return body


def blocked(*_: object) -> Body:
    """Gemini refuses the prompt itself: no candidates, a reason."""
    return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 100}}


def finish_twice(telling: Telling) -> Iterator[Event]:
    for event in telling.events():
        yield event
        if event.part == "finish":
            yield event


def more_after(telling: Telling) -> Iterator[Event]:
    content = [event for event in telling.events() if event.part == "content"]
    for event in telling.events():
        yield event
        if event.part == "finish":
            yield content[-1]


def done_in_the_middle(telling: Telling) -> list[Event]:
    before, after = telling.split(Place.MID)
    return [*before, *(event for event in after if event.part == "end")]


BROKEN_BODIES = {
    "json-cut": told("JSON cut", lambda body: body[:-25]),
    "not-utf8": told("not UTF-8", lambda body: body.replace("é".encode(), b"\xe9")),
    "empty-choices": reshaped("no choices", emptied),
    "null-content": reshaped("null content", hollow),
    "no-finish": reshaped("no end marker", unfinished),
    "content-length-too-long": PROMISING_MORE,
    "content-length-too-short": PROMISING_LESS,
    "gzip-cut": GZIP_CUT,
    "chunk-cut": CHUNKED_CUT,
    "chunk-reset": CHUNKED_RESET,
    "last-chunk-missing": CHUNKED_UNENDED,
    "cut-without-length": UNTIL_CLOSED,
}
