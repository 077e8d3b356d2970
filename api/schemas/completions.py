"""Wire shapes of OpenAI's Chat Completions as this door reads and writes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from api.schemas.openai import AccordNote, Answered, Lenient, Strict


class ImageUrl(Lenient):
    """Where an image is."""

    url: Annotated[str, Field(min_length=1, examples=["data:image/png;base64,iVBORw0KGgo="])]
    """`https://…` or a `data:` URL."""
    detail: str | None = None
    """Left to the vendor."""


class ContentPart(Lenient):
    """A part of a message: text, a refusal said earlier, or an image."""

    type: Annotated[str, Field(examples=["text"])]
    """`text`, `image_url` or `refusal`."""
    text: str | None = None
    """Of a `text` part."""
    refusal: str | None = None
    """Of a `refusal` part."""
    image_url: ImageUrl | None = None
    """Of an `image_url` part."""


class CalledFunction(Lenient):
    """What the model wants called."""

    name: Annotated[str, Field(examples=["spend_of"])]
    """Name of the function."""
    arguments: Annotated[str, Field(examples=['{"channel": "ctv"}'])]
    """JSON text, as the model wrote it."""


class CalledTool(Lenient):
    """One call of a tool that the model asked for."""

    id: Annotated[str, Field(examples=["call_1"])]
    """Names the call; its result carries the same."""
    type: str = "function"
    """Always `function`."""
    function: CalledFunction
    """What to call."""


class ChatMessage(Lenient):
    """One turn of the conversation."""

    role: Literal["developer", "system", "user", "assistant", "tool"]
    """Who speaks."""
    content: Annotated[str | list[ContentPart] | None, Field(examples=["What did connected TV cost in March?"])] = None
    """Text, or parts."""
    tool_calls: list[CalledTool] | None = None
    """What an assistant's turn asked for."""
    tool_call_id: str | None = None
    """Of a `tool` turn: whose result this is."""


class FunctionSpec(Lenient):
    """A function that the model may ask for."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["spend_of"])]
    """Letters, digits, `_` and `-`."""
    description: str | None = None
    """When to call it."""
    parameters: dict[str, JsonValue] | None = None
    """JSON Schema of the arguments."""
    strict: bool | None = None
    """Whether arguments must fit the schema."""


class ToolSpec(Lenient):
    """A tool; only functions are carried over all providers."""

    type: Annotated[str, Field(examples=["function"])]
    """`function`."""
    function: FunctionSpec | None = None
    """The function."""


class JsonSchemaSpec(Lenient):
    """A named JSON Schema."""

    name: Annotated[str, Field(examples=["answer"])] = "answer"
    """Its name."""
    schema_: Annotated[
        dict[str, JsonValue] | None, Field(alias="schema", examples=[{"type": "object"}], description="The schema.")
    ] = None
    strict: bool | None = None
    """Ignored: every schema answer is validated."""


class ResponseFormat(Lenient):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    """`json_schema` answers are validated before they count as answered."""
    json_schema: JsonSchemaSpec | None = None
    """Of `json_schema`."""


class StreamOptions(Lenient):
    """What a stream tells besides the answer."""

    include_usage: bool | None = None
    """A last chunk with usage, provider, attempts and cost."""


_ASKED: dict[str, JsonValue] = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": "What did connected TV cost in March?"},
    ],
    "max_completion_tokens": 200,
}


class ChatRequest(Strict):
    """A chat completion as OpenAI's clients ask for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ASKED]})

    model: Annotated[str, Field(examples=["auto"])]
    """`auto`, `auto:<task>` or a provider's name."""
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    """The conversation so far."""
    stream: bool | None = None
    """Server-sent events in place of one answer."""
    stream_options: StreamOptions | None = None
    """Only with `stream`."""
    tools: list[ToolSpec] | None = None
    """Functions that the model may ask for."""
    tool_choice: Annotated[str | dict[str, JsonValue] | None, Field(examples=["auto"])] = None
    """`auto`, `none`, `required`, or `{"type": "function", "function": {"name": …}}`."""
    parallel_tool_calls: bool | None = None
    """Whether one turn may ask for several calls."""
    response_format: ResponseFormat | None = None
    """Text, any JSON object, or a schema."""
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    """Most tokens of the answer; 4096 when neither this nor the next is given."""
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    """The newer name of `max_tokens`; it wins."""
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    """The vendor's default when left out."""
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    """Nucleus sampling."""
    stop: Annotated[str | list[str] | None, Field(examples=[["END"]])] = None
    """At most four texts at which the answer ends."""
    seed: int | None = None
    """Passed on to vendors that know it."""
    n: int | None = None
    """1; several answers of one call are refused."""
    logprobs: bool | None = None
    """Refused when true."""
    top_logprobs: int | None = None
    """Refused."""
    modalities: list[str] | None = None
    """`["text"]`."""
    audio: JsonValue = None
    """Refused."""
    functions: JsonValue = None
    """Refused: use `tools`."""
    function_call: JsonValue = None
    """Refused: use `tool_choice`."""
    web_search_options: JsonValue = None
    """Refused."""
    moderation: JsonValue = None
    """Refused."""
    frequency_penalty: float | None = None
    """Ignored, and named in `x-accord-ignored`."""
    presence_penalty: float | None = None
    """Ignored, and named in `x-accord-ignored`."""
    logit_bias: dict[str, float] | None = None
    """Ignored, and named in `x-accord-ignored`."""
    reasoning_effort: str | None = None
    """Ignored, and named in `x-accord-ignored`."""
    verbosity: str | None = None
    """Ignored, and named in `x-accord-ignored`."""
    service_tier: str | None = None
    """Ignored: Accord chooses the provider."""
    prediction: JsonValue = None
    """Ignored: it changes no answer."""
    store: bool | None = None
    """Ignored: no content is kept, whatever it says."""
    metadata: dict[str, str] | None = None
    """Ignored."""
    user: str | None = None
    """Ignored: calls are charged to the API key."""
    safety_identifier: str | None = None
    """Ignored."""
    prompt_cache_key: str | None = None
    """Ignored."""
    prompt_cache_options: JsonValue = None
    """Ignored."""
    prompt_cache_retention: str | None = None
    """Ignored."""


