"""Judges what a vendor really sent: end marker and usage from the raw bytes, failure from status, code and header.

Three wire formats are known by the shape of the body: OpenAI's `choices`, Anthropic's `stop_reason`, Gemini's
`candidates`. An answer without the vendor's own end marker is cut, whatever a mapping library makes of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.types import Finish, Tokens

V = TypeVar("V")

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "STOP": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "MAX_TOKENS": "length",
    "tool_calls": "tool",
    "function_call": "tool",
    "tool_use": "tool",
}
_REFUSALS = frozenset(
    {"content_filter", "refusal", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
)
_CONTEXT = re.compile(
    r"context.?(length|window|size)|maximum context|too many (input )?tokens|prompt is too long"
    r"|input token count.*exceeds|exceeds? the (available|maximum) (context|number of tokens)",
    re.IGNORECASE,
)
_FILTER = re.compile(r"content.?(filter|policy|management)|responsible.?ai", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|credit balance|billing", re.IGNORECASE)
_BAD_KEY = re.compile(r"API_KEY_INVALID|api key not valid|invalid api key", re.IGNORECASE)
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
_ADVICE = {
    Fault.RATE_LIMITED: "Wait, or raise the vendor's limit.",
    Fault.UNAUTHORISED: "Check the provider's key and its rights.",
    Fault.NOT_FOUND: "Check `model` and `api_base` of the provider.",
    Fault.NO_CREDIT: "Top up the vendor's account.",
    Fault.BAD_REQUEST: "Change the request; another vendor would refuse it too.",
    Fault.CONTEXT_OVERFLOW: "Shorten the messages or use a model with a larger window.",
    Fault.REFUSED: "Change the content of the request.",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP answer as it came: header names in lower case, body decoded from its transfer and content coding."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end marker the vendor sent, and the tokens it billed (None when it did not say)."""

    finish: Finish
    usage: Tokens | None


def judge(exchange: Exchange, provider: str) -> Verdict:
    """The verdict on a plain (not streamed) answer. Raises the fault as an error of our tree."""
    if exchange.status != 200:
        raise _refused(exchange, provider)
    if "json" not in exchange.headers.get("content-type", ""):
        kind = exchange.headers.get("content-type", "")
        raise failure(Fault.MALFORMED, f"{provider!r} answered {kind!r} instead of JSON. Check its `api_base`.")
    body = _parse(exchange.body)
    if body is None:
        raise failure(Fault.CUT, f"{provider!r} sent {len(exchange.body)} bytes that are no JSON object. Try again.")
    if body.get("error"):
        raise _in_band(body, provider)
    marker, usage = _shaped(body, _MARKERS), _shaped(body, _USAGES)
    if isinstance(marker, str) and marker in _REFUSALS:
        raise failure(Fault.REFUSED, f"{provider!r} refused with {marker!r}. {_ADVICE[Fault.REFUSED]}", usage=usage)
    finish = _FINISH.get(marker) if isinstance(marker, str) else None
    if finish is None:
        raise failure(Fault.CUT, f"{provider!r} sent no known end marker ({marker!r}). Try again.", usage=usage)
    return Verdict(finish, usage)


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _shaped(body: dict[str, Any], readers: Mapping[str, Callable[[dict[str, Any]], V]]) -> V | None:
    """What the reader for the shape of `body` finds; None when the shape is unknown or broken where it looks."""
    shape = next((shape for shape, key in _SHAPES.items() if key in body), "")
    try:
        return readers[shape](body) if shape else None
    except (AttributeError, IndexError, KeyError, TypeError, ValidationError):
        return None


def _gemini_marker(body: dict[str, Any]) -> str | None:
    if body.get("promptFeedback", {}).get("blockReason"):
        return "SAFETY"
    return body["candidates"][0].get("finishReason")


def _openai_usage(body: dict[str, Any]) -> Tokens | None:
    usage = body["usage"]
    details: dict[str, Any] = usage.get("prompt_tokens_details") or {}
    return Tokens(
        input=usage["prompt_tokens"],
        output=usage.get("completion_tokens") or 0,
        cached=details.get("cached_tokens") or 0,
        cache_write=details.get("cache_write_tokens") or 0,
    )


def _anthropic_usage(body: dict[str, Any]) -> Tokens | None:
    """Anthropic counts cache reads and writes beside `input_tokens`, not within."""
    usage = body["usage"]
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    return Tokens(
        input=usage["input_tokens"] + cached + written,
        output=usage.get("output_tokens") or 0,
        cached=cached,
        cache_write=written,
    )


def _gemini_usage(body: dict[str, Any]) -> Tokens | None:
    """Gemini bills thoughts as output and counts them beside the candidates."""
    usage = body["usageMetadata"]
    return Tokens(
        input=usage["promptTokenCount"],
        output=(usage.get("candidatesTokenCount") or 0) + (usage.get("thoughtsTokenCount") or 0),
        cached=usage.get("cachedContentTokenCount") or 0,
    )


_SHAPES = {"openai": "choices", "gemini": "candidates", "gemini_blocked": "promptFeedback", "anthropic": "stop_reason"}
_MARKERS: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "openai": lambda body: body["choices"][0].get("finish_reason"),
    "gemini": _gemini_marker,
    "gemini_blocked": _gemini_marker,
    "anthropic": lambda body: body["stop_reason"],
}
_USAGES = {
    "openai": _openai_usage,
    "gemini": _gemini_usage,
    "gemini_blocked": _gemini_usage,
    "anthropic": _anthropic_usage,
}


def _refused(exchange: Exchange, provider: str) -> AccordError:
    text = exchange.body[:4096].decode("utf-8", "replace")
    fault = _classify(exchange.status, text)
    advice = _ADVICE.get(fault, "Try again later.")
    wait = _seconds(exchange.headers.get("retry-after"))
    return failure(
        fault, f"{provider!r} answered HTTP {exchange.status}: {_excerpt(text)!r}. {advice}", retry_after_s=wait
    )


def _in_band(body: dict[str, Any], provider: str) -> AccordError:
    """An error object inside a 200: the status it names counts, else it is the vendor's trouble."""
    error: Any = body["error"]
    code = cast("dict[str, Any]", error).get("code") if isinstance(error, dict) else None
    text = json.dumps(error)
    fault = _classify(code if isinstance(code, int) else 500, text)
    return failure(fault, f"{provider!r} sent an error inside HTTP 200: {_excerpt(text)!r}. Try again later.")


def _classify(status: int, text: str) -> Fault:
    if status in {400, 413, 422}:
        return _caller_fault(status, text)
    if status in {402, 429} and _QUOTA.search(text):
        return Fault.NO_CREDIT
    if status >= 500:
        return Fault.OVERLOADED
    return _STATUS.get(status, Fault.BAD_REQUEST if 400 <= status < 500 else Fault.MALFORMED)


def _caller_fault(status: int, text: str) -> Fault:
    if status == 413 or _CONTEXT.search(text):
        return Fault.CONTEXT_OVERFLOW
    if _FILTER.search(text):
        return Fault.REFUSED
    if _BAD_KEY.search(text):
        return Fault.UNAUTHORISED
    return Fault.NO_CREDIT if _QUOTA.search(text) else Fault.BAD_REQUEST


def _excerpt(text: str) -> str:
    return " ".join(text.split())[:200]


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
