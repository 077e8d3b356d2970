"""Makes a world durable: an external system of its own, in its own file, that outlives the process that calls it.

The file is an append-only log of what was done to the world. Opening it resets the world and does all of it
again; since a world is deterministic, it then stands where it stood.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from connectors.sandbox.log import Entry, WorldLog
from connectors.sandbox.world import World
from domain.errors import AccordError, ConfigError, Conflict, InputError, TerminalError
from domain.ids import digest

Json = dict[str, Any]


@runtime_checkable
class Adopts(Protocol):
    """A world that takes over entities it is told of."""

    def adopt(self, entity: Mapping[str, Any]) -> None: ...


class Host:
    """One world behind one lock. Whatever a method returned has been written to disk."""

    def __init__(self, path: Path | str, world: World, seed: int = 0, *, look: bool = False) -> None:
        """With `look` the world as it stands now, to be read beside the process that holds it; it refuses to change."""
        self._lock = threading.RLock()
        self._log = WorldLog(path, type(world).__qualname__, seed, look=look)
        self._world, self._seed = world, seed
        self._replay()

    def _replay(self) -> None:
        self._world.reset(self._seed)
        self._adopted: dict[str, Json] = {}
        self._batches: list[bytes] = []
        self._more = True
        self._collect()
        for entry in self._log.entries():
            result = self._perform(entry.op, entry.payload)
            if digest(result) != digest(entry.result):
                raise ConfigError(
                    f"The world of {self._log.path!r} no longer repeats itself: {entry.op} gave {entry.result!r}, "
                    f"now {result!r}. Start it with a new file."
                )

    def _perform(self, op: str, payload: Json) -> Json:
        match op:
            case "advance":
                self._more = self._world.advance()
                self._collect()
                return {"more": self._more}
            case "adopt":
                if isinstance(self._world, Adopts):
                    self._world.adopt(payload)
                self._adopted[str(payload["id"])] = payload
                return {}
            case _:
                before = self._world.read(entity_of(payload))
                return {"before": before, **self._world.apply(payload)}

    def _collect(self) -> None:
        # A year of daily signals is large as objects and small as compressed text.
        self._batches.append(zlib.compress(json.dumps(self._world.signals()).encode(), 1))

    def _do(self, op: str, payload: Json, key: str | None = None) -> Json:
        """Act and write it down; when it cannot be written, the world forgets it too."""
        try:
            result = self._perform(op, payload)
            self._log.append(Entry(op, payload, key, result), self.day)
        except AccordError:
            self._replay()
            raise
        except Exception as error:  # edge: a foreign world may raise anything; it must not stand half-changed
            self._replay()
            raise TerminalError(f"The world failed at {op}: {error!r}. Mend the world.") from error
        return result

    @property
    def day(self) -> int:
        """Days advanced so far."""
        return len(self._batches) - 1

    @property
    def ended(self) -> bool:
        """Whether the last `advance` found no day left."""
        return not self._more

    @property
    def world(self) -> World:
        """The world itself, for judges that may know its value and truth."""
        return self._world

    def now(self) -> datetime:
        with self._lock:
            return self._world.now()

    def entities(self) -> list[Json]:
        with self._lock:
            return self._world.entities()

    def read(self, entity: str) -> Json:
        """State of `entity` by action kind, money in minor units; `*` shows what was made without an entity."""
        with self._lock:
            return self._world.read(entity)

    def signals(self, batch: int) -> list[Json]:
        """Events of batch 0 (before the first day) or of the `batch`-th day; the same at every call."""
        with self._lock:
            return json.loads(zlib.decompress(self._batches[batch]))

    def advance(self) -> bool:
        """Let one day pass; False, and nothing written, when there is none left."""
        with self._lock:
            if not self._more:
                return False
            return bool(self._do("advance", {})["more"])

    def adopt(self, entity: Mapping[str, Any]) -> None:
        """Tell the world of a declared entity; told twice alike, it changes nothing."""
        with self._lock:
            told = dict(entity)
            if isinstance(self._world, Adopts) and self._adopted.get(str(told["id"])) != told:
                self._do("adopt", told)

    def apply(self, action: Mapping[str, Any], idempotency_key: str) -> Json:
        """`{"ok", "state", "before", "error"?, "replayed"}`; a known key reports what it did and acts no more.

        Raises Conflict when the key was used for another action.
        """
        return self._keyed("apply", dict(action), idempotency_key)

    def compensate(self, idempotency_key: str) -> Json:
        """Set back what the action of `idempotency_key` set, if it still stands; else not ok, with the reason."""
        with self._lock:
            done = self._log.find(idempotency_key)
            if done is None or not done.result.get("ok"):
                raise InputError(f"No effect is recorded under {idempotency_key!r}. Give the key of an applied action.")
            action = done.payload
            restored = {**action, "value": done.result["before"].get(action["kind"]), "expect": action["value"]}
            return self._keyed("compensate", restored, f"{idempotency_key}:undo")

    def recorded(self, idempotency_key: str) -> Json | None:
        """The action written under a key, or None."""
        with self._lock:
            done = self._log.find(idempotency_key)
            return done.payload if done else None

    def _keyed(self, op: str, payload: Json, key: str) -> Json:
        with self._lock:
            known = self._log.find(key)
            if known is None:
                return {**self._do(op, payload, key), "replayed": False}
            if digest({**known.payload, "reason": ""}) != digest({**payload, "reason": ""}):
                raise Conflict(f"Key {key!r} was used for another action. Give each action its own key.")
            self._log.count_call(key, acted=False)
            return {**known.result, "replayed": True}

    def calls(self, idempotency_key: str | None = None, *, acted: bool | None = None) -> int:
        """How often the tool was called to write, in all or with one key; `acted` tells first calls from repeats."""
        with self._lock:
            return self._log.calls(idempotency_key, acted=acted)

    def close(self) -> None:
        with self._lock:
            self._log.close()


def entity_of(action: Mapping[str, Any]) -> str:
    """Where the state of `action` is read; `*` for actions without an entity."""
    return str(action.get("entity") or "*")
