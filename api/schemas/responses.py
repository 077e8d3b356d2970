"""Wire shapes of OpenAI's Responses as this door reads and writes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from api.schemas.openai import AccordNote, Answered, Lenient, Strict


class InputPart(Lenient):
    """A part of a message: text said or to say, a refusal, or an image."""

    type: Annotated[str, Field(examples=["input_text"])]
    """`input_text`, `output_text`, `refusal` or `input_image`."""
    text: str | None = None
    """Of a text."""
    refusal: str | None = None
    """Of a refusal."""
    image_url: str | None = None
    """Of an image: `https://…` or a `data:` URL."""


class InputItem(Lenient):
    """An item of the conversation: a message, a call that was asked for, or its result."""

    type: str = "message"
    """`message`, `function_call`, `function_call_output` or `reasoning` (skipped)."""
    role: Literal["developer", "system", "user", "assistant"] | None = None
    """Of a message: who speaks."""
    content: str | list[InputPart] | None = None
    """Of a message."""
    call_id: str | None = None
    """Of a call and its result."""
    name: str | None = None
    """Of a call: the function."""
    arguments: str | None = None
    """Of a call: JSON text."""
    output: str | list[InputPart] | None = None
    """Of a result."""


class FlatTool(Lenient):
    """A function that the model may ask for; other kinds of tool are refused."""

    type: Annotated[str, Field(examples=["function"])]
    """`function`."""
    name: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["spend_of"])] = None
    """Letters, digits, `_` and `-`."""
    description: str | None = None
    """When to call it."""
    parameters: dict[str, JsonValue] | None = None
    """JSON Schema of the arguments."""
    strict: bool | None = None
    """Whether arguments must fit the schema."""


class TextFormat(Lenient):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    """`json_schema` answers are validated before they count as answered."""
    name: str | None = None
    """Of a schema."""
    schema_: Annotated[
        dict[str, JsonValue] | None, Field(alias="schema", examples=[{"type": "object"}], description="Of a schema.")
    ] = None
    strict: bool | None = None
    """Ignored: every schema answer is validated."""


class TextOptions(Lenient):
    """How the text is to look."""

    format: TextFormat | None = None
    """Its form."""
    verbosity: str | None = None
    """Ignored, and named in `x-accord-ignored`."""


class ResponseRequest(Strict):
    """A response as OpenAI's clients ask for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "auto",
                    "instructions": "Answer in one sentence.",
                    "input": "What did connected TV cost in March?",
                }
            ]
        }
    )

    model: Annotated[str, Field(examples=["auto"])]
    """`auto`, `auto:<task>` or a provider's name."""
    input: Annotated[str | list[InputItem], Field(min_length=1, examples=["What did connected TV cost in March?"])]
    """A question, or the whole conversation as items."""
    instructions: str | None = None
    """Put before the conversation, as a system message."""
    stream: bool | None = None
    """Server-sent events in place of one answer."""
    stream_options: JsonValue = None
    """Ignored."""
    tools: list[FlatTool] | None = None
    """Functions that the model may ask for."""
    tool_choice: Annotated[str | dict[str, JsonValue] | None, Field(examples=["auto"])] = None
    """`auto`, `none`, `required`, or `{"type": "function", "name": …}`."""
    parallel_tool_calls: bool | None = None
    """Whether one turn may ask for several calls."""
    text: TextOptions | None = None
    """The form of the answer."""
    max_output_tokens: Annotated[int | None, Field(ge=1)] = None
    """Most tokens of the answer; 4096 when left out."""
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    """The vendor's default when left out."""
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    """Nucleus sampling."""
    store: bool | None = None
    """No answer is kept, whatever it says; every answer states `store: false`."""
    previous_response_id: str | None = None
    """Refused, since no answer is kept: send the whole conversation in `input`."""
    conversation: JsonValue = None
    """Refused, as `previous_response_id`."""
    prompt: JsonValue = None
    """Refused: it lies with one vendor."""
    background: bool | None = None
    """Refused when true."""
    moderation: JsonValue = None
    """Refused."""
    context_management: JsonValue = None
    """Refused."""
    top_logprobs: int | None = None
    """Refused."""
    reasoning: JsonValue = None
    """Ignored, and named in `x-accord-ignored`."""
    truncation: Literal["auto", "disabled"] | None = None
    """`disabled` is what happens: a conversation that is too long is an error, unless a larger window exists."""
    include: list[str] | None = None
    """Ignored: there is nothing besides the answer."""
    max_tool_calls: int | None = None
    """Ignored: it counts tools that vendors run."""
    metadata: dict[str, str] | None = None
    """Given back in the answer, not kept."""
    service_tier: str | None = None
    """Ignored: Accord chooses the provider."""
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


class ResponseUsage(Answered):
    """Tokens billed for the answer."""

    input_tokens: int
    """The whole prompt."""
    input_tokens_details: dict[str, int]
    """`cached_tokens` and `cache_write_tokens` of the prompt."""
    output_tokens: int
    """The answer."""
    output_tokens_details: dict[str, int]
    """`reasoning_tokens`; 0 when the vendor does not tell."""
    total_tokens: int
    """Both."""


_MESSAGE: dict[str, JsonValue] = {
    "type": "message",
    "id": "msg_5b1f0a9c2d7e4f31",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Connected TV cost 41,200 euros in March.", "annotations": []}],
}


_ANSWERED: dict[str, JsonValue] = {
    "id": "resp_5b1f0a9c2d7e4f31",
    "object": "response",
    "created_at": 1772614800,
    "status": "completed",
    "model": "local/qwen2.5-coder-1.5b",
    "output": [_MESSAGE],
    "store": False,
}


class ResponseAnswer(Answered):
    """A whole answer in OpenAI's shape."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWERED]})

    id: Annotated[str, Field(examples=["resp_5b1f0a9c2d7e4f31"])]
    """Names the answer."""
    object: Literal["response"]
    """Always the same."""
    created_at: Annotated[int, Field(examples=[1772614800])]
    """Seconds since 1970."""
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    """`incomplete` when it was cut at `max_output_tokens`."""
    model: Annotated[str, Field(examples=["local/qwen2.5-coder-1.5b"])]
    """Vendor and model that answered."""
    output: Annotated[list[dict[str, Any]], Field(examples=[[_MESSAGE]])]
    """Messages and function calls, in their order."""
    error: dict[str, str] | None = None
    """Why it failed."""
    incomplete_details: dict[str, str] | None = None
    """Why it is incomplete."""
    store: Literal[False]
    """No answer is kept."""
    usage: ResponseUsage | None = None
    """Null when the vendor told none, and until the end of a stream."""
    accord: AccordNote | None = None
    """Where it came from; null until the end of a stream."""
