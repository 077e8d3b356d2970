"""Loads `models.toml`: what is known about each model, kept as data apart from clients and routing."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from providers.types import Price


class ModelFacts(BaseModel):
    """`long_price` replaces `price` for a whole call whose prompt has more than `long_from_tokens` tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context_tokens: Annotated[int, Field(gt=0)]
    native_schema: bool
    price: Price
    long_from_tokens: int | None = None
    long_price: Price | None = None


class Weights(BaseModel):
    """A GGUF file told by its SHA-256. `size` in bytes; `hub_path` is relative to the hub's address, empty for none;
    `pins` is the file of `hashes/` that lists the packages carrying it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(gt=0)]
    hub_path: str
    pins: str
    licence: str


class Facts(BaseModel):
    """The whole table, keyed by `vendor/name` (models) and by local name (weights)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    models: dict[str, ModelFacts]
    weights: dict[str, Weights]


@cache
def known() -> Facts:
    """The table shipped with this version of Accord."""
    text = files("providers").joinpath("models.toml").read_text(encoding="utf-8")
    return Facts.model_validate(tomllib.loads(text))
