"""What goes into and comes out of a model call: specification, request, answer, attempts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

DataClass = Literal["public", "internal", "confidential", "personal"]
Finish = Literal["stop", "length", "tool"]
Schema = Mapping[str, JsonValue]

UNDECLARED_DATA_CLASSES: tuple[DataClass, ...] = ("public", "internal")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Frozen):
    """Decimal major units of `currency` per million tokens."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    input: Annotated[Decimal, Field(ge=0)]
    output: Annotated[Decimal, Field(ge=0)]
    cached_input: Annotated[Decimal, Field(ge=0)] | None = None
    cache_write: Annotated[Decimal, Field(ge=0)] | None = None


class ProviderSpec(_Frozen):
    """One item of `providers:` in `accord.yaml`. `model` is `vendor/name`; `local/…` is served by this process."""

    name: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(pattern=r"^[a-z0-9_.-]+/.+$")]
    api_base: str | None = None
    api_key_env: str | None = None
    data_classes: tuple[DataClass, ...] = UNDECLARED_DATA_CLASSES
    region: str | None = None
    rpm: Annotated[int, Field(gt=0)] | None = None
    price: Price | None = None

    @property
    def vendor(self) -> str:
        return self.model.partition("/")[0]

    @property
    def model_name(self) -> str:
        return self.model.partition("/")[2]


class Budget(_Frozen):
    """One item of `budgets:`; `month` is a hard limit in major units of the objective's currency."""

    scope: Annotated[str, Field(pattern=r"^(all|(provider|task|key):.+)$")]
    month: Annotated[Decimal, Field(ge=0)]


class Message(_Frozen):
    role: Literal["system", "user", "assistant"]
    content: str


class ModelRequest(_Frozen):
    """One call: `task` names its family, `answer_schema` (JSON Schema) makes the answer a checked JSON value.

    `deadline_s` bounds the whole call over all attempts. `key` is the API key it is charged to, if any.
    """

    task: Annotated[str, Field(min_length=1)]
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    answer_schema: Schema | None = None
    max_tokens: Annotated[int, Field(gt=0)] = 512
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    data_class: DataClass = "internal"
    deadline_s: Annotated[float, Field(gt=0)] = 120.0
    key: str | None = None


class Tokens(_Frozen):
    """Tokens billed. `input` counts the whole prompt, including the `cached` and `cache_write` parts of it."""

    input: Annotated[int, Field(ge=0)] = 0
    output: Annotated[int, Field(ge=0)] = 0
    cached: Annotated[int, Field(ge=0)] = 0
    cache_write: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _parts_fit(self) -> Tokens:
        if self.cached + self.cache_write > self.input:
            msg = f"cached {self.cached!r} + cache_write {self.cache_write!r} exceed input {self.input!r}"
            raise ValueError(msg)
        return self


class Reply(_Frozen):
    """What an adapter brings back: a complete answer with the end marker the vendor itself sent."""

    text: str
    finish: Finish
    usage: Tokens | None = None


class Outcome(StrEnum):
    ANSWERED = "answered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Attempt(_Frozen):
    """One try at one provider. `cost_nano` is None where price or usage is unknown; skipped attempts sent nothing."""

    provider: str
    outcome: Outcome
    error_code: str | None = None
    detail: str | None = None
    started_at: datetime
    latency_s: float = 0.0
    usage: Tokens | None = None
    cost_nano: int | None = None
    currency: str | None = None


class ModelAnswer(_Frozen):
    """`parsed` is the validated JSON value when the request had a schema. `cost_nano` counts every attempt's known cost
    in the answering provider's currency, and is None when the price of the answer is unknown.
    """

    text: str
    parsed: JsonValue = None
    provider: str
    model: str
    usage: Tokens | None
    cost_nano: int | None
    currency: str | None
    attempts: tuple[Attempt, ...]
    latency_s: float
    finish: Finish
