"""What the company remembers that resembles a situation: past situations with what came of them, notes, playbooks."""

from __future__ import annotations

from collections.abc import Sequence

from agents.graph import Recalled
from memory.recall import Recall
from memory.remember import Collection

_EACH = 3
_COLLECTIONS: tuple[Collection, ...] = ("situations", "playbooks", "notes")


class RecalledContext:
    """The graph's recall port. Texts from outside are left out: they would speak to a model with our voice."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall

    def __call__(self, query: str, /) -> Sequence[Recalled]:
        spans = [span for name in _COLLECTIONS for span in self._recall.search(name, query, _EACH)]
        return [Recalled(span.id, span.text) for span in spans if span.trust == "internal"]
