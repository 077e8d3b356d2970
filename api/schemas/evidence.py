"""Wire shapes of evidence and rival explanations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.wire import Wire

Trust = Literal["internal", "external"]
Origin = Literal["rules", "model"]


class Evidence(Wire):
    """One fact that a number or claim rests on."""

    text: Annotated[str, Field(examples=["Brand queries in Île-de-France rose 41 % over their baseline"])]
    """The fact in words."""
    figures: Annotated[dict[str, float | int | str | None], Field(examples=[{"rate": 0.41, "baseline": 1180.0}])]
    """The numbers in it."""
    source: Annotated[str, Field(examples=["series:queries@region:idf"])]
    """Query that finds it again."""
    quote: str | None
    """Words of a person or tool, verbatim; never markup."""
    trust: Trust
    """`external` for words from outside the company."""


class Hypothesis(Wire):
    """One rival explanation."""

    name: Annotated[str, Field(examples=["exposure_lift"])]
    """What may be the cause."""
    odds: Annotated[float, Field(examples=[0.72])]
    """0..1; over a situation's hypotheses they sum to 1."""
    because: str
    """What speaks for it."""
    origin: Origin
    """Who weighed it: deterministic code or a language model."""
