"""The whole way of a call whose provider must not learn names: what it is asked, and what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from providers.deadlines import Deadlines
from providers.faults import Fault, failure
from providers.names import Name, NameIndex
from providers.registry import Provider
from providers.scripted import Said, ScriptedAdapter
from providers.types import ImagePart, Message, ModelRequest, Piece, Reply, TextPart, Tool, ToolCall
from providers.veiled import VeiledAdapter

NAMES = ("Anaïs Dupré", "Acme Retail")
INDEX = NameIndex([Name("person", "Anaïs Dupré"), Name("account", "Acme Retail")])
Ask = Callable[..., ModelRequest]
Make = Callable[..., Provider]


def run(adapter: ScriptedAdapter, provider: Provider, request: ModelRequest, prefix: str = "") -> list[Piece]:
    async def read() -> list[Piece]:
        stream = VeiledAdapter(adapter, lambda: INDEX).stream(provider, request, Deadlines(), prefix)
        async with aclosing(stream) as pieces:
            return [piece async for piece in pieces]

    return asyncio.run(read())


def everything(request: ModelRequest) -> str:
    return request.model_dump_json().lower() + json.dumps(request.model_dump(mode="json")).lower()


def told(request: ModelRequest) -> bool:
    return any(
        name.lower() in everything(request) or json.dumps(name)[1:-1].lower() in everything(request) for name in NAMES
    )


@pytest.fixture
def asked() -> ModelRequest:
    """Names in every place that a request has."""
    schema: dict[str, Any] = {"type": "object", "properties": {"who": {"enum": ["Acme Retail", "nobody"]}}}
    return ModelRequest(
        task="chat",
        messages=(
            Message(role="system", content="You help Acme Retail."),
            Message(role="user", content=(TextPart(text="Who is ANAIS DUPRE?"), ImagePart(url="data:,x"))),
            Message(
                role="assistant", tool_calls=(ToolCall(id="c1", name="find", arguments='{"who": "Ana\\u00efs Dupré"}'),)
            ),
            Message(role="tool", tool_call_id="c1", content=json.dumps({"name": "Anaïs Dupré", "mail": "ana@acme.io"})),
        ),
        answer_schema=schema,
        tools=(Tool(name="find", description="Finds people of acme-retail", parameters=schema),),
        stop=("Acme Retail:",),
    )


def test_no_name_goes_out_from_any_place_of_a_request(asked: ModelRequest, provider: Make) -> None:
    adapter = ScriptedAdapter(["{}"])
    run(adapter, provider(spec={"pseudonyms": True}), asked, prefix="Anaïs Dupré is")
    (sent,) = adapter.requests
    assert told(asked)
    assert not told(sent)
    assert "@" not in everything(sent)
    assert not any(name in adapter.prefixes[0] for name in NAMES)
    assert sent.tools[0].name == "find"
    assert sent.answer_schema is not None
    assert sent.answer_schema["type"] == "object"


def test_an_answer_in_pieces_comes_back_with_its_names(request_for: Ask, provider: Make) -> None:
    def echo(request: ModelRequest) -> Said:
        placeholder = request.messages[0].text.removeprefix("Write to ")
        text = f"Dear {placeholder}, hello {placeholder}"
        return Said(tuple(text[n : n + 3] for n in range(0, len(text), 3)))

    pieces = run(ScriptedAdapter(echo), provider(spec={"pseudonyms": True}), request_for("Write to Anaïs Dupré"))
    joined = "".join(piece.text for piece in pieces if piece.kind == "text")
    reply = pieces[-1]
    assert isinstance(reply, Reply)
    assert joined == reply.text == "Dear Anaïs Dupré, hello Anaïs Dupré"
    assert not any("person_" in piece.text for piece in pieces if piece.kind == "text")


def test_tool_calls_come_back_as_json_with_their_names(request_for: Ask, provider: Make) -> None:
    def call(request: ModelRequest) -> Reply:
        arguments = json.dumps({"to": request.messages[0].text, "n": 1})
        return Reply(text="", tool_calls=(ToolCall(id="c1", name="send", arguments=arguments),), finish="tool")

    pieces = run(ScriptedAdapter(call), provider(spec={"pseudonyms": True}), request_for('Acme "Retail"'))
    reply = pieces[-1]
    assert isinstance(reply, Reply)
    deltas = "".join(piece.arguments for piece in pieces if piece.kind == "tool")
    assert json.loads(deltas) == json.loads(reply.tool_calls[0].arguments) == {"to": 'Acme "Retail"', "n": 1}


def test_providers_that_do_not_ask_for_it_get_the_names(request_for: Ask, provider: Make) -> None:
    adapter = ScriptedAdapter(["Yes."])
    run(adapter, provider(), request_for("Who is Anaïs Dupré?"))
    assert adapter.requests[0].messages[0].text == "Who is Anaïs Dupré?"


def test_a_fault_passes_through(request_for: Ask, provider: Make) -> None:
    broken = ScriptedAdapter([Said(("Hello ",), failure(Fault.CUT, "cut"))])
    with pytest.raises(Exception, match="cut"):
        run(broken, provider(spec={"pseudonyms": True}), request_for("Acme Retail"))
