"""Wire shapes of connected tools and model providers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.wire import Currency, EntityName, Time, Wire


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


class Provider(Wire):
    """A configured model provider."""

    name: Annotated[str, Field(examples=["local"])]
    """Its name in the configuration."""
    model: Annotated[str, Field(examples=["local/qwen2.5-coder-1.5b"])]
    """Vendor and model."""
    region: str | None
    """Where it computes, as configured."""
    data_classes: Annotated[list[str], Field(examples=[["public", "internal"]])]
    """What it may see."""
    called: bool
    """Whether it was ever called."""


class Providers(Wire):
    """Model providers, and what they have cost together."""

    items: list[Provider]
    """In the order of the configuration; routing decides, not the order."""
    next: str | None
    """Always null: there is one page."""
    calls: int
    """Attempts made so far."""
    cost: Annotated[str, Field(examples=["0.01742"])]
    """Decimal, in `currency`."""
    currency: Currency
    """ISO 4217."""


class ModelCall(Wire):
    """One attempt of a model call."""

    id: Annotated[str, Field(examples=["call_5b1f0a9c2d7e4f31"])]
    """Name of the attempt."""
    task: Annotated[str, Field(examples=["explain"])]
    """Family of the call."""
    key: str | None
    """API key that it was charged to."""
    provider: Annotated[str, Field(examples=["local"])]
    """Who was called."""
    model: str
    """Which model."""
    data_class: Annotated[str, Field(examples=["internal"])]
    """What it saw."""
    at: Time
    """When."""
    outcome: Annotated[str, Field(examples=["answered"])]
    """answered, failed or skipped."""
    error_code: str | None
    """Why it failed."""
    usage: dict[str, int] | None
    """Tokens billed."""
    cost_nano: int | None
    """Cost in billionths of `currency`; null when unknown."""
    currency: str | None
    """ISO 4217, of the price."""
    charged_nano: int
    """What budgets count, in billionths of the objective's currency."""
    estimated: bool = False
    """Whether that is the whole reservation, since no usage came."""
    latency_s: float
    """Seconds until the answer or the fault."""
