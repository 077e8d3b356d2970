"""Replaces what must not leave the machine by placeholders, and puts it back into what comes back: pure.

The map is made anew for each call, from a salt of its own, and lives as long as the call. Every writing of a name has a
placeholder of its own, so that what is put back is exact; writings of one name share all but its last sign.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from itertools import count

from pydantic import JsonValue

from providers.names import Found, NameIndex

_KEPT = frozenset({"type", "$ref", "$schema", "$id", "format", "pattern", "role", "kind"})
"""Keys of a schema whose values are words of the schema's language."""


class Veil:
    """The placeholders of one call."""

    def __init__(self, texts: Iterable[str], index: NameIndex, salt: str) -> None:
        """Knows what must be hidden in `texts`, and chooses placeholders that none of them could be taken for."""
        parts = [(text, index.find(text)) for text in dict.fromkeys(texts)]
        for number in count():
            self._choose(parts, f"{salt}:{number}")
            if all(self.restore(self._hidden(text, found)) == text for text, found in parts):
                return

    @property
    def size(self) -> int:
        """How many writings are hidden."""
        return len(self._surfaces)

    def hide(self, text: str) -> str:
        """`text`, which must be one of those the veil was made for, with placeholders."""
        return self._hidden(text, self._found.get(text, []))

    def restore(self, text: str, *, in_json: bool = False) -> str:
        """`text` with what its placeholders stand for; `in_json` when it is the text of a JSON value."""
        if not self._surfaces:
            return text
        return self._pattern.sub(lambda match: self._put_back(match.group(), in_json=in_json), text)

    def restorer(self, *, in_json: bool = False) -> Restorer:
        """`restore` for a text that comes in pieces."""
        return Restorer(lambda text: self.restore(text, in_json=in_json), self._beginnings)

    def _choose(self, parts: list[tuple[str, list[Found]]], salt: str) -> None:
        self._found = dict(parts)
        self._surfaces: dict[str, str] = {}
        self._placeholders: dict[tuple[str, str, str], str] = {}
        for text, found in parts:
            for one in found:
                key = (one.kind, one.who, text[one.start : one.end])
                if key not in self._placeholders:
                    placeholder = self._unused(key, salt)
                    self._placeholders[key] = placeholder
                    self._surfaces[placeholder] = key[2]
        self._pattern = re.compile("|".join(self._surfaces), re.IGNORECASE)
        self._beginnings = frozenset(name[:end] for name in self._surfaces for end in range(1, len(name)))

    def _unused(self, key: tuple[str, str, str], salt: str) -> str:
        kind, who, _ = key
        for number in count():
            writing, again = number % 16, number // 16
            digest = hashlib.sha256(f"{salt}:{kind}:{who}:{again}".encode("utf-8", "surrogatepass")).hexdigest()
            placeholder = f"{kind}_{digest[:4]}{writing:x}"
            if placeholder not in self._surfaces:
                return placeholder
        raise AssertionError

    def _hidden(self, text: str, found: list[Found]) -> str:
        out, place = list[str](), 0
        for one in found:
            out += [text[place : one.start], self._placeholders[one.kind, one.who, text[one.start : one.end]]]
            place = one.end
        return "".join([*out, text[place:]])

    def _put_back(self, placeholder: str, *, in_json: bool) -> str:
        surface = self._surfaces[placeholder.lower()]
        return json.dumps(_unescaped(surface), ensure_ascii=False)[1:-1] if in_json else surface


class Restorer:
    """Puts back what comes in pieces: the end of a piece is held while it may be the beginning of a placeholder."""

    def __init__(self, restore: Callable[[str], str], beginnings: frozenset[str]) -> None:
        self._restore = restore
        self._beginnings = beginnings
        self._longest = max(map(len, beginnings), default=0)
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be given on now."""
        text = self._held + piece
        longest = min(self._longest, len(text))
        held = next((n for n in range(longest, 0, -1) if text[-n:].lower() in self._beginnings), 0)
        self._held = text[len(text) - held :]
        return self._restore(text[: len(text) - held])

    def flush(self) -> str:
        """What was still held, at the end."""
        text, self._held = self._held, ""
        return self._restore(text)


def strings_in(value: JsonValue) -> Iterable[str]:
    """Every text of a JSON value that may hold a name: not its keys, nor the words of a schema's language."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from strings_in(item)
        case dict():
            for key, item in value.items():
                if key not in _KEPT or not isinstance(item, str):
                    yield from strings_in(item)
        case _:
            return


def with_strings(value: JsonValue, change: Callable[[str], str]) -> JsonValue:
    """`value` with each text of `strings_in` changed."""
    match value:
        case str():
            return change(value)
        case list():
            return [with_strings(item, change) for item in value]
        case dict():
            return {
                key: item if key in _KEPT and isinstance(item, str) else with_strings(item, change)
                for key, item in value.items()
            }
        case _:
            return value


def _unescaped(surface: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), surface)
