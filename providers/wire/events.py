"""Splits a server-sent event stream into events as its bytes arrive: any line end, comments, several `data` lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LINE = 8 * 1024 * 1024
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """`name` is empty for an event without one; `data` are its data lines joined by line feeds, as sent (UTF-8)."""

    name: str
    data: bytes


class EventStream:
    """Bytes in, whole events out. A comment (keep-alive) is no event."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []
        self._begun = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. Raises ValueError when a line has no end within 8 MiB."""
        lines = self._lines(chunk)
        if len(self._rest) > MAX_LINE:
            raise ValueError(f"A line of more than {MAX_LINE} bytes")
        return [event for line in lines if (event := self._line(line)) is not None]

    def close(self) -> list[Event]:
        """What the end of the stream completes: the last event needs no empty line after it."""
        last = [self._line(self._rest.rstrip(b"\r")), self._line(b"")]
        self._rest = b""
        return [event for event in last if event is not None]

    def _lines(self, chunk: bytes) -> list[bytes]:
        text = self._rest + chunk
        if not self._begun and len(text) >= 3:
            self._begun, text = True, text.removeprefix(b"\xef\xbb\xbf")
        if b"\r" not in text:
            *lines, self._rest = text.split(b"\n")
            return lines
        # A carriage return at the very end may be half of a line end.
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, rest = _LINE_END.split(text.removesuffix(held))
        self._rest = rest + held
        return lines

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._name, self._data
        self._name, self._data = "", []
        return Event(name, b"\n".join(data)) if data else None
