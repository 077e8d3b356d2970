"""Finds people, accounts, their domains, e-mail addresses and telephone numbers in any text, however they are written.

Names are found under other case, other or no accents, other separators, invisible signs and JSON's escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from unicodedata import category, normalize

NameKind = Literal["person", "account", "site", "mail", "phone"]

# Signs of ASCII together; an escape of JSON as the one sign it stands for; everything else sign by sign.
_RUN = re.compile(r"\\u(?P<escaped>[0-9a-fA-F]{4})|(?P<plain>[\x00-\x5b\x5d-\x7f]+)|.", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_MAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(
    r"(?<![\w+])(?:\+\d(?:[ .()/-]{0,2}\d){7,14}|0[1-9](?:[ .-]?\d\d){4}"
    r"|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4})(?!\d)"
)
_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"}
)
_WIDEST_GAP = 3  # signs between two words of one name
_LEAST = 2  # letters; what has fewer is no name
_SHORTEST = 3  # letters; shorter names are found in their own writing only


@dataclass(frozen=True, slots=True)
class Name:
    """One thing that must not be told, as the company writes it."""

    kind: NameKind
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A name in a text, from `start` to `end`; `who` is the same for all its writings."""

    start: int
    end: int
    kind: NameKind
    who: str


class NameIndex:
    """The known names, prepared once for many texts. Never changes."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._by_words: dict[tuple[str, ...], Name] = {}
        self._lengths: dict[str, set[int]] = {}  # numbers of words of the names that begin with a word
        self._exact: list[tuple[re.Pattern[str], Name]] = []
        self._unspaced: list[tuple[str, Name]] = []
        for name in dict.fromkeys(names):
            self._learn(name)

    def find(self, text: str) -> list[Found]:
        """Everything in `text` that must not be told, in its order, without overlaps."""
        folded = _Folded(text)
        found: list[Found] = []
        taken = bytearray(len(text) + 1)
        for one in self._everything(text, folded):
            if one.start < one.end and not any(taken[one.start : one.end]):
                taken[one.start : one.end] = b"\1" * (one.end - one.start)
                found.append(one)
        return sorted(found, key=lambda one: one.start)

    def _learn(self, name: Name) -> None:
        folded = _Folded(name.text).text
        words = tuple(_WORD.findall(folded))
        letters = sum(map(len, words))
        if letters < _LEAST:
            return
        if letters < _SHORTEST:
            self._exact.append((re.compile(rf"(?<![^\W_]){re.escape(name.text.strip())}(?![^\W_])"), name))
        elif _unspaced(folded):
            self._unspaced.append(("".join(words), name))
        else:
            self._by_words.setdefault(words, name)
            self._lengths.setdefault(words[0], set()).add(len(words))

    def _everything(self, text: str, folded: _Folded) -> Iterator[Found]:
        for match in _MAIL.finditer(folded.text):
            yield folded.found(match.start(), match.end(), "mail", match.group())
        for match in _PHONE.finditer(folded.text):
            yield folded.found(match.start(), match.end(), "phone", match.group())
        yield from self._worded(folded)
        for written, name in self._unspaced:
            for match in re.finditer(re.escape(written), folded.text):
                yield folded.found(match.start(), match.end(), name.kind, written)
        for pattern, name in self._exact:
            for match in pattern.finditer(text):
                yield Found(match.start(), match.end(), name.kind, name.text)

    def _worded(self, folded: _Folded) -> Iterator[Found]:
        """Names of words, the longest first where several begin alike."""
        words = list(_WORD.finditer(folded.text))
        for place, first in enumerate(words):
            for length in sorted(self._lengths.get(first.group(), ()), reverse=True):
                run = words[place : place + length]
                name = self._by_words.get(tuple(word.group() for word in run))
                if name is not None and _close(run):
                    yield folded.found(first.start(), run[-1].end(), name.kind, name.text.casefold())
                    break


class _Folded:
    """A text in its plainest writing, and where each of its signs came from."""

    def __init__(self, text: str) -> None:
        signs: list[str] = []
        origins: list[tuple[int, int]] = []
        for run in _RUN.finditer(text):
            if run.lastgroup == "plain":
                signs.append(run.group().lower())
                origins += [(place, place + 1) for place in range(run.start(), run.end())]
                continue
            plain = _plain(chr(int(run["escaped"], 16)) if run["escaped"] else run.group())
            if not plain and origins:  # accents and invisible signs belong to the sign before them
                origins[-1] = origins[-1][0], run.end()
            signs.append(plain)
            origins += [run.span()] * len(plain)
        self.text = "".join(signs)
        self._origins = origins

    def found(self, start: int, end: int, kind: NameKind, who: str) -> Found:
        return Found(self._origins[start][0], self._origins[end - 1][1], kind, who)


def _plain(sign: str) -> str:
    parts = normalize("NFKD", normalize("NFKD", sign).casefold())
    return "".join(part for part in parts if category(part) not in {"Mn", "Me", "Mc", "Cf"}).translate(_UNDECOMPOSED)


def _unspaced(folded: str) -> bool:
    """Whether the name is of a script that does not part its words."""
    letters = [sign for sign in folded if sign.isalpha()]
    return bool(letters) and all(sign.upper() == sign.lower() for sign in letters)


def _close(words: list[re.Match[str]]) -> bool:
    return all(after.start() - before.end() <= _WIDEST_GAP for before, after in pairwise(words))
