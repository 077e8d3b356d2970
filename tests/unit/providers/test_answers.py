from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel

from domain.errors import BadAnswer, TransientError
from providers.answers import any_text, by_schema, by_type, known_tools
from providers.types import Message, ModelRequest, Reply, Tool, ToolCall


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
