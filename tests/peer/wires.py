"""Three vendors' wire formats: how a request is read, and how an answer or an error is said, whole or as a stream.

Written from the vendors' published references; nothing here knows the code under test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from tests.peer.answers import Answer, Call, Usage, pieces

Part = Literal["open", "thought", "content", "close", "finish", "usage", "end", "ping"]


class Wire(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `data` is JSON, or text that is sent as it is. `part` says what it does in an answer."""

    part: Part
    data: dict[str, Any] | str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, read from any wire. `turns` are (role, text) with `assistant` for the vendor's own."""

    stream: bool
    turns: tuple[tuple[str, str], ...]
    tools: bool
    forced_tool: str | None
    schema: bool


class Format(Protocol):
    """One vendor's way of saying things."""

    newline: str

    def asked(self, path: str, body: Mapping[str, Any]) -> Asked: ...

    def body(self, answer: Answer) -> dict[str, Any]: ...

    def events(self, answer: Answer) -> Iterator[Event]: ...

    def error(self, status: int, message: str, code: str | None = None) -> dict[str, Any]: ...

    def error_event(self, status: int, message: str) -> Event: ...


def _text(content: object) -> str:
    """The text of a message whose content is a string or a list of typed parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _asked_in_messages(body: Mapping[str, Any], *, forced: str | None, schema: bool) -> Asked:
    turns = tuple((message["role"], _text(message.get("content"))) for message in body.get("messages", []))
    return Asked(bool(body.get("stream")), turns, bool(body.get("tools")), forced, schema)


class OpenAI:
    """Chat completions."""

    newline = "\n"
    _FINISH: Mapping[str, str] = {"tool": "tool_calls", "refused": "content_filter"}
    _TYPES: Mapping[int, tuple[str, str | None]] = {
        401: ("invalid_request_error", "invalid_api_key"),
        404: ("invalid_request_error", "model_not_found"),
        429: ("rate_limit_error", "rate_limit_exceeded"),
    }

    def asked(self, path: str, body: Mapping[str, Any]) -> Asked:
        choice = body.get("tool_choice")
        forced = choice["function"]["name"] if isinstance(choice, dict) else None
        return _asked_in_messages(body, forced=forced, schema="response_format" in body)

    def body(self, answer: Answer) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
        if answer.thoughts:
            message["reasoning_content"] = answer.thoughts
        if answer.calls:
            message["tool_calls"] = [self._call(call) for call in answer.calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish(answer)}
        usage = {"usage": self._usage(answer.usage)} if answer.usage else {}
        return self._frame("chat.completion") | {"choices": [choice]} | usage

    def events(self, answer: Answer) -> Iterator[Event]:
        yield self._delta("open", {"role": "assistant", "content": "", "refusal": None})
        for piece in pieces(answer.thoughts):
            yield self._delta("thought", {"reasoning_content": piece})
        for piece in pieces(answer.text):
            yield self._delta("content", {"content": piece})
        for index, call in enumerate(answer.calls):
            yield self._delta("open", {"tool_calls": [{"index": index} | self._call(Call(call.name, "", call.id))]})
            for piece in _fragments(call.arguments):
                yield self._delta("content", {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield self._delta("finish", {}, self._finish(answer))
        if answer.usage:
            frame = self._frame("chat.completion.chunk")
            yield Event("usage", frame | {"choices": [], "usage": self._usage(answer.usage)})
        yield Event("end", "[DONE]")

    def error(self, status: int, message: str, code: str | None = None) -> dict[str, Any]:
        usual = ("invalid_request_error", None) if status < 500 else ("server_error", None)
        kind, usual_code = self._TYPES.get(status, usual)
        return {"error": {"message": message, "type": kind, "param": None, "code": code or usual_code}}

    def error_event(self, status: int, message: str) -> Event:
        body = self.error(status, message)
        return Event("content", {"error": body["error"] | {"code": status}})

    def _delta(self, part: Part, delta: dict[str, Any], finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return Event(part, self._frame("chat.completion.chunk") | {"choices": [choice]})

    def _frame(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "peer-1", "system_fingerprint": "fp"}

    def _call(self, call: Call) -> dict[str, Any]:
        return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}

    def _finish(self, answer: Answer) -> str:
        return self._FINISH.get(answer.finish, answer.finish)

    def _usage(self, usage: Usage) -> dict[str, Any]:
        return {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.cached},
        }


class Anthropic:
    """Messages."""

    newline = "\n"
    _FINISH: Mapping[str, str] = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "refused": "refusal"}
    _TYPES: Mapping[int, str] = {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }

    def asked(self, path: str, body: Mapping[str, Any]) -> Asked:
        choice = body.get("tool_choice") or {}
        forced = choice.get("name") if choice.get("type") == "tool" else None
        return _asked_in_messages(body, forced=forced, schema="output_format" in body or "output_config" in body)

    def body(self, answer: Answer) -> dict[str, Any]:
        blocks: list[dict[str, Any]] = []
        if answer.thoughts:
            blocks.append({"type": "thinking", "thinking": answer.thoughts, "signature": "c2ln"})
        if answer.text:
            blocks.append({"type": "text", "text": answer.text})
        calls = ((call, _object(call.arguments)) for call in answer.calls)
        blocks += [{"type": "tool_use", "id": call.id, "name": call.name, "input": made} for call, made in calls]
        stop = {"stop_reason": self._FINISH[answer.finish], "stop_sequence": None}
        usage = answer.usage
        said = {"usage": self._prompt(usage) | {"output_tokens": usage.output}} if usage else {}
        return self._frame() | {"content": blocks} | stop | said

    def events(self, answer: Answer) -> Iterator[Event]:
        usage = answer.usage
        opening = {"usage": self._prompt(usage) | {"output_tokens": 1}} if usage else {}
        frame = self._frame() | {"content": [], "stop_reason": None, "stop_sequence": None} | opening
        yield self._event("open", "message_start", message=frame)
        blocks = [*self._thoughts(answer), *self._texts(answer), *self._calls(answer)]
        for index, (block, deltas) in enumerate(blocks):
            yield self._event("open", "content_block_start", index=index, content_block=block)
            if index == 0:
                yield self._event("ping", "ping")
            part: Part = "thought" if block["type"] == "thinking" else "content"
            for delta in deltas:
                yield self._event(part, "content_block_delta", index=index, delta=delta)
            yield self._event("close", "content_block_stop", index=index)
        stop = {"stop_reason": self._FINISH[answer.finish], "stop_sequence": None}
        billed = {"usage": {"output_tokens": usage.output}} if usage else {}
        yield self._event("finish", "message_delta", delta=stop, **billed)
        yield self._event("end", "message_stop")

    def error(self, status: int, message: str, code: str | None = None) -> dict[str, Any]:
        kind = self._TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        return {"type": "error", "error": {"type": code or kind, "message": message}, "request_id": "req_1"}

    def error_event(self, status: int, message: str) -> Event:
        return Event("content", self.error(status, message), "error")

    def _frame(self) -> dict[str, Any]:
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": "peer-1"}

    def _event(self, part: Part, kind: str, **data: object) -> Event:
        return Event(part, {"type": kind, **data}, kind)

    def _thoughts(self, answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        if answer.thoughts:
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(answer.thoughts)]
            yield {"type": "thinking", "thinking": ""}, [*deltas, {"type": "signature_delta", "signature": "c2ln"}]

    def _texts(self, answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        if answer.text or not answer.calls:
            yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces(answer.text)]

    def _calls(self, answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        for call in answer.calls:
            block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
            yield block, [{"type": "input_json_delta", "partial_json": part} for part in _fragments(call.arguments)]

    def _prompt(self, usage: Usage) -> dict[str, Any]:
        return {
            "input_tokens": usage.input - usage.cached,
            "cache_read_input_tokens": usage.cached,
            "cache_creation_input_tokens": 0,
        }


class Gemini:
    """generateContent and streamGenerateContent?alt=sse. A function call comes whole, and finishes with STOP."""

    newline = "\r\n"
    _FINISH: Mapping[str, str] = {"stop": "STOP", "length": "MAX_TOKENS", "tool": "STOP", "refused": "SAFETY"}
    _STATUSES: Mapping[int, str] = {
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        409: "ABORTED",
        429: "RESOURCE_EXHAUSTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }

    def asked(self, path: str, body: Mapping[str, Any]) -> Asked:
        roles = {"model": "assistant"}
        contents = [(roles.get(turn.get("role"), "user"), _text(turn.get("parts"))) for turn in body["contents"]]
        settings = body.get("generationConfig") or {}
        keys = ("response_schema", "response_json_schema", "responseSchema", "responseJsonSchema")
        schema = any(key in settings for key in keys)
        return Asked("streamGenerateContent" in path, tuple(contents), bool(body.get("tools")), None, schema)

    def body(self, answer: Answer) -> dict[str, Any]:
        parts = [{"text": answer.thoughts, "thought": True}] if answer.thoughts else []
        parts += [{"text": answer.text}] if answer.text else []
        parts += [self._call(call) for call in answer.calls]
        return self._chunk(parts, answer, self._FINISH[answer.finish])

    def events(self, answer: Answer) -> Iterator[Event]:
        for piece in pieces(answer.thoughts):
            yield Event("thought", self._chunk([{"text": piece, "thought": True}], answer))
        for piece in pieces(answer.text):
            yield Event("content", self._chunk([{"text": piece}], answer))
        for call in answer.calls:
            yield Event("content", self._chunk([self._call(call)], answer))
        yield Event("finish", self._chunk([{"text": ""}], answer, self._FINISH[answer.finish]))

    def error(self, status: int, message: str, code: str | None = None) -> dict[str, Any]:
        usual = "INVALID_ARGUMENT" if status < 500 else "INTERNAL"
        return {"error": {"code": status, "message": message, "status": code or self._STATUSES.get(status, usual)}}

    def error_event(self, status: int, message: str) -> Event:
        return Event("content", self.error(status, message))

    def _chunk(self, parts: list[dict[str, Any]], answer: Answer, finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        billed = {"usageMetadata": self._usage(answer.usage, whole=bool(finish))} if answer.usage else {}
        return {"candidates": [candidate]} | billed | {"modelVersion": "peer-1", "responseId": "r1"}

    def _call(self, call: Call) -> dict[str, Any]:
        return {"functionCall": {"name": call.name, "args": _object(call.arguments)}}

    def _usage(self, usage: Usage, *, whole: bool) -> dict[str, Any]:
        prompt = {"promptTokenCount": usage.input, "cachedContentTokenCount": usage.cached}
        said = usage.output if whole else 1
        return prompt | {"candidatesTokenCount": said, "totalTokenCount": usage.input + said}


FORMATS: Mapping[Wire, Format] = {Wire.OPENAI: OpenAI(), Wire.ANTHROPIC: Anthropic(), Wire.GEMINI: Gemini()}


def wire_of(path: str) -> Wire | None:
    """The wire spoken at a route, told by its end; None for a route no vendor has."""
    route = path.partition("?")[0]
    if route.endswith("/chat/completions"):
        return Wire.OPENAI
    if route.endswith("/messages"):
        return Wire.ANTHROPIC
    return Wire.GEMINI if route.endswith((":generateContent", ":streamGenerateContent")) else None


def rendered(event: Event, newline: str, *, lines: bool = False) -> bytes:
    """The bytes of `event`; with `lines` its JSON is spread over several `data:` lines."""
    data = event.data if isinstance(event.data, str) else _json(event.data, indent=1 if lines else None)
    name = f"event: {event.name}{newline}" if event.name else ""
    body = newline.join(f"data: {line}" for line in data.split("\n"))
    return f"{name}{body}{newline}{newline}".encode()


def _json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _object(text: str) -> Any:
    """Arguments as the object two of the vendors send; text that is no JSON stays text, which is the fault."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fragments(text: str, size: int = 7) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]
