"""Amazon Bedrock's Converse: a stream of AWS's binary event frames, or one plain JSON answer."""

from __future__ import annotations

import importlib
import json
from typing import Any

from providers.types import Piece, Tokens
from providers.wire.events import Event
from providers.wire.reading import Body, Reading


class Frames:
    """Bytes in, whole events out: the frame's type as the name, an exception as an event named `error`."""

    def __init__(self) -> None:
        self._eventstream = importlib.import_module("botocore.eventstream")
        self._buffer: Any = self._eventstream.EventStreamBuffer()

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. Raises ValueError when the bytes are no frames."""
        self._buffer.add_data(chunk)
        try:
            return [_event(frame.headers, frame.payload) for frame in self._buffer]
        except self._eventstream.ParserError as error:
            raise ValueError(str(error)) from error

    def close(self) -> list[Event]:
        """Nothing: a frame without its end is none."""
        return []


def _event(headers: Body, payload: bytes) -> Event:
    if headers.get(":message-type") == "event":
        return Event(str(headers.get(":event-type")), payload)
    kind = headers.get(":exception-type") or headers.get(":error-code")
    said = payload.decode("utf-8", "replace") or str(headers.get(":error-message"))
    return Event("error", json.dumps({"error": {"type": kind, "message": said}}).encode())


class BedrockReading(Reading):
    """One answer of Converse, streamed or plain."""

    _kind = ""

    def event(self, event: Event) -> list[Piece]:
        """As any; the frame's type says what its body is."""
        self._kind = event.name
        return super().event(event)

    @property
    def over(self) -> bool:
        return self.ended or self.marker is not None

    def _delta(self, body: Body) -> None:
        match self._kind:
            case "contentBlockStart":
                if call := body.get("start", {}).get("toolUse"):
                    self._call(body["contentBlockIndex"], call["toolUseId"], call["name"], "")
            case "contentBlockDelta":
                self._part(body["contentBlockIndex"], body["delta"])
            case "messageStop":
                self._mark(body["stopReason"])
            case "metadata":
                self._usage = body.get("usage") or {}
                self.ended = self.marker is not None
            case _:
                pass  # `messageStart`, `contentBlockStop`, and events the vendor may add

    def _part(self, index: int, delta: Body) -> None:
        if self.marker is not None:
            raise ValueError("More content after the end marker")
        if "text" in delta:
            self._text(delta["text"])
        elif call := delta.get("toolUse"):
            self._call(index, None, None, call.get("input") or "")
        else:
            self._work()

    def _message(self, body: Body) -> None:
        self._usage = body.get("usage") or {}
        for index, part in enumerate(body["output"]["message"]["content"]):
            if call := part.get("toolUse"):
                self._call(index, call["toolUseId"], call["name"], json.dumps(call.get("input") or {}))
            else:
                self._part(index, part)
        self._mark(body.get("stopReason"))

    def _call(self, index: int, id_: str | None, name: str | None, arguments: str) -> None:
        if self._is_answer(index, name):
            self._text(arguments)
        else:
            self._tool(self._place(index), id_, name, arguments)

    def _tokens(self, usage: Body) -> Tokens:
        """Bedrock counts cache reads and writes beside `inputTokens`, not within."""
        cached, written = usage.get("cacheReadInputTokens") or 0, usage.get("cacheWriteInputTokens") or 0
        return Tokens(
            input=usage["inputTokens"] + cached + written,
            output=usage.get("outputTokens") or 0,
            cached=cached,
            cache_write=written,
        )
