"""Anthropic's messages: content blocks, `stop_reason` in `message_delta`, and `message_stop` as the last event."""

from __future__ import annotations

import json

from providers.types import Finish, Tokens
from providers.wire.reading import Body, Reading


class AnthropicReading(Reading):
    """One answer in Anthropic's messages format."""

    def __init__(self, provider: str, *, secret: str | None = None, json_tool: str | None = None) -> None:
        super().__init__(provider, secret=secret, json_tool=json_tool)
        self._streamed = False

    def _delta(self, body: Body) -> None:
        self._streamed = True
        match body["type"]:
            case "message_start":
                self._usage = dict(body["message"].get("usage") or {})
            case "content_block_start":
                self._block(body["index"], body["content_block"])
            case "content_block_delta":
                self._block_delta(body["index"], body["delta"])
            case "message_delta":
                self._note_usage(body.get("usage"))
                self._mark(body["delta"].get("stop_reason"))
            case "message_stop":
                self.ended = True
            case _:
                pass  # `ping`, `content_block_stop`, and events the vendor may add

    def _message(self, body: Body) -> None:
        self._note_usage(body.get("usage"))
        for index, block in enumerate(body["content"]):
            self._block(index, block)
        self._mark(body.get("stop_reason"))

    def _block(self, index: int, block: Body) -> None:
        match block["type"]:
            case "text":
                self._more_text(block.get("text"))
            case "tool_use":
                given = block.get("input")
                self._more_tool(index, block["id"], block["name"], json.dumps(given) if given else "")
            case _:
                self._work()

    def _block_delta(self, index: int, delta: Body) -> None:
        match delta["type"]:
            case "text_delta":
                self._more_text(delta["text"])
            case "input_json_delta":
                self._more_tool(index, None, None, delta["partial_json"])
            case _:
                self._work()

    def _more_text(self, text: object) -> None:
        self._must_be_open()
        self._text(text)

    def _more_tool(self, index: int, id_: str | None, name: str | None, arguments: str) -> None:
        self._must_be_open()
        if self._is_answer(index, name):
            self._text(arguments)
        else:
            self._tool(self._place(index), id_, name, arguments)

    def _must_be_open(self) -> None:
        if self.marker is not None:
            raise ValueError("More content after the end marker")

    def _note_usage(self, usage: Body | None) -> None:
        """Later counts replace earlier ones: `message_delta` brings the final output."""
        if usage:
            self._usage = self._usage | {key: value for key, value in usage.items() if value is not None}

    def _finish(self) -> Finish:
        if self._streamed and not self.ended:
            raise self._lost("broke off before `message_stop`")
        return super()._finish()

    def _tokens(self, usage: Body) -> Tokens:
        """Anthropic counts cache reads and writes beside `input_tokens`, not within."""
        cached = usage.get("cache_read_input_tokens") or 0
        written = usage.get("cache_creation_input_tokens") or 0
        return Tokens(
            input=usage["input_tokens"] + cached + written,
            output=usage.get("output_tokens") or 0,
            cached=cached,
            cache_write=written,
        )
