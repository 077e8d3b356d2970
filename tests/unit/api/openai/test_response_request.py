"""What a response asks for, in the gateway's words."""

from __future__ import annotations

from typing import Any

import pytest

from api.openai.asking import Asker
from api.openai.errors import BadParameter
from api.openai.models import Lead
from api.openai.response_request import ignored, response_request
from api.schemas.responses import ResponseRequest
from providers.types import ImagePart, ModelRequest, TextPart, ToolName

ASKER = Asker(None, "internal", 120.0)


def asked(**more: Any) -> ModelRequest:
    return response_request(ResponseRequest.model_validate({"model": "auto", **more}), Lead("chat"), ASKER)


def test_a_question_with_instructions() -> None:
    found = asked(input="Hello", instructions="Be brief.", max_output_tokens=8)
    assert [(m.role, m.content) for m in found.messages] == [("system", "Be brief."), ("user", "Hello")]
    assert found.max_tokens == 8


def test_items_of_one_turn_become_one_turn() -> None:
    found = asked(
        input=[
            {"role": "user", "content": "Cost and return?"},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
            {"type": "function_call", "call_id": "c1", "name": "spend_of", "arguments": "{}"},
            {"type": "function_call", "call_id": "c2", "name": "roas_of", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "41200"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2.1"}]},
        ]
    )
    assert [message.role for message in found.messages] == ["user", "assistant", "tool", "tool"]
    assert found.messages[1].content == "I look."
    assert [call.id for call in found.messages[1].tool_calls] == ["c1", "c2"]
    assert found.messages[3].content == "2.1"


def test_images_tools_and_schema() -> None:
    parts = [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": "data:,"}]
    schema = {"type": "object"}
    found = asked(
        input=[{"role": "user", "content": parts}],
        tools=[{"type": "function", "name": "spend_of", "parameters": schema, "strict": True}],
        tool_choice={"type": "function", "name": "spend_of"},
        text={"format": {"type": "json_schema", "name": "n", "schema": schema}, "verbosity": "low"},
    )
    assert found.messages[0].content == (TextPart(text="What is it?"), ImagePart(url="data:,"))
    assert (found.tool_choice, found.answer_schema) == (ToolName(name="spend_of"), schema)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0]"),
    ],
)
def test_what_no_route_could_keep_is_refused_with_its_name(given: dict[str, Any], param: str) -> None:
    with pytest.raises(BadParameter) as caught:
        asked(**{"input": "Hello", **given})
    assert caught.value.facts["param"] == param


def test_hints_are_taken_and_named() -> None:
    body = ResponseRequest.model_validate({"model": "auto", "input": "x", "reasoning": {"effort": "low"}})
    assert ignored(body) == ("reasoning",)
