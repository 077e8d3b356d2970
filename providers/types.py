"""What goes into and comes out of a model call: specification, request, stream events, answer, attempts."""

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
    """One item of `providers:` in `accord.yaml`. `model` is `vendor/name`; `local/…` is served by this process.

    With `pseudonyms` names of people and accounts leave the machine as placeholders only.
    """

    name: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(pattern=r"^[a-z0-9_.-]+/.+$")]
    api_base: str | None = None
    api_key_env: str | None = None
    data_classes: tuple[DataClass, ...] = UNDECLARED_DATA_CLASSES
    region: str | None = None
    rpm: Annotated[int, Field(gt=0)] | None = None
    price: Price | None = None
    pseudonyms: bool = False

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


class TextPart(_Frozen):
    kind: Literal["text"] = "text"
    text: str


class ImagePart(_Frozen):
    """`url` is a `data:` URL, or an address that the vendor fetches."""

    kind: Literal["image"] = "image"
    url: str


Part = Annotated[TextPart | ImagePart, Field(discriminator="kind")]


class ToolCall(_Frozen):
    """What a model wants called; `arguments` is the text of a JSON object."""

    id: str
    name: str
    arguments: str


class Tool(_Frozen):
    """A function a model may ask for; `parameters` is the JSON Schema of its arguments."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    parameters: Schema = {}
    strict: bool = False


class ToolName(_Frozen):
    """The one tool that must be called."""

    name: str


class Message(_Frozen):
    """One turn. `tool_calls` are an assistant's, `tool_call_id` names the call that a `tool` turn answers."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | tuple[Part, ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """All text of the content, without its images."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))


class ModelRequest(_Frozen):
    """One call: `task` names its family, `answer_schema` (JSON Schema) makes the answer a checked JSON value.

    `deadline_s` bounds the whole call over all attempts. `key` is the API key it is charged to, if any. `provider` pins
    the call to the provider of that name. A `temperature` of None is the vendor's own. Without `cache` the answer is
    always a new one.
    """

    task: Annotated[str, Field(min_length=1)]
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    answer_schema: Schema | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] | ToolName = "auto"
    parallel_tool_calls: bool | None = None
    max_tokens: Annotated[int, Field(gt=0)] = 512
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    data_class: DataClass = "internal"
    deadline_s: Annotated[float, Field(gt=0)] = 120.0
    key: str | None = None
    provider: str | None = None
    cache: bool = True


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


class TextDelta(_Frozen):
    """The next piece of the answer's text."""

    kind: Literal["text"] = "text"
    text: str


class ToolDelta(_Frozen):
    """The next piece of the tool call at `index`; the first one of a call brings `id` and `name`."""

    kind: Literal["tool"] = "tool"
    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Working(_Frozen):
    """The model is at work but has nothing to deliver (it thinks): a sign of life that is not part of the answer."""

    kind: Literal["working"] = "working"


class Reply(_Frozen):
    """What an adapter brings back: a complete answer with the end marker the vendor itself sent."""

    kind: Literal["reply"] = "reply"
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Finish
    usage: Tokens | None = None


Piece = TextDelta | ToolDelta | Working | Reply
"""What an adapter yields; the `Reply` is the last, holds all that was said, and is there only for a whole answer."""


class Outcome(StrEnum):
    ANSWERED = "answered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Attempt(_Frozen):
    """One try at one provider. `cost_nano` is None where price or usage is unknown; skipped attempts sent nothing.

    `first_token_s` is the time to the first content, None when none came; `retry_after_s` the wait a vendor asked for.
    """

    provider: str
    outcome: Outcome
    error_code: str | None = None
    detail: str | None = None
    started_at: datetime
    latency_s: float = 0.0
    first_token_s: float | None = None
    retry_after_s: float | None = None
    streamed: bool = False
    usage: Tokens | None = None
    cost_nano: int | None = None
    currency: str | None = None


class ModelAnswer(_Frozen):
    """`parsed` is the validated JSON value when the request had a schema. `cost_nano` counts every attempt's known cost
    in the answering provider's currency, and is None when the price of the answer is unknown. `why` says in a sentence
    why this provider answered; `cached` marks an answer that was given before.
    """

    kind: Literal["answer"] = "answer"
    text: str
    parsed: JsonValue = None
    tool_calls: tuple[ToolCall, ...] = ()
    provider: str
    model: str
    usage: Tokens | None
    cost_nano: int | None
    currency: str | None
    attempts: tuple[Attempt, ...]
    latency_s: float
    finish: Finish
    why: str = ""
    cached: bool = False


class Started(_Frozen):
    """Comes immediately before the first content: who answers, after which attempts."""

    kind: Literal["started"] = "started"
    provider: str
    model: str
    attempts: tuple[Attempt, ...] = ()


StreamEvent = Started | TextDelta | ToolDelta | ModelAnswer
"""What a caller's stream yields; a whole answer ends with its `ModelAnswer`, anything else with an error."""
