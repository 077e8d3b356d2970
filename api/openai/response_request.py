"""A response as asked for, turned into the gateway's request. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.openai.asking import ANY_OBJECT, MAX_TOKENS, Asker, choice_of, refuse, refuse_foreign_tool, tool
from api.openai.errors import BadParameter
from api.openai.models import Lead
from api.schemas.completions import FunctionSpec
from api.schemas.responses import FlatTool, InputItem, InputPart, ResponseRequest, TextFormat
from providers.types import ImagePart, Message, ModelRequest, Schema, TextPart, Tool, ToolCall

_WHOLE = "Send the whole conversation in `input`, the answers' `output` items among it."
_ELSEWHERE = {
    "previous_response_id": ("No answer is kept here, so there is none to go on from.", _WHOLE),
    "conversation": ("No conversation is kept here.", _WHOLE),
    "prompt": ("Stored prompts lie with one vendor.", "Write the prompt into `instructions` and `input`."),
    "background": ("Answers are made while the client waits.", "Leave `background` out, or use `stream`."),
    "moderation": ("`moderation` runs at one vendor alone.", "Leave it out."),
    "context_management": ("`context_management` runs at one vendor alone.", "Leave it out and shorten `input`."),
    "top_logprobs": ("Not every provider tells log probabilities.", "Leave `top_logprobs` out."),
}


def response_request(asked: ResponseRequest, lead: Lead, asker: Asker) -> ModelRequest:
    """The request that `asked` stands for. Raises BadParameter for what cannot be carried over every provider."""
    for name, (what, advice) in _ELSEWHERE.items():
        if getattr(asked, name):
            raise refuse(name, what, advice)
    choice, tools = choice_of(asked.tool_choice, _tools(asked.tools))
    return ModelRequest(
        task=lead.task,
        provider=lead.provider,
        messages=(*_instructions(asked.instructions), *_conversation(asked.input)),
        answer_schema=_schema(asked.text.format if asked.text else None),
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=asked.parallel_tool_calls,
        max_tokens=asked.max_output_tokens or MAX_TOKENS,
        temperature=asked.temperature,
        top_p=asked.top_p,
        data_class=asker.data_class,
        deadline_s=asker.deadline_s,
        key=asker.key,
        cache=asker.cache,
    )


def ignored(asked: ResponseRequest) -> tuple[str, ...]:
    """Names of hints that were given and change nothing here."""
    hints = {"reasoning": asked.reasoning, "text.verbosity": asked.text.verbosity if asked.text else None}
    return tuple(name for name, given in hints.items() if given)


def _tools(specs: Sequence[FlatTool] | None) -> Iterator[Tool]:
    for place, spec in enumerate(specs or ()):
        refuse_foreign_tool(spec.type, place)
        if spec.name is None:
            raise BadParameter(f"tools[{place}].name", "A tool lacks its `name`. Add it.")
        yield tool(
            FunctionSpec(name=spec.name, description=spec.description, parameters=spec.parameters, strict=spec.strict)
        )


def _schema(form: TextFormat | None) -> Schema | None:
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return ANY_OBJECT
    if form.schema_ is None:
        raise BadParameter(
            "text.format.schema", "`text.format.schema` is missing. Give a JSON Schema, or use the type 'json_object'."
        )
    return form.schema_


def _instructions(text: str | None) -> tuple[Message, ...]:
    return (Message(role="system", content=text),) if text else ()


def _conversation(given: str | Sequence[InputItem]) -> Iterator[Message]:
    """The items as turns. What an assistant said and the calls it asked for next to it become one turn."""
    if isinstance(given, str):
        yield Message(role="user", content=given)
        return
    turn: Message | None = None
    for place, item in enumerate(given):
        said = _turn(item, f"input[{place}]")
        if said is None:
            continue
        if turn is not None and _goes_on(turn, said):
            turn = turn.model_copy(update={"tool_calls": (*turn.tool_calls, *said.tool_calls)})
            continue
        if turn is not None:
            yield turn
        turn = said
    if turn is not None:
        yield turn


def _goes_on(turn: Message, said: Message) -> bool:
    return turn.role == "assistant" and bool(said.tool_calls)


def _turn(item: InputItem, where: str) -> Message | None:
    match item.type:
        case "message" if item.role is not None and item.content is not None:
            role = "system" if item.role == "developer" else item.role
            return Message(role=role, content=_content(item.content, where))
        case "function_call" if item.call_id and item.name and item.arguments is not None:
            call = ToolCall(id=item.call_id, name=item.name, arguments=item.arguments)
            return Message(role="assistant", tool_calls=(call,))
        case "function_call_output" if item.call_id and item.output is not None:
            return Message(role="tool", tool_call_id=item.call_id, content=_content(item.output, where))
        case "reasoning":
            return None
        case _:
            raise BadParameter(
                where,
                f"`{where}` of type {item.type!r} cannot be read here. Use 'message' (`role`, `content`), "
                "'function_call' (`call_id`, `name`, `arguments`) or 'function_call_output' (`call_id`, `output`).",
            )


def _content(content: str | Sequence[InputPart], where: str) -> str | tuple[TextPart | ImagePart, ...]:
    if isinstance(content, str):
        return content
    parts = tuple(_part(part, f"{where}.content[{place}]") for place, part in enumerate(content))
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    return "\n".join(texts) if len(texts) == len(parts) else parts


def _part(part: InputPart, where: str) -> TextPart | ImagePart:
    if part.type in {"input_text", "output_text", "text"} and part.text is not None:
        return TextPart(text=part.text)
    if part.type == "refusal" and part.refusal is not None:
        return TextPart(text=part.refusal)
    if part.type == "input_image" and part.image_url:
        return ImagePart(url=part.image_url)
    raise BadParameter(
        where, f"`{where}` of type {part.type!r} cannot be read here. Use 'input_text', or 'input_image' by its URL."
    )
