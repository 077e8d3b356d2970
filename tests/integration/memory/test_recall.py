"""Recall by words at once, by meaning once indexed, and no answer that waits for either."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memory.embedder import Embedder, Vector, load_embedder
from memory.recall import Recall
from memory.remember import Item
from memory.rounds import RoundMark
from memory.store import Store

NOTES = [
    Item("n1", "Recall of product P: no promotion this week", "signal:mail#1", trust="external"),
    Item("n2", "Le budget de la télévision connectée est gelé jusqu'en mai", "signal:erp#2"),
    Item("n3", "Security questionnaire again stopped the deal with Nordbank", "signal:crm#3"),
]


class Axes:
    """Embeds a text as the counts of three words, and counts how often it is asked."""

    model = "axes"
    words = ("recall", "budget", "security")

    def __init__(self) -> None:
        self.asked = 0

    def passages(self, texts: Sequence[str]) -> list[Vector]:
        self.asked += len(texts)
        return [self.query(text) for text in texts]

    def query(self, text: str) -> Vector:
        counts = [text.casefold().count(word) + 0.01 for word in self.words]
        return np.asarray(counts, dtype=np.float32)


@pytest.fixture
def axes() -> Axes:
    return Axes()


@pytest.fixture
def open_recall(store: Store, tmp_path: Path) -> Iterator[Callable[..., Recall]]:
    opened: list[Recall] = []

    def start(load: Callable[[], Embedder | None], url: str = "chroma") -> Recall:
        opened.append(Recall(store.database, url, tmp_path, load=load))
        return opened[-1]

    yield start
    for recall in opened:
        recall.close()


def found(recall: Recall, query: str) -> list[str]:
    return [span.id for span in recall.search("notes", query, k=2)]


def test_words_answer_before_anything_is_indexed(open_recall: Callable[..., Recall], axes: Axes) -> None:
    recall = open_recall(lambda: axes)
    assert recall.add("notes", NOTES) == 3
    span = recall.search("notes", "which budgets are frozen? télévision")[0]
    assert (span.id, span.rank, span.trust, span.origin) == ("n2", 1, "internal", "signal:erp#2")
    assert (recall.status().mode, recall.status().waiting, axes.asked) == ("words", 3, 0)


def test_stored_notes_assets_and_situations_are_remembered_by_themselves(
    open_recall: Callable[..., Recall], axes: Axes, store: Store, make: Any
) -> None:
    asset = {"asset": "asset:a1", "title": "Security guide", "kind": "pdf", "stage": "verify", "status": "draft"}
    note = make.signal("n9", "note", team="legal", text="Ignore the audit", trust="external")
    store.signals.add([note, make.signal("a1", "asset.changed", **asset)])
    store.rounds.commit(RoundMark("rnd_1", make.now, 2), previous=None, situations=[make.situation()])
    recall = open_recall(lambda: axes)
    notes = recall.search("notes", "audit")
    assert [(span.origin, span.trust, span.when) for span in notes] == [("signal:test/crm#n9", "external", make.now)]
    assert [span.id for span in recall.search("assets", "guide to security")] == ["asset:a1"]
    assert [span.id for span in recall.search("situations", "queries")] == [make.situation().id]


def test_what_is_indexed_is_found_and_never_embedded_twice(open_recall: Callable[..., Recall], axes: Axes) -> None:
    recall = open_recall(lambda: axes)
    recall.add("notes", NOTES)
    assert recall.index() == 3
    assert recall.status().mode == "vectors"
    assert found(recall, "security")[0] == "n3"
    assert recall.add("notes", NOTES) == 0
    assert recall.rebuild() == 3
    assert axes.asked == 3


def test_what_is_forgotten_is_gone_from_both(open_recall: Callable[..., Recall], axes: Axes) -> None:
    recall = open_recall(lambda: axes)
    recall.add("notes", NOTES)
    recall.index()
    recall.delete("notes", ["n3"])
    assert "n3" not in found(recall, "security questionnaire")
    assert recall.index() == 1
    assert recall._chroma is not None
    assert recall._chroma.count("notes") == 2
    changed = Item("n1", "Security is fine now", "signal:mail#9")
    assert recall.add("notes", [changed]) == 1
    assert found(recall, "security")[0] == "n1"


def test_a_chroma_that_fails_leaves_words_and_says_so(open_recall: Callable[..., Recall], axes: Axes) -> None:
    recall = open_recall(lambda: axes, "http://127.0.0.1:9")
    recall.add("notes", NOTES)
    assert recall.index() == 0
    assert found(recall, "Nordbank deal") == ["n3"]
    status = recall.status()
    assert status.mode == "words"
    assert "Chroma failed" in status.detail


def test_a_lost_chroma_is_filled_again(
    open_recall: Callable[..., Recall], axes: Axes, tmp_path: Path, store: Store
) -> None:
    recall = open_recall(lambda: axes)
    recall.add("notes", NOTES)
    recall.index()
    other = Recall(store.database, "chroma", tmp_path / "moved", load=lambda: axes)
    assert other.index() == 3
    assert axes.asked == 3
    other.close()


def test_without_an_embedder_words_do(open_recall: Callable[..., Recall]) -> None:
    recall = open_recall(lambda: None)
    recall.add("notes", NOTES)
    assert recall.index() == 0
    assert found(recall, "promotion for product P") == ["n1"]
    assert "no embedder" in recall.status().detail


def test_meaning_crosses_languages(open_recall: Callable[..., Recall]) -> None:
    embedder = load_embedder()
    if embedder is None:
        pytest.skip("no embedder for this platform")
    recall = open_recall(lambda: embedder)
    recall.add("notes", NOTES)
    recall.start()
    recall.close()
    recall.index()
    assert found(recall, "spending on connected TV is frozen")[0] == "n2"
