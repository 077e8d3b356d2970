"""What the wire shapes of OpenAI's protocol share: errors, models, and what Accord adds to an answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Lenient(BaseModel):
    """A part of a request whose unknown fields are ignored: clients send back what other servers answered."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Strict(BaseModel):
    """A whole request: an unknown parameter is refused, as OpenAI does."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Answered(BaseModel):
    """A value that leaves; every field says what it means."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class AccordNote(Answered):
    """What Accord adds: where the answer came from."""

    provider: Annotated[str, Field(examples=["local"])]
    """Who answered."""
    attempts: Annotated[int, Field(examples=[1])]
    """Providers that were called for it."""
    cost: Annotated[str | None, Field(examples=["0.000420000"])] = None
    """Decimal, of all attempts; null when a price is unknown."""
    currency: Annotated[str | None, Field(examples=["USD"])] = None
    """ISO 4217, of the answering provider's price."""
    why: Annotated[str, Field(examples=["local is the only provider that may see confidential data."])]
    """Why this route."""
    cached: Annotated[bool, Field(examples=[False])] = False
    """Whether it was given before, to the same request at temperature 0, and cost nothing now."""


class OpenAIErrorBody(Answered):
    """An error as OpenAI tells it."""

    message: Annotated[str, Field(examples=["There is no model 'gpt-4o'. Use 'auto', or one of: 'local'."])]
    """For people; its last sentence says what to do."""
    type: Annotated[str, Field(examples=["invalid_request_error"])]
    """The kind, as OpenAI names it."""
    param: Annotated[str | None, Field(examples=["model"])] = None
    """The parameter that is wrong."""
    code: Annotated[str | None, Field(examples=["model_not_found"])] = None
    """Stable name, for programs."""


class OpenAIError(Answered):
    """Every error of these doors, in OpenAI's shape."""

    error: OpenAIErrorBody
    """What went wrong."""


class Model(Answered):
    """A name that `model` may take."""

    id: Annotated[str, Field(examples=["auto"])]
    """What to write in `model`."""
    object: Literal["model"]
    """Always the same."""
    created: Annotated[int, Field(examples=[0])]
    """Always 0: configuration has no date."""
    owned_by: Annotated[str, Field(examples=["accord"])]
    """The vendor, or `accord` for what it routes."""


class Models(Answered):
    """The names that `model` may take now."""

    object: Literal["list"]
    """Always the same."""
    data: list[Model]
    """`auto` first, then the providers that can be called, in the order of the configuration."""
