"""What a chat completion asks for, in the gateway's words."""

from __future__ import annotations

from typing import Any

import pytest

from api.openai.asking import MAX_TOKENS, Asker, data_class_of
from api.openai.chat_request import chat_request, ignored
from api.openai.errors import BadParameter, UnknownModel
from api.openai.models import Lead, lead_of
from api.schemas.completions import ChatRequest
from providers.registry import Provider
from providers.types import ImagePart, ModelRequest, ProviderSpec, TextPart, ToolName

ASKER = Asker("key_1", "internal", 120.0)
SPEND: dict[str, Any] = {"type": "function", "function": {"name": "spend_of", "parameters": {"type": "object"}}}
ROAS: dict[str, Any] = {"type": "function", "function": {"name": "roas_of"}}
HELLO = [{"role": "user", "content": "Hello"}]


def asked(**more: Any) -> ModelRequest:
    body = ChatRequest.model_validate({"model": "auto", "messages": HELLO, **more})
    return chat_request(body, Lead("chat"), ASKER)


def refusal(**more: Any) -> BadParameter:
    with pytest.raises(BadParameter) as caught:
        asked(**more)
    return caught.value


def test_a_conversation_with_tools_comes_through_whole() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "spend_of", "arguments": '{"channel": "ctv"}'}}
    found = asked(
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Cost"}, {"type": "text", "text": "in March?"}]},
            {"role": "assistant", "content": None, "refusal": None, "annotations": [], "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "41200"},
        ],
        tools=[SPEND],
        max_tokens=9,
        max_completion_tokens=7,
        stop="END",
        seed=3,
        parallel_tool_calls=False,
    )
    assert [message.role for message in found.messages] == ["system", "user", "assistant", "tool"]
    assert found.messages[1].content == "Cost\nin March?"
    assert found.messages[2].tool_calls[0].arguments == '{"channel": "ctv"}'
    assert found.messages[3].tool_call_id == "call_1"
    assert (found.max_tokens, found.stop, found.seed, found.parallel_tool_calls) == (7, ("END",), 3, False)
    assert (found.task, found.key, found.provider, found.temperature) == ("chat", "key_1", None, None)


def test_an_image_keeps_its_place_among_the_parts() -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
    ]
    found = asked(messages=[{"role": "user", "content": parts}])
    assert found.messages[0].content == (TextPart(text="What is it?"), ImagePart(url="data:image/png;base64,"))
    assert found.max_tokens == MAX_TOKENS


def test_forms_of_the_answer() -> None:
    schema = {"type": "object", "required": ["a"]}
    named = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    assert asked(response_format=named).answer_schema == schema
    assert asked(response_format={"type": "json_object"}).answer_schema == {"type": "object"}
    assert asked(response_format={"type": "text"}).answer_schema is None
    assert refusal(response_format={"type": "json_schema"}).facts["param"] == "response_format.json_schema.schema"


@pytest.mark.parametrize(
    ("choice", "wanted", "left"),
    [
        ("auto", "auto", 2),
        ("none", "none", 2),
        ("required", "required", 2),
        ({"type": "function", "function": {"name": "roas_of"}}, ToolName(name="roas_of"), 2),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [ROAS]}},
            "required",
            1,
        ),
    ],
)
def test_tool_choice(choice: Any, wanted: Any, left: int) -> None:
    found = asked(tools=[SPEND, ROAS], tool_choice=choice)
    assert (found.tool_choice, len(found.tools)) == (wanted, left)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"functions": []}, "functions"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}, "tools": [SPEND]}, "tool_choice"),
        ({"tools": [{"type": "custom"}]}, "tools[0].type"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
    ],
)
def test_what_no_route_could_keep_is_refused_with_its_name(given: dict[str, Any], param: str) -> None:
    error = refusal(**given)
    assert error.facts["param"] == param
    assert error.detail.endswith(".")


def test_hints_are_taken_and_named() -> None:
    body = ChatRequest.model_validate(
        {"model": "auto", "messages": HELLO, "frequency_penalty": 0, "presence_penalty": 0.5, "verbosity": "low"}
    )
    assert ignored(body) == ("presence_penalty", "verbosity")


def test_names_of_models() -> None:
    spec = ProviderSpec(name="local", model="local/qwen")
    providers = [Provider(spec=spec, rates=None, context_tokens=None, takes_schema=True)]
    assert lead_of("auto", providers) == Lead("chat")
    assert lead_of("auto:explain", providers) == Lead("explain")
    assert lead_of("local", providers) == Lead("chat", "local")
    with pytest.raises(UnknownModel, match=r"There is no model 'gpt-4o'.*'local'"):
        lead_of("gpt-4o", providers)
    with pytest.raises(BadParameter):
        lead_of("auto:no task", providers)


def test_data_class_of_the_header() -> None:
    assert data_class_of(None, "internal") == "internal"
    assert data_class_of("Personal", "internal") == "personal"
    with pytest.raises(BadParameter, match="public, internal, confidential, personal"):
        data_class_of("secret", "internal")