class ChatUsage(Answered):
    """Tokens billed for the answer."""

    prompt_tokens: int
    """The whole prompt."""
    completion_tokens: int
    """The answer."""
    total_tokens: int
    """Both."""
    prompt_tokens_details: dict[str, int]
    """`cached_tokens` of the prompt."""
    completion_tokens_details: dict[str, int]
    """`reasoning_tokens`; 0 when the vendor does not tell."""


class ChatAnswerMessage(Answered):
    """A turn of the assistant."""

    role: Literal["assistant"]
    """Always `assistant`."""
    content: Annotated[str | None, Field(examples=["Connected TV cost 41,200 euros in March."])]
    """Its text; null when it only asks for tools."""
    refusal: None = None
    """Always null: a refusal is an error here."""
    tool_calls: list[CalledTool] | None = None
    """What it asks for; absent when nothing."""


class ChatChoice(Answered):
    """The one answer."""

    index: int
    """Always 0."""
    message: ChatAnswerMessage
    """The assistant's turn."""
    logprobs: None = None
    """Always null."""
    finish_reason: Literal["stop", "length", "tool_calls"]
    """Why it ended, as the vendor itself said."""


_ANSWERED: dict[str, JsonValue] = {
    "id": "chatcmpl-5b1f0a9c2d7e4f31",
    "object": "chat.completion",
    "created": 1772614800,
    "model": "local/qwen2.5-coder-1.5b",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "It cost 41,200 euros."},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 31,
        "completion_tokens": 9,
        "total_tokens": 40,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    },
    "accord": {
        "provider": "local",
        "attempts": 1,
        "cost": "0.000000000",
        "currency": "EUR",
        "why": "'local' is the only provider that may see confidential data.",
    },
}


class ChatCompletion(Answered):
    """A whole answer in OpenAI's shape."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWERED]})

    id: Annotated[str, Field(examples=["chatcmpl-5b1f0a9c2d7e4f31"])]
    """Names the answer."""
    object: Literal["chat.completion"]
    """Always the same."""
    created: Annotated[int, Field(examples=[1772614800])]
    """Seconds since 1970."""
    model: Annotated[str, Field(examples=["local/qwen2.5-coder-1.5b"])]
    """Vendor and model that answered."""
    choices: list[ChatChoice]
    """One."""
    usage: ChatUsage | None = None
    """Null when the vendor told none."""
    accord: AccordNote
    """Where it came from."""
