"""Recall: texts that resemble a question, by words at once and by meaning as soon as they are indexed.

The database is the truth; Chroma holds vectors of it and can be rebuilt. Reading never waits for indexing,
and a failing Chroma leaves recall by words.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, func, select, update

from domain.errors import TransientError
from domain.signals import Trust
from memory import tables
from memory.chroma import Chroma
from memory.database import Database
from memory.embedder import Embedder, load_embedder
from memory.lexicon import Lexicon
from memory.page import AnyRow
from memory.remember import COLLECTIONS, GONE, INDEXED, NEW, Collection, Item, remember
from memory.vectors import drop_orphans, embed

_TABLE = tables.recalled.c
_FUSE = 60  # Cormack, Clarke and Büttcher 2009, Reciprocal Rank Fusion
_BATCH = 8
_RETRY_S, _POLL_S = 30.0, 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Span:
    """A remembered text; `rank` 1 resembles the question most. There is no score: e5 cosines mean nothing alone."""

    id: str
    text: str
    origin: str
    trust: Trust
    rank: int
    when: datetime | None


@dataclass(frozen=True, slots=True)
class RecallStatus:
    """How recall works now: by `vectors` and words, or by `words` alone and why; texts that wait to be indexed."""

    mode: Literal["vectors", "words"]
    detail: str
    waiting: int


class Recall:
    """Texts in collections. `index` does what is due; `start` keeps doing it in a thread of its own.

    `url` is `chroma` (a folder under `home`), an HTTP address, or `off` for words alone.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        home: Path,
        *,
        load: Callable[[], Embedder | None] = load_embedder,
    ) -> None:
        self._database, self._url, self._home, self._load = database, url, home, load
        self._embedder: Embedder | None = None
        self._chroma: Chroma | None = None
        self._detail = "`memory.url` is off" if url == "off" else "nothing is indexed yet"
        self._usable = url != "off"
        self._lexicons: dict[str, tuple[tuple[int, int], Lexicon]] = {}
        self._reading, self._indexing = threading.Lock(), threading.Lock()
        self._due, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, collection: Collection, items: Sequence[Item]) -> int:
        """Remembers `items`, replacing those of the same id; returns how many were new or changed."""
        with self._database.write() as connection:
            changed = remember(connection, collection, items)
        self._due.set()
        return changed

    def delete(self, collection: Collection, ids: Sequence[str]) -> None:
        """Forgets texts and their cached vectors now, and has Chroma forget them at the next indexing."""
        here = (_TABLE.collection == collection, _TABLE.id.in_(list(ids)))
        with self._database.write() as connection:
            connection.execute(update(tables.recalled).where(*here), {"state": GONE, "text": "", "hash": ""})
            drop_orphans(connection)
        self._due.set()

    def search(self, collection: Collection, query: str, k: int = 5) -> list[Span]:
        """The `k` texts that resemble `query` most, by meaning and by words together."""
        scores: dict[str, float] = {}
        for ids in (self._by_words(collection, query, 4 * k), self._by_meaning(collection, query, 4 * k)):
            for rank, name in enumerate(ids):
                scores[name] = scores.get(name, 0.0) + 1 / (_FUSE + rank)
        rows = self._live(collection, list(scores))
        best = sorted(rows, key=lambda row: (-scores[row.id], row.id))[:k]
        return [Span(row.id, row.text, row.origin, row.trust, rank, row.at) for rank, row in enumerate(best, 1)]

    def status(self) -> RecallStatus:
        with self._database.read() as connection:
            query = select(func.count()).where(_TABLE.state != INDEXED)
            waiting = int(connection.execute(query).scalar_one()) if self._usable else 0
        return RecallStatus("vectors" if self._chroma else "words", self._detail, waiting)

    def index(self, limit: int = 1_000_000) -> int:
        """Embeds and hands to Chroma what waits, at most `limit` texts; returns how many.

        A failure is no error here; it shows in `status`.
        """
        with self._indexing:
            if not self._usable or not self._connect():
                return 0
            done = 0
            try:
                while done < limit:
                    step = self._forget() + self._index_some(min(_BATCH, limit - done))
                    if step == 0:
                        break
                    done += step
            except TransientError as error:
                self._degrade(error.detail)
            return done

    def rebuild(self) -> int:
        """Throws Chroma's vectors away and hands over every text again, from cached vectors where they fit."""
        with self._indexing:
            if self._usable and self._connect() and self._chroma is not None:
                try:
                    for collection in COLLECTIONS:
                        self._chroma.drop(collection)
                except TransientError as error:
                    self._degrade(error.detail)
            with self._database.write() as connection:
                connection.execute(update(tables.recalled).where(_TABLE.state == INDEXED), {"state": NEW})
        return self.index()

    def start(self) -> None:
        """Indexes in the background until `close`."""
        if self._usable and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="accord-recall", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()
        if self._chroma is not None:
            try:
                self._chroma.close()
            except TransientError as error:
                _log.warning("%s", error.detail)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._due.clear()
            try:
                while not self._ended.is_set() and self.index(_BATCH):
                    pass
            except Exception as error:  # edge: a thread without a caller; recall by words goes on
                self._degrade(f"Indexing failed: {error}. Recall by words goes on; see `accord doctor`.")
            self._due.wait(_POLL_S if self._chroma else _RETRY_S)

    def _connect(self) -> bool:
        if self._chroma is not None:
            return True
        self._embedder = self._embedder or self._load()
        if self._embedder is None:
            self._usable, self._detail = False, "no embedder is installed for this platform"
            return False
        try:
            chroma = Chroma(self._url, self._home)
            self._restore(chroma)
        except TransientError as error:
            self._degrade(error.detail)
            return False
        self._chroma, self._detail = chroma, f"{self._embedder.model} in {self._url}"
        return True

    def _restore(self, chroma: Chroma) -> None:
        """A Chroma that holds another number of vectors than we gave it is given all of them again."""
        query = select(func.count()).where(_TABLE.state == INDEXED)
        for collection in COLLECTIONS:
            here = _TABLE.collection == collection
            with self._database.read() as connection:
                given = connection.execute(query.where(here)).scalar_one()
            if chroma.count(collection) != given:
                again = update(tables.recalled).where(here, _TABLE.state == INDEXED)
                with self._database.write() as connection:
                    connection.execute(again, {"state": NEW})

    def _degrade(self, detail: str) -> None:
        _log.warning("%s", detail)
        self._chroma, self._detail = None, detail

    def _index_some(self, limit: int) -> int:
        query = select(tables.recalled).where(_TABLE.state == NEW).order_by(_TABLE.n).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        if not rows or self._embedder is None or self._chroma is None:
            return 0
        vectors = embed(self._database, self._embedder, {row.hash: row.text for row in rows})
        for collection in sorted({row.collection for row in rows}):
            mine = [row for row in rows if row.collection == collection]
            self._chroma.upsert(collection, [row.id for row in mine], [vectors[row.hash] for row in mine])
        # By position: a text that was replaced meanwhile has another one and stays due.
        done = update(tables.recalled).where(_TABLE.n.in_([row.n for row in rows]), _TABLE.state == NEW)
        with self._database.write() as connection:
            connection.execute(done, {"state": INDEXED})
        return len(rows)

    def _forget(self) -> int:
        with self._database.read() as connection:
            rows = connection.execute(select(tables.recalled).where(_TABLE.state == GONE)).all()
        if not rows or self._chroma is None:
            return 0
        for collection in sorted({row.collection for row in rows}):
            self._chroma.delete(collection, [row.id for row in rows if row.collection == collection])
        with self._database.write() as connection:
            connection.execute(delete(tables.recalled).where(_TABLE.n.in_([row.n for row in rows])))
            drop_orphans(connection)
        return len(rows)

    def _by_meaning(self, collection: Collection, query: str, k: int) -> list[str]:
        chroma, embedder = self._chroma, self._embedder
        if chroma is None or embedder is None:
            return []
        try:
            return chroma.nearest(collection, embedder.query(query), k)
        except TransientError as error:
            self._degrade(error.detail)
            self._due.set()
            return []

    def _live(self, collection: Collection, ids: Sequence[str]) -> list[AnyRow]:
        query = select(tables.recalled).where(_TABLE.collection == collection, _TABLE.id.in_(ids))
        with self._database.read() as connection:
            return list(connection.execute(query.where(_TABLE.state != GONE)).all())

    def _by_words(self, collection: Collection, query: str, k: int) -> list[str]:
        with self._reading:
            return self._lexicon(collection).nearest(query, k)

    def _lexicon(self, collection: Collection) -> Lexicon:
        """Words of `collection`, read again from where it last stood when rows came, wholly when rows went."""
        here = (_TABLE.collection == collection, _TABLE.state != GONE)
        sizes = select(func.count(), func.coalesce(func.max(_TABLE.n), 0)).where(*here)
        with self._database.read() as connection:
            count, newest = connection.execute(sizes).one()
            (known, seen), lexicon = self._lexicons.get(collection, ((0, 0), Lexicon()))
            if (known, seen) == (count, newest):
                return lexicon
            rows = connection.execute(select(_TABLE.id, _TABLE.text).where(*here, _TABLE.n > seen)).all()
            if known + len(rows) != count:
                lexicon = Lexicon()
                rows = connection.execute(select(_TABLE.id, _TABLE.text).where(*here)).all()
            for row in rows:
                lexicon.add(row.id, row.text)
            self._lexicons[collection] = ((count, newest), lexicon)
            return lexicon
