"""Remembers whole answers to exactly the same request, in this process: a second asking costs nothing.

Only answers at temperature 0 that ended by themselves are kept, for an hour. Personal data is never kept; confidential
answers are for the API key that asked; public and internal ones are for everybody, since a process serves one company.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from providers.registry import Provider
from providers.types import ModelAnswer, ModelRequest, Started, StreamEvent, TextDelta, ToolDelta

_LIVES = timedelta(hours=1)
_MOST_SIGNS = 32_000_000
_SHARED = frozenset({"public", "internal"})
_UNSAID = frozenset({"deadline_s", "key", "cache"})
"""Fields of a request that do not change what may be answered."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: ModelAnswer
    until: datetime
    signs: int


class ExactCache:
    """Answers by the digest of their request, the longest unused ones given up first. Safe to share between threads."""

    def __init__(self, *, lives: timedelta = _LIVES, most_signs: int = _MOST_SIGNS) -> None:
        self._lives, self._most_signs = lives, most_signs
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._signs = 0
        self._lock = threading.Lock()

    def key(self, request: ModelRequest, candidates: Iterable[Provider]) -> str | None:
        """What the answer of one of `candidates` is kept under; None when it must not be kept."""
        if not request.cache or request.temperature != 0 or request.data_class == "personal":
            return None
        asked = request.model_dump(mode="json", exclude=set(_UNSAID))
        asked["for"] = None if request.data_class in _SHARED else request.key
        asked["of"] = sorted([one.name, one.spec.model, one.spec.api_base or ""] for one in candidates)
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def get(self, key: str | None, now: datetime) -> ModelAnswer | None:
        """The answer kept under `key`, marked `cached` and free of cost; None when there is none."""
        with self._lock:
            kept = self._kept.get(key) if key is not None else None
            if key is None or kept is None:
                return None
            if kept.until <= now:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
        why = f"{kept.answer.provider!r} gave this answer to the same request before."
        free = {"cost_nano": 0, "attempts": (), "latency_s": 0.0, "cached": True, "why": why}
        return kept.answer.model_copy(update=free)

    def put(self, key: str | None, answer: ModelAnswer, now: datetime) -> None:
        """Keep `answer`, if it is whole."""
        if key is None or answer.cached or answer.finish == "length":
            return
        signs = len(answer.text) * 2 + sum(len(call.arguments) for call in answer.tool_calls) + 1_000
        if signs > self._most_signs:
            return
        with self._lock:
            self._drop(key)
            self._kept[key] = _Kept(answer, now + self._lives, signs)
            self._signs += signs
            while self._signs > self._most_signs:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        self._signs -= kept.signs if kept else 0


def replay(answer: ModelAnswer) -> Iterator[StreamEvent]:
    """A kept answer as the events of a stream."""
    yield Started(provider=answer.provider, model=answer.model)
    if answer.text:
        yield TextDelta(text=answer.text)
    for index, call in enumerate(answer.tool_calls):
        yield ToolDelta(index=index, id=call.id, name=call.name, arguments=call.arguments)
    yield answer
