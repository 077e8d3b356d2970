"""Chroma, and nothing but Chroma: vectors by id in named collections, embedded or over HTTP."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from domain.errors import ConfigError, TransientError
from memory.embedder import Vector

_HTTP_PORT = 8000


class Chroma:
    """An open client. It holds ids and vectors only; texts stay in the database. Raises TransientError."""

    def __init__(self, url: str, home: Path) -> None:
        with _translated():
            self._client = _connect(url, home)

    def count(self, collection: str) -> int:
        with _translated():
            return int(self._collection(collection).count())

    def upsert(self, collection: str, ids: Sequence[str], vectors: Sequence[Vector]) -> None:
        with _translated():
            self._collection(collection).upsert(ids=list(ids), embeddings=list(vectors))

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        with _translated():
            self._collection(collection).delete(ids=list(ids))

    def nearest(self, collection: str, vector: Vector, k: int) -> list[str]:
        """Ids by growing cosine distance, at most `k`."""
        with _translated():
            found = self._collection(collection).query(query_embeddings=[vector], n_results=k, include=["distances"])
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [name for name, _ in sorted(pairs, key=lambda pair: (pair[1], pair[0]))]

    def drop(self, collection: str) -> None:
        """Forgets every vector of `collection`."""
        with _translated():
            self._collection(collection)
            self._client.delete_collection(collection)

    def close(self) -> None:
        with _translated():
            self._client.close()

    def _collection(self, name: str) -> Any:
        # Without its own embedder: Chroma would fetch one over the network.
        return self._client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )


def _connect(url: str, home: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if url == "chroma":
        return chromadb.PersistentClient(str(home / "chroma"), settings=settings)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise ConfigError(f"`memory.url` {url!r} is no address. Write chroma, http://host:8000 or off.")
    return chromadb.HttpClient(parts.hostname, parts.port or _HTTP_PORT, ssl=parts.scheme == "https", settings=settings)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # edge: Chroma lets errors of its engine, of HTTP and of its store through alike
        raise TransientError(f"Chroma failed: {error}. Recall by words goes on; see `accord doctor`.") from error
