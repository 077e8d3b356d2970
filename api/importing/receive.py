"""Where mapped signals go: a preview, a file of JSON lines, or the store in batches."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from api.importing.mapper import Fault, Mapped

if TYPE_CHECKING:
    from agents.parts import Runtime
    from agents.settings import Settings

_BATCH = 500


class Receiver(Protocol):
    """Takes signals one by one; `take` and `finish` return what was refused on the way in."""

    accepted: int
    duplicate: int

    def take(self, item: Mapped) -> Iterable[Fault]: ...
    def finish(self) -> Iterable[Fault]: ...


class Preview:
    """Keeps the first `count` signals and counts the rest."""

    def __init__(self, count: int) -> None:
        self.accepted = self.duplicate = 0
        self.events: list[dict[str, Any]] = []
        self._count = count

    def take(self, item: Mapped) -> Iterable[Fault]:
        self.accepted += 1
        if len(self.events) < self._count:
            self.events.append(item.event)
        return ()

    def finish(self) -> Iterable[Fault]:
        return ()


class ToFile:
    """Writes JSON lines beside `path` and moves them there when all went well, so that no half file is left."""

    def __init__(self, path: Path) -> None:
        self.accepted = self.duplicate = 0
        self._path, self._part = path, path.with_name(f"{path.name}.part")

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("w", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    def take(self, item: Mapped) -> Iterable[Fault]:
        self._file.write(json.dumps(item.event, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.accepted += 1
        return ()

    def finish(self) -> Iterable[Fault]:
        return ()


class ToStore:
    """Stores in batches; what the store refuses comes back with the row it stems from."""

    def __init__(self, runtime: Runtime) -> None:
        self.accepted = self.duplicate = 0
        self._runtime = runtime
        self._batch: list[Mapped] = []

    def take(self, item: Mapped) -> Iterable[Fault]:
        self._batch.append(item)
        return self.finish() if len(self._batch) >= _BATCH else ()

    def finish(self) -> Iterable[Fault]:
        from agents.intake import accept

        batch, self._batch = self._batch, []
        if not batch:
            return ()
        added = accept(self._runtime, [item.event for item in batch], trust="internal")
        self.accepted += added.accepted
        self.duplicate += added.duplicate
        origin = {item.event["id"]: item for item in batch}
        return [Fault(origin[one.id].file, origin[one.id].line, one.error) for one in added.rejected]


@contextlib.contextmanager
def to_store(settings: Settings) -> Generator[ToStore]:
    """The store of `settings`, for as long as signals come."""
    from agents.runtime import build

    runtime = build(settings)
    try:
        yield ToStore(runtime)
    finally:
        runtime.close()
