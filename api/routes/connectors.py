"""`/v1/connectors`: the connected tools, and what they show now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from agents.parts import Runtime
from api.given import Used, asking
from api.schemas.tools import Connector, ConnectorState
from api.schemas.wire import Listed
from domain.errors import NotFound

router = APIRouter(prefix="/v1/connectors", tags=["tools"])
_BESIDE = frozenset({"currency"})
_MADE = "*"
"""Where a tool keeps what was made without an entity: briefs, messages."""


@router.get("", summary="List connectors", **asking("read"))
def list_connectors(runtime: Used) -> Listed[Connector]:
    """Connected tools with what they read and act on, and those that could not be opened with the reason."""
    configured = runtime.settings.connectors
    opened = [
        Connector(
            name=name,
            kind=configured[name].kind if name in configured else connector.manifest.name,
            reads=list(connector.manifest.reads),
            acts_on=list(connector.manifest.kinds),
            can_undo=list(connector.manifest.undo),
            fault=None,
        )
        for name, connector in runtime.tools.connectors.items()
    ]
    broken = [
        Connector(name=name, kind=configured[name].kind, reads=[], acts_on=[], can_undo=[], fault=why)
        for name, why in runtime.tools.broken.items()
    ]
    return Listed(items=[*opened, *broken], next=None)


@router.get("/{name}/state", summary="Read a tool back", **asking("read", 404))
def read_state(
    name: Annotated[str, Path(description="Name of the connector.", examples=["ads"])],
    runtime: Used,
    entity: Annotated[str | None, Query(description="Only this entity.", examples=["budget:search-brand"])] = None,
) -> ConnectorState:
    """What the tool shows now, by kind of action; without `entity` by entity, for every one that it knows."""
    connector = runtime.tools.connectors.get(name)
    if connector is None:
        raise NotFound(f"No connector is called {name!r}. See /v1/connectors for the connected ones.")
    kinds = frozenset(connector.manifest.kinds) | _BESIDE
    if entity is not None:
        return ConnectorState(connector=name, entity=entity, state=_shown(runtime, entity, kinds))
    everything = {known: _shown(runtime, known, kinds) for known in _entities(runtime, name)}
    shown = {known: state for known, state in everything.items() if state.keys() - _BESIDE}
    return ConnectorState(connector=name, entity=None, state=shown)


def _shown(runtime: Runtime, entity: str, kinds: frozenset[str]) -> dict[str, Any]:
    return {kind: value for kind, value in runtime.tools.state(entity).items() if kind in kinds}


def _entities(runtime: Runtime, name: str) -> list[str]:
    """The simulated company tells its entities itself; for other tools, those that were declared."""
    if runtime.settings.connectors[name].kind == "sandbox":
        return [*sorted(str(entity["id"]) for entity in runtime.tools.host().entities()), _MADE]
    return [*sorted(runtime.store.view(runtime.clock.now()).tree.by_id), _MADE]
