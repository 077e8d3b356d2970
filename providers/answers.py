"""Checks what a model said against what was asked: a schema, a type, or at least some text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from domain.errors import AccordError, TerminalError, TransientError
from providers.faults import Fault, failure
from providers.types import Message, ModelRequest, Reply, Schema

T = TypeVar("T", bound=BaseModel)
V = TypeVar("V")
Check = Callable[[Reply], V]


def any_text(reply: Reply) -> None:
    """Raises EMPTY when nothing at all was said, though nothing cut it."""
    if not reply.text.strip() and not reply.tool_calls and reply.finish != "length":
        raise failure(Fault.EMPTY, "The answer is empty. Ask another model, or differently.")


def known_tools(request: ModelRequest, reply: Reply) -> None:
    """Raises BadAnswer when a tool is called that was not offered."""
    offered = {tool.name for tool in request.tools}
    for call in reply.tool_calls:
        if call.name not in offered:
            raise _bad(f"The answer calls {call.name!r}, which is no tool of the request.")


def asked_to_mend(request: ModelRequest, flaw: AccordError) -> ModelRequest:
    """`request` with a turn that says what was wrong with the answer before."""
    turn = Message(role="user", content=f"An answer to this was rejected: {flaw.detail} Answer anew, and validly.")
    return request.model_copy(update={"messages": (*request.messages, turn)})


def by_schema(schema: Schema) -> Check[JsonValue]:
    """A check that returns the JSON value of the answer. Raises BadAnswer unless it validates against `schema`."""

    def check(reply: Reply) -> JsonValue:
        from jsonschema import Draft202012Validator

        try:
            value: JsonValue = json.loads(_json_text(reply))
        except ValueError as error:
            raise _bad(f"The answer is no JSON: {str(error)!r}.") from error
        wrong = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
        if wrong is not None:
            raise _bad(f"The answer does not fit the schema at {wrong.json_path!r}: {wrong.message[:200]!r}.")
        return value

    return check


def by_type(model_type: type[T]) -> Check[T]:
    """A check that returns the answer as `model_type`. Raises BadAnswer when it does not validate."""

    def check(reply: Reply) -> T:
        try:
            return model_type.model_validate_json(_json_text(reply))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise _bad(f"The answer is no {model_type.__name__} at {where!r}: {first['msg']!r}.") from error

    return check


def _json_text(reply: Reply) -> str:
    """The answer without a code fence around it, which some models add against the request."""
    if reply.finish == "length":
        raise _bad("The answer was cut at `max_tokens`.")
    text = reply.text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3]
    return text


def _bad(detail: str) -> TransientError | TerminalError:
    return failure(Fault.BAD_ANSWER, f"{detail} Ask another model, or ask for less.")
