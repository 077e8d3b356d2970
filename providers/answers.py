"""Checks what a model said against what was asked: a schema, a type, or at least some text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema

from domain.errors import AccordError, TerminalError, TransientError
from providers.faults import Fault, failure
from providers.types import Message, ModelRequest, Reply, Schema

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

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
    """A check that returns the JSON value of the answer. Raises BadAnswer unless it validates against `schema`, and
    BAD_REQUEST, before any call, for a schema that nothing can be checked against.
    """
    from referencing.exceptions import Unresolvable

    validator = _validator(json.dumps(dict(schema)))

    def check(reply: Reply) -> JsonValue:
        value = _json_value(reply)
        try:
            wrong = next(iter(validator.iter_errors(value)), None)
        except (Unresolvable, RecursionError) as error:
            raise _no_schema(str(error)) from error
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


@lru_cache(maxsize=128)
def _validator(schema_text: str) -> Validator:
    """Callers write schemas: none of them makes this process fetch something, or think for long about one answer."""
    from jsonschema import Draft202012Validator, validators
    from jsonschema.exceptions import SchemaError
    from referencing.jsonschema import SchemaRegistry

    schema = json.loads(schema_text)
    try:
        Draft202012Validator.check_schema(schema)
        for pattern in _patterns(schema):
            _matcher(pattern)
    except SchemaError as error:
        raise _no_schema(f"{error.message[:200]} at {error.json_path}") from error
    except RecursionError as error:
        raise _no_schema("it is nested too deeply") from error
    kind = cast("type[Validator]", cast("Any", validators).extend(Draft202012Validator, {"pattern": _by_pattern}))
    return kind(schema, registry=SchemaRegistry())


def _patterns(part: object) -> Iterator[str]:
    """Every `pattern` in a schema. Raises BAD_REQUEST for `patternProperties`."""
    if isinstance(part, list):
        for item in cast("list[object]", part):
            yield from _patterns(item)
    elif isinstance(part, dict):
        keywords = cast("dict[str, object]", part)
        if "patternProperties" in keywords:
            raise _no_schema("`patternProperties` is not checked here")
        if isinstance(pattern := keywords.get("pattern"), str):
            yield pattern
        for name, value in keywords.items():
            if name in {"properties", "$defs"} and isinstance(value, dict):
                yield from _patterns(list(cast("dict[str, object]", value).values()))
            else:
                yield from _patterns(value)


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> SchemaValidator:
    """An engine whose time is linear in the text, unlike Python's. Raises BAD_REQUEST for what it does not know."""
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except PatternError as error:
        raise _no_schema(f"`pattern` {pattern[:100]!r} is none, or looks around or back") from error


def _by_pattern(_validator: object, pattern: str, instance: object, _schema: object) -> Iterator[Exception]:
    from jsonschema.exceptions import ValidationError as Misfit

    if isinstance(instance, str) and not _matcher(pattern).isinstance_python(instance):
        yield Misfit(f"{instance[:100]!r} does not match {pattern!r}")


def _no_schema(why: str) -> AccordError:
    return failure(Fault.BAD_REQUEST, f"The schema of the answer cannot be used: {why}. Mend the schema.")


def _json_value(reply: Reply) -> JsonValue:
    def refuse(name: str) -> JsonValue:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(_json_text(reply), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise _bad(f"The answer is no JSON: {str(error)!r}.") from error


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
