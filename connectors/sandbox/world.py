"""The World Protocol: a simulated company that policies and connectors act in, and the loader of foreign ones."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from domain.errors import ConfigError

Policy = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
"""Called with the CloudEvents of a day; returns actions for the harness to apply."""


@runtime_checkable
class World(Protocol):
    """A company simulated day by day. Money of `read` and `apply` is minor units; of `entities`, major units."""

    def reset(self, seed: int) -> None: ...
    def now(self) -> datetime: ...
    def entities(self) -> list[dict[str, Any]]:
        """Data of `accord.entity.declared`."""
        ...

    def signals(self) -> list[dict[str, Any]]:
        """CloudEvents since the last call, delays and faults included."""
        ...

    def read(self, entity: str) -> dict[str, Any]:
        """State keyed by action kind, and `currency`."""
        ...

    def apply(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """`{"ok", "state", "error"?}`; a state that is not as expected is not ok."""
        ...

    def advance(self) -> bool:
        """One day; False at the end."""
        ...

    def value(self) -> int:
        """True contribution margin so far, minor units; hidden from policies."""
        ...

    def truth(self) -> list[dict[str, Any]]:
        """Events (onset, kind, entities, decoy) and applied actions (effect); hidden from policies."""
        ...

    def oracle(self) -> Policy | None: ...


def load_world(name: str) -> World:
    """The world `module:Class`, imported with the current folder on the path and built without arguments.

    Raises ConfigError when the name is malformed, the import fails or the class lacks a method.
    """
    module_name, _, class_name = name.partition(":")
    if not module_name or not class_name:
        raise ConfigError(f"`{name!r}` names no world. Write it as module:Class.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        made = cast("object", getattr(importlib.import_module(module_name), class_name)())
    except Exception as error:  # edge: foreign code is built here; whatever it raises becomes one named error
        raise ConfigError(f"World {name!r} cannot be built: {error!r}. Mend the module or the name.") from error
    if not isinstance(made, World):
        lacking = [method for method in _METHODS if not hasattr(made, method)]
        raise ConfigError(f"World {name!r} lacks {', '.join(lacking)}. Add what the World Protocol asks for.")
    return made


_METHODS = ("reset", "now", "entities", "signals", "read", "apply", "advance", "value", "truth", "oracle")
