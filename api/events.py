"""CloudEvents over HTTP: structured, batched and binary mode, read into plain mappings. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast
from urllib.parse import unquote

from starlette.exceptions import HTTPException

MAX_EVENTS = 10_000
"""Events in one request."""
MAX_BODY = 20 * 1024 * 1024
"""Bytes of one request."""
_STRUCTURED = "application/cloudevents+json"
_BATCH = "application/cloudevents-batch+json"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that may be stored, and those that cannot even be tried, each `{"id", "error"}`."""

    events: tuple[dict[str, Any], ...]
    rejected: tuple[dict[str, Any], ...]


def read_request(headers: Mapping[str, str], body: bytes) -> Batch:
    """The events of one request in any of the three modes; `headers` by lower-case name.

    Raises HTTPException 400 (no JSON), 413 (too many events) or 415 (a content type we do not read).
    """
    content = headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if content in (_STRUCTURED, _BATCH):
        return sift(_as_list(read_json(body)))
    if "ce-specversion" in headers or "ce-id" in headers:
        return sift([_binary(headers, content, body)])
    if content != _JSON:
        raise HTTPException(415, f"Content type {content!r} is not read here. Send {_STRUCTURED}, {_BATCH} or {_JSON}.")
    return sift(_as_list(read_json(body)))


def read_json(body: bytes) -> Any:
    """The JSON value in `body`. Raises HTTPException 400; NaN and Infinity are no JSON."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError as error:
        raise HTTPException(400, "The body is nested too deeply. Send flatter JSON.") from error
    except ValueError as error:
        raise HTTPException(400, f"The body is no valid JSON ({error}). Send UTF-8 JSON.") from error


def sift(values: Sequence[Any]) -> Batch:
    """Part what can be handed on from what cannot be stored as JSON text. Raises HTTPException 413."""
    if len(values) > MAX_EVENTS:
        raise HTTPException(
            413, f"{len(values):,} events in one request; {MAX_EVENTS:,} is the most. Send smaller batches."
        )
    events: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for place, value in enumerate(values):
        fault = _fault(value)
        if fault is None:
            events.append(_decoded(value))
        else:
            known = cast("dict[str, Any]", value).get("id") if isinstance(value, dict) else None
            name = known if isinstance(known, str) and known.isprintable() else ""
            rejected.append({"id": name, "error": f"event {place}: {fault}"})
    return Batch(tuple(events), tuple(rejected))


def _as_list(value: Any) -> Sequence[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _fault(value: object) -> str | None:
    """Why `value` cannot be stored at all; what its fields mean is judged later."""
    if not isinstance(value, dict):
        return f"a JSON object is needed, this is {type(value).__name__}. Send a CloudEvent."
    event = cast("dict[str, Any]", value)
    try:
        text = json.dumps(event, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")
    except RecursionError:
        return "it is nested too deeply. Send a flatter event."
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which is no text. Send whole characters."
    except ValueError:
        return "it holds a number too large for JSON. Send finite numbers."
    if "\\u0000" in text:
        return "it holds a NUL character. Send text without it."
    if event.get("data_base64") is not None and _base64_json(event["data_base64"]) is None:
        return "`data_base64` holds no JSON object. Send `data` as a JSON object."
    return None


def _decoded(event: dict[str, Any]) -> dict[str, Any]:
    """`event` with `data` in place of `data_base64`."""
    if event.get("data_base64") is None:
        return event
    plain = {key: value for key, value in event.items() if key != "data_base64"}
    return {**plain, "data": _base64_json(event["data_base64"])}


def _base64_json(text: object) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.b64decode(str(text), validate=True), parse_constant=_no_constant)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _binary(headers: Mapping[str, str], content: str, body: bytes) -> dict[str, Any]:
    """One event: its attributes are `ce-` headers, percent-encoded as the HTTP binding asks, its data is the body."""
    if body and content != _JSON and not content.endswith("+json"):
        raise HTTPException(415, f"Data of content type {content!r} is not read here. Send JSON data.")
    event: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")
    }
    return {**event, "data": read_json(body)} if body else event


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
