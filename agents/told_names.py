"""The names of people and accounts that providers with pseudonyms are not told, from the declared entities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from domain.entities import Entity, EntityTree
from providers.names import Name, NameIndex, NameKind

_KINDS: dict[str, NameKind] = {"person": "person", "account": "account"}
_SITES = ("domain", "domains", "website", "site")
_HOST = re.compile(r"^(?:https?://)?(?:www\.)?([^/\s@:]+\.[^/\s@:.]{2,})")


class ToldNames:
    """The index of the newest entities, made anew when they have changed."""

    def __init__(self, tree: Callable[[], EntityTree]) -> None:
        self._tree = tree
        self._known: tuple[EntityTree | None, NameIndex] = (None, NameIndex())

    def __call__(self) -> NameIndex:
        tree, (before, index) = self._tree(), self._known
        if tree is not before:
            index = NameIndex(name for entity in tree.by_id.values() for name in names_of(entity))
            self._known = (tree, index)
        return index


def names_of(entity: Entity) -> Iterator[Name]:
    """What `entity` is called, in words and in its id, and the addresses that its attributes give."""
    kind = _KINDS.get(entity.kind)
    if kind is None:
        return
    yield Name(kind, entity.name)
    yield Name(kind, entity.id.partition(":")[2])
    for attribute in _SITES:
        for host in _hosts(entity.attrs.get(attribute)):
            yield Name("site", host)


def _hosts(value: Any) -> Iterator[str]:
    texts = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    for text in texts:
        found = _HOST.match(text) if isinstance(text, str) else None
        if found is not None:
            yield found[1]
