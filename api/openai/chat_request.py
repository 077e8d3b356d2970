"""A chat completion as asked for, turned into the gateway's request. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.openai.asking import (
    ANY_OBJECT,
    MAX_TOKENS,
    Asker,
    choice_of,
    refuse,
    refuse_foreign_tool,
    stops,
    tool,
)
from api.openai.errors import BadParameter
from api.openai.models import Lead
from api.schemas.completions import ChatMessage, ChatRequest, ContentPart, ResponseFormat, ToolSpec
from providers.types import ImagePart, Message, ModelRequest, Schema, TextPart, Tool, ToolCall

_HINTS = ("frequency_penalty", "presence_penalty", "logit_bias", "reasoning_effort", "verbosity")


def chat_request(asked: ChatRequest, lead: Lead, asker: Asker) -> ModelRequest:
    """The request that `asked` stands for. Raises BadParameter for what cannot be carried over every provider."""
    _refuse_what_changes_the_answer(asked)
    choice, tools = choice_of(asked.tool_choice, _tools(asked.tools))
    return ModelRequest(
        task=lead.task,
        provider=lead.provider,
        messages=tuple(_message(message, place) for place, message in enumerate(asked.messages)),
        answer_schema=_schema(asked.response_format),
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=asked.parallel_tool_calls,
        max_tokens=asked.max_completion_tokens or asked.max_tokens or MAX_TOKENS,
        temperature=asked.temperature,
        top_p=asked.top_p,
        stop=stops(asked.stop),
        seed=asked.seed,
        data_class=asker.data_class,
        deadline_s=asker.deadline_s,
        key=asker.key,
        cache=asker.cache,
    )


def ignored(asked: ChatRequest) -> tuple[str, ...]:
    """Names of hints that were given and change nothing here."""
    return tuple(name for name in _HINTS if getattr(asked, name) not in (None, 0, {}))


def _refuse_what_changes_the_answer(asked: ChatRequest) -> None:
    if asked.n not in (None, 1):
        raise refuse("n", f"`n` is {asked.n!r}, and a call gives one answer here.", "Send the request again for more.")
    if asked.logprobs or asked.top_logprobs:
        raise refuse("logprobs", "Not every provider tells log probabilities.", "Leave `logprobs` out.")
    if asked.audio is not None or "audio" in (asked.modalities or ()):
        raise refuse("modalities", "Answers are text here.", "Leave `audio` and `modalities` out.")
    for name, instead in (("functions", "tools"), ("function_call", "tool_choice")):
        if getattr(asked, name) is not None:
            raise refuse(name, f"`{name}` was replaced by `{instead}`.", f"Use `{instead}`.")
    for name in ("web_search_options", "moderation"):
        if getattr(asked, name) is not None:
            raise refuse(name, f"`{name}` runs at one vendor alone.", f"Leave `{name}` out.")
    if asked.stream_options is not None and not asked.stream:
        raise refuse("stream_options", "`stream_options` is for streams.", "Set `stream`, or leave it out.")


def _tools(specs: Sequence[ToolSpec] | None) -> Iterator[Tool]:
    for place, spec in enumerate(specs or ()):
        refuse_foreign_tool(spec.type, place)
        if spec.function is None:
            raise BadParameter(f"tools[{place}].function", "A tool lacks its `function`. Add it.")
        yield tool(spec.function)


def _schema(form: ResponseFormat | None) -> Schema | None:
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return ANY_OBJECT
    if form.json_schema is None or form.json_schema.schema_ is None:
        param = "response_format.json_schema.schema"
        raise BadParameter(param, f"`{param}` is missing. Give a JSON Schema, or use the type 'json_object'.")
    return form.json_schema.schema_


def _message(said: ChatMessage, place: int) -> Message:
    where = f"messages[{place}]"
    calls = tuple(
        ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
        for call in said.tool_calls or ()
    )
    if said.content is None and not (said.role == "assistant" and calls):
        raise BadParameter(f"{where}.content", f"`{where}.content` is missing. Give text or parts.")
    if said.role == "tool" and not said.tool_call_id:
        raise BadParameter(f"{where}.tool_call_id", f"`{where}.tool_call_id` is missing. Say whose result this is.")
    return Message(
        role="system" if said.role == "developer" else said.role,
        content=_content(said.content, f"{where}.content"),
        tool_calls=calls if said.role == "assistant" else (),
        tool_call_id=said.tool_call_id if said.role == "tool" else None,
    )


def _content(content: str | Sequence[ContentPart] | None, where: str) -> str | tuple[TextPart | ImagePart, ...]:
    """Text as it is; parts stay parts where one is an image, and are joined where all are text."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = tuple(_part(part, f"{where}[{place}]") for place, part in enumerate(content))
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    return "\n".join(texts) if len(texts) == len(parts) else parts


def _part(part: ContentPart, where: str) -> TextPart | ImagePart:
    if part.type == "text" and part.text is not None:
        return TextPart(text=part.text)
    if part.type == "refusal" and part.refusal is not None:
        return TextPart(text=part.refusal)
    if part.type == "image_url" and part.image_url is not None:
        return ImagePart(url=part.image_url.url)
    raise BadParameter(
        where, f"`{where}` of type {part.type!r} cannot be read here. Use 'text' with `text`, or 'image_url'."
    )
