"""Entities: what signals speak of and actions change, in one tree by `parent`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_args
from unicodedata import combining, normalize

from pydantic import Field, StringConstraints

from domain.record import Record

EntityKind = Literal[
    "channel", "campaign", "budget", "keyword", "region", "product", "account", "person", "deal", "asset"
]
ENTITY_KINDS: frozenset[str] = frozenset(get_args(EntityKind))
_LONGEST_NAME = 80
_ID = r"^[a-z_]+:[^\s:][^\s]*$"

EntityId = Annotated[str, StringConstraints(pattern=_ID, max_length=200)]
"""`kind:name`, such as `budget:ctv-nordics`."""


class Entity(Record):
    """One thing of the company; `attrs` hold its state as people write it (money in major units)."""

    id: EntityId
    name: str
    parent: EntityId | None = None
    attrs: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def kind(self) -> str:
        return kind_of(self.id)


def kind_of(entity: str) -> str:
    """The part before the colon: `budget` of `budget:ctv-nordics`."""
    return entity.partition(":")[0]


def slug(text: str) -> str:
    """`text` as the name part of an id: lower case without accents, runs of what is no letter or digit as one dash."""
    bare = "".join(sign for sign in normalize("NFKD", text) if not combining(sign))
    return re.sub(r"[\W_]+", "-", bare.lower()).strip("-") or "unnamed"


class EntityTree:
    """Ancestors, descendants and names over declared parents. A cycle ends where it would close.

    It never changes, so what was asked once is remembered.
    """

    def __init__(self, entities: Iterable[Entity]) -> None:
        self.by_id: dict[str, Entity] = {entity.id: entity for entity in entities}
        self._chains: dict[str, tuple[str, ...]] = {}
        self._kinds: dict[str, tuple[Entity, ...]] = {}

    def __contains__(self, entity: object) -> bool:
        return entity in self.by_id

    def get(self, entity: str) -> Entity | None:
        return self.by_id.get(entity)

    def name(self, entity: str) -> str:
        """What people call it; `the whole company` for `*`, the id itself for what was never declared."""
        found = self.by_id.get(entity)
        return (found.name[:_LONGEST_NAME] if found else "") or ("the whole company" if entity == "*" else entity)

    def chain(self, entity: str) -> tuple[str, ...]:
        """`entity`, its parent, and so on to the root; then what these name in `attrs`, with the parents of that."""
        known = self._chains.get(entity)
        if known is None:
            seen = dict.fromkeys(self._line(entity))
            for member in list(seen):
                for named in self._named_by_attrs(member):
                    seen.update(dict.fromkeys(self._line(named)))
            known = self._chains[entity] = tuple(seen)
        return known

    def _line(self, entity: str) -> tuple[str, ...]:
        """`entity` and its parents up to the root, each once."""
        seen: dict[str, None] = {}
        step: str | None = entity
        while step is not None and step not in seen:
            seen[step] = None
            found = self.by_id.get(step)
            step = found.parent if found else None
        return tuple(seen)

    def _named_by_attrs(self, entity: str) -> Iterator[str]:
        """A campaign has one parent, but may also belong to a region, channel or product."""
        found = self.by_id.get(entity)
        for kind in ("region", "channel", "product"):
            value = found.attrs.get(kind) if found else None
            if isinstance(value, str) and value:
                yield value if value.startswith(f"{kind}:") else f"{kind}:{value}"

    def covers(self, scope: str, entity: str) -> bool:
        """Whether `scope` is `*`, `entity` itself, or one of its ancestors."""
        return scope == "*" or scope in self.chain(entity)

    def descendants(self, entity: str) -> tuple[str, ...]:
        """Every entity that `entity` covers, itself excluded, sorted."""
        return tuple(sorted(e for e in self.by_id if e != entity and self.covers(entity, e)))

    def of_kind(self, kind: str) -> tuple[Entity, ...]:
        if kind not in self._kinds:
            self._kinds[kind] = tuple(self.by_id[e] for e in sorted(self.by_id) if kind_of(e) == kind)
        return self._kinds[kind]
