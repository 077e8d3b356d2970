from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel

from domain.errors import BadAnswer, TerminalError, TransientError
from providers.answers import any_text, by_schema, by_type, known_tools
from providers.faults import Fault, fault_of
from providers.types import Message, ModelRequest, Reply, Schema, Tool, ToolCall


class Pick(BaseModel):
    action: Literal["hold", "shift"]


def reply(text: str, finish: Literal["stop", "length"] = "stop") -> Reply:
    return Reply(text=text, finish=finish)


@pytest.mark.parametrize("text", ['{"action": "hold"}', ' {"action":"hold"}\n', '```json\n{"action": "hold"}\n```'])
def test_json_is_taken_plain_or_out_of_a_fence(text: str) -> None:
    assert by_type(Pick)(reply(text)) == Pick(action="hold")
    assert by_schema(Pick.model_json_schema())(reply(text)) == {"action": "hold"}


@pytest.mark.parametrize(
    "text", ["", "hold", '{"action": "sell"}', "{}", "[]", '{"action": "hold"} or so', "```\n```", "```"]
)
def test_anything_else_is_a_bad_answer(text: str) -> None:
    for check in (by_type(Pick), by_schema(Pick.model_json_schema())):
        with pytest.raises(BadAnswer):
            check(reply(text))


def test_an_answer_cut_at_max_tokens_is_bad_even_when_it_parses() -> None:
    with pytest.raises(BadAnswer, match="max_tokens"):
        by_type(Pick)(reply('{"action": "hold"}', "length"))


def test_a_plain_answer_needs_some_text() -> None:
    any_text(reply("x"))
    any_text(reply("", "length"))
    with pytest.raises(TransientError, match="empty"):
        any_text(reply(" \n"))


def test_a_tool_that_was_not_offered_cannot_be_called() -> None:
    request = ModelRequest(task="t", messages=(Message(role="user", content="?"),), tools=(Tool(name="known"),))
    calls = {name: ToolCall(id="1", name=name, arguments="{}") for name in ("known", "made_up")}
    known_tools(request, Reply(text="", finish="tool", tool_calls=(calls["known"],)))
    with pytest.raises(BadAnswer, match="'made_up'"):
        known_tools(request, Reply(text="", finish="tool", tool_calls=(calls["made_up"],)))


OBJECT: Schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}, "required": ["x"]}


@pytest.mark.parametrize("text", ['{"x": "aaa!"}', '{"x": NaN}', '{"x": 1}{"x": 2}', "[" * 100_000])
def test_what_is_no_json_or_does_not_fit_is_a_bad_answer(text: str) -> None:
    with pytest.raises(BadAnswer):
        by_schema(OBJECT)(reply(text))


def test_a_pattern_of_the_caller_cannot_hold_up_everybody() -> None:
    """Python's own engine would try two to the power of 5,000 ways here."""
    assert by_schema(OBJECT)(reply('{"x": "aa"}')) == {"x": "aa"}
    with pytest.raises(BadAnswer, match="does not match"):
        by_schema(OBJECT)(reply(f'{{"x": "{"a" * 5_000}!"}}'))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": {"x": {"minLength": "two"}}},
        {"properties": {"x": {"pattern": "(?=a)b"}}},
        {"patternProperties": {"^(a+)+$": {}}},
    ],
)
def test_a_schema_that_cannot_be_checked_is_refused_before_any_call(schema: Schema) -> None:
    with pytest.raises(TerminalError, match="Mend the schema") as refused:
        by_schema(schema)
    assert fault_of(refused.value) is Fault.BAD_REQUEST


@pytest.mark.parametrize("to", ["http://127.0.0.1:9/x.json", "#/$defs/missing", "#"])
def test_a_schema_leads_nowhere_and_nothing_is_fetched_for_it(to: str) -> None:
    with pytest.raises(TerminalError, match="Mend the schema"):
        by_schema({"$ref": to})(reply("{}"))


def test_properties_may_be_named_like_keywords() -> None:
    schema: Schema = {"properties": {"pattern": {"type": "string"}, "patternProperties": {"$ref": "#/$defs/n"}}}
    check = by_schema({**schema, "$defs": {"n": {"type": "integer"}}})
    assert check(reply('{"pattern": "(", "patternProperties": 2}')) == {"pattern": "(", "patternProperties": 2}
    with pytest.raises(BadAnswer):
        check(reply('{"patternProperties": "two"}'))
