"""Wire shapes of connected tools."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.wire import EntityName, Wire


class Connector(Wire):
    """A connected tool."""

    name: Annotated[str, Field(examples=["ads"])]
    """Its name in the configuration."""
    kind: Annotated[str, Field(examples=["sandbox"])]
    """What stands behind it."""
    reads: Annotated[list[str], Field(examples=[["ads", "web"]])]
    """Streams that it delivers as signals."""
    acts_on: Annotated[list[str], Field(examples=[["ads.budget.set"]])]
    """Kinds of action that it carries out."""
    can_undo: Annotated[list[str], Field(examples=[["ads.budget.set"]])]
    """Kinds that it can take back."""
    fault: str | None
    """Why it could not be opened."""


class ConnectorState(Wire):
    """What a tool shows now."""

    connector: Annotated[str, Field(examples=["ads"])]
    """The tool."""
    entity: EntityName | None
    """The entity that was asked for; null for all of them."""
    state: Annotated[dict[str, Any], Field(examples=[{"ads.budget.set": 120000, "currency": "EUR"}])]
    """By kind of action, money in minor units; without `entity` one such state for each entity."""
