"""An answer of the gateway as a chat completion: whole, or as the chunks of a stream."""

from __future__ import annotations

import json
from typing import Any

from api.openai.errors import as_body
from api.openai.notes import note
from api.schemas.completions import ChatUsage
from domain.errors import AccordError
from providers.types import Finish, ModelAnswer, Tokens, ToolDelta

_FINISH: dict[Finish, str] = {"stop": "stop", "length": "length", "tool": "tool_calls"}
_DONE = b"data: [DONE]\n\n"
# Escaped, since a vendor may part a letter into two deltas, whose halves are no text of their own.
encode = json.JSONEncoder(separators=(",", ":")).encode


def whole(answer: ModelAnswer, *, name: str, created: int) -> dict[str, Any]:
    """`answer` as OpenAI's `chat.completion`; `created` in seconds since 1970."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if answer.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.tool_calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH[answer.finish]}
    return {
        "id": name,
        "object": "chat.completion",
        "created": created,
        "model": answer.model,
        "choices": [choice],
        "usage": usage_of(answer.usage),
        "service_tier": None,
        "system_fingerprint": None,
        "accord": note(answer).model_dump(),
    }


def usage_of(tokens: Tokens | None) -> dict[str, Any] | None:
    if tokens is None:
        return None
    return ChatUsage(
        prompt_tokens=tokens.input,
        completion_tokens=tokens.output,
        total_tokens=tokens.input + tokens.output,
        prompt_tokens_details={"cached_tokens": tokens.cached, "audio_tokens": 0},
        completion_tokens_details={"reasoning_tokens": 0, "audio_tokens": 0},
    ).model_dump()


class ChatWriter:
    """Chunks in OpenAI's order: role, content, finish, usage when asked for, `[DONE]`.

    What does not change from chunk to chunk is serialised once: a delta costs one JSON string.
    """

    def __init__(self, name: str, created: int, *, with_usage: bool) -> None:
        self._name, self._created, self._with_usage = name, created, with_usage
        self._open = self._shut = ""
        self._role_told = False

    def started(self, model: str) -> bytes:
        """Nothing is written yet: the role chunk depends on whether text or a tool call comes first."""
        head = {"id": self._name, "object": "chat.completion.chunk", "created": self._created, "model": model}
        told = {**head, "service_tier": None, "system_fingerprint": None}
        self._open = f'data: {encode(told)[:-1]},"choices":'
        self._shut = ',"usage":null}\n\n' if self._with_usage else "}\n\n"
        return b""

    def text(self, delta: str) -> bytes:
        return self._role('""') + self._delta(f'{{"content":{encode(delta)}}}')

    def tool(self, delta: ToolDelta) -> bytes:
        call: dict[str, Any] = {"index": delta.index}
        if delta.id is not None:
            call |= {"id": delta.id, "type": "function"}
        function: dict[str, str] = {} if delta.name is None else {"name": delta.name}
        call["function"] = {**function, "arguments": delta.arguments}
        return self._role("null") + self._delta(encode({"tool_calls": [call]}))

    def ended(self, answer: ModelAnswer) -> bytes:
        """Finish and usage. What Accord adds stands in the last chunk, with or without usage."""
        if not self._open:
            self.started(answer.model)
        told = f',"accord":{note(answer).model_dump_json()}'
        finish = self._delta("{}", f'"{_FINISH[answer.finish]}"', "" if self._with_usage else told)
        usage = b""
        if self._with_usage:
            usage = f'{self._open}[],"usage":{encode(usage_of(answer.usage))}{told}}}\n\n'.encode()
        return self._role('""') + finish + usage + _DONE

    def failed(self, error: AccordError) -> bytes:
        """An error event; neither a finish reason nor `[DONE]` follows it."""
        return f"data: {as_body(error).model_dump_json()}\n\n".encode()

    def _role(self, content: str) -> bytes:
        if self._role_told:
            return b""
        self._role_told = True
        return self._delta(f'{{"role":"assistant","content":{content},"refusal":null}}')

    def _delta(self, delta: str, finish: str = "null", more: str = "") -> bytes:
        choice = f'[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]'
        return f"{self._open}{choice}{more}{self._shut}".encode()
