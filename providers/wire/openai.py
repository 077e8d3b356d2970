"""OpenAI's chat completions, spoken by most vendors and servers: `choices`, `finish_reason`, `[DONE]`."""

from __future__ import annotations

import json
from typing import Any, cast

from domain.ids import derive_id
from providers.types import Piece, Tokens
from providers.wire.events import Event
from providers.wire.reading import Body, Reading

_THOUGHTS = ("reasoning_content", "reasoning")


class OpenAIReading(Reading):
    """One answer in the format of OpenAI's chat completions."""

    def event(self, event: Event) -> list[Piece]:
        """As any; `[DONE]` says that no more comes, not that the answer is whole."""
        if event.data.strip() == b"[DONE]":
            self.ended = True
            return []
        return super().event(event)

    @property
    def over(self) -> bool:
        return self.ended or self.marker is not None

    def _delta(self, body: Body) -> None:
        if body.get("usage"):
            self._usage = body["usage"]
        if "choices" not in body and "usage" not in body:
            raise KeyError("choices")
        for choice in body.get("choices") or ():
            if choice.get("index", 0) == 0:
                self._choice(body, choice, choice.get("delta") or {})

    def _message(self, body: Body) -> None:
        self._usage = body.get("usage") or {}
        choice = body["choices"][0]
        self._choice(body, choice, choice.get("message") or {})

    def _choice(self, body: Body, choice: Body, said: Body) -> None:
        if self.marker is not None and (said.get("content") or said.get("tool_calls")):
            raise ValueError("More content after the end marker")
        self._said_in(said, body.get("id"))
        self._mark(choice.get("finish_reason"))

    def _said_in(self, said: Body, answer: object) -> None:
        if any(said.get(thought) for thought in _THOUGHTS):
            self._work()
        self._content(said.get("content"))
        if refusal := said.get("refusal"):
            self._refusal.append(str(refusal))
        for place, call in enumerate(said.get("tool_calls") or ()):
            self._call(call, call.get("index", place), answer)

    def _content(self, content: object) -> None:
        if not isinstance(content, list):
            self._text(content)
            return
        for part in cast("list[Body]", content):
            if part.get("type") == "text":
                self._text(part["text"])
            else:
                self._work()

    def _call(self, call: Body, index: int, answer: object) -> None:
        function: Body = call.get("function") or {}
        arguments: Any = function.get("arguments") or ""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        name = function.get("name")
        if self._is_answer(index, name):
            self._text(text)
        else:
            self._tool(index, call.get("id") or derive_id("call", self._provider, str(answer), index), name, text)

    def _tokens(self, usage: Body) -> Tokens:
        details: Body = usage.get("prompt_tokens_details") or {}
        cached = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
        return Tokens(
            input=usage["prompt_tokens"],
            output=usage.get("completion_tokens") or 0,
            cached=cached,
            cache_write=details.get("cache_write_tokens") or 0,
        )
