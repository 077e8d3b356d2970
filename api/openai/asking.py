"""What both of OpenAI's protocols ask for in the same words: tools, tool choice, forms of the answer, data class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from pydantic import JsonValue

from api.openai.errors import BadParameter
from api.schemas.completions import FunctionSpec
from providers.types import DataClass, Schema, Tool, ToolName

MAX_TOKENS = 4096
"""Most tokens of an answer whose request names no bound."""
DATA_CLASS = "x-accord-data-class"
ANY_OBJECT: Schema = {"type": "object"}
_NO_ARGUMENTS: Schema = {"type": "object", "properties": {}}
Choice = Literal["auto", "none", "required"] | ToolName


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks and within which limits: API key charged, class of the data, seconds for the whole call, and whether an
    answer given before will do.
    """

    key: str | None
    data_class: DataClass
    deadline_s: float
    cache: bool = True


def data_class_of(header: str | None, default: DataClass) -> DataClass:
    """The class that the header names, else `default`. Raises BadParameter."""
    if header is None:
        return default
    given = header.strip().lower()
    if given not in get_args(DataClass):
        known = ", ".join(get_args(DataClass))
        raise BadParameter(DATA_CLASS, f"`{DATA_CLASS}` is {header!r}, which is no data class. Use one of: {known}.")
    return cast("DataClass", given)


def tool(spec: FunctionSpec) -> Tool:
    """A function as the gateway carries it; without a schema it takes no arguments."""
    return Tool(
        name=spec.name,
        description=spec.description or "",
        parameters=spec.parameters or _NO_ARGUMENTS,
        strict=bool(spec.strict),
    )


def refuse_foreign_tool(kind: str, place: int) -> None:
    """Raises BadParameter for tools that only one vendor's own servers carry out."""
    if kind != "function":
        raise BadParameter(
            f"tools[{place}].type",
            f"Tools of type {kind!r} run at one vendor alone and are not carried over providers. Use 'function'.",
            "unsupported_value",
        )


def choice_of(value: str | Mapping[str, JsonValue] | None, tools: Iterable[Tool]) -> tuple[Choice, tuple[Tool, ...]]:
    """The choice that `value` makes among `tools`, and the tools left by it. Raises BadParameter."""
    given = tuple(tools)
    match value:
        case None | "auto":
            return "auto", given
        case "none":
            return "none", given
        case "required" if given:
            return "required", given
        case {"type": "function", **rest}:
            return _named(rest, given), given
        case {"type": "allowed_tools", **rest}:
            return _allowed(rest, given)
        case _:
            wanted = "'auto', 'none', 'required' (with `tools`), or a function by its name"
            raise BadParameter("tool_choice", f"`tool_choice` is {value!r}. Use {wanted}.")


def _named(rest: Mapping[str, Any], tools: Sequence[Tool]) -> ToolName:
    function: object = rest.get("function", rest)
    name: object = cast("Mapping[str, object]", function).get("name") if isinstance(function, Mapping) else None
    if name not in {one.name for one in tools}:
        raise BadParameter("tool_choice", f"`tool_choice` names {name!r}, which is none of `tools`. Name one of them.")
    return ToolName(name=str(name))


def _allowed(rest: Mapping[str, Any], tools: Sequence[Tool]) -> tuple[Choice, tuple[Tool, ...]]:
    inner: Any = rest.get("allowed_tools", rest)
    names = {_named(one, tools).name for one in inner.get("tools", ())}
    mode: Choice = "required" if inner.get("mode") == "required" else "auto"
    return mode, tuple(one for one in tools if one.name in names)


def stops(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """At most four texts. Raises BadParameter."""
    found = () if value is None else (value,) if isinstance(value, str) else tuple(value)
    if len(found) > 4 or not all(found):
        raise BadParameter("stop", f"`stop` holds {len(found)} texts. Give one to four, none of them empty.")
    return found


def refuse(param: str, what: str, advice: str) -> BadParameter:
    """The error of a parameter that would change the answer in a way not every provider can."""
    return BadParameter(param, f"{what} {advice}", "unsupported_parameter")
