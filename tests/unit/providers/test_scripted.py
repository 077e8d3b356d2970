from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from domain.errors import TransientError
from providers.deadlines import Deadlines
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.scripted import Hang, Said, ScriptedAdapter
from providers.types import ModelRequest, Piece, Reply, TextDelta, Tokens

Ask = Callable[..., ModelRequest]
Make = Callable[..., Provider]


def say(adapter: ScriptedAdapter, provider: Provider, request: ModelRequest, first_token_s: float = 1) -> list[Piece]:
    async def read() -> list[Piece]:
        limits = Deadlines(first_token_s=first_token_s)
        return [piece async for piece in adapter.stream(provider, request, limits)]

    return asyncio.run(read())


def test_lines_are_said_in_order_and_then_it_is_out_of_service(provider: Make, request_for: Ask) -> None:
    lie = Reply(text="x", finish="stop", usage=Tokens(input=10**9))
    adapter = ScriptedAdapter(["one", {"n": 2}, lie])
    said = [say(adapter, provider(), request_for())[-1] for _ in range(3)]
    assert [getattr(reply, "text", None) for reply in said] == ["one", '{"n": 2}', "x"]
    assert said[2] == lie
    with pytest.raises(TransientError, match="no line left"):
        say(adapter, provider(), request_for())


def test_a_long_line_comes_in_pieces(provider: Make, request_for: Ask) -> None:
    pieces = say(ScriptedAdapter(["a sentence of some length"]), provider(), request_for())
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == "a sentence of some length"
    assert len(pieces) == 5


def test_a_function_sees_the_request(provider: Make, request_for: Ask) -> None:
    adapter = ScriptedAdapter(lambda request: request.messages[0].text.upper())
    assert say(adapter, provider(), request_for("hello"))[0] == TextDelta(text="HELLO")
    assert [request.task for request in adapter.requests] == ["explain"]


def test_an_answer_can_break_off(provider: Make, request_for: Ask) -> None:
    adapter = ScriptedAdapter([Said(("half ", "an"), failure(Fault.CUT, "gone"))])
    with pytest.raises(TransientError, match="gone"):
        say(adapter, provider(), request_for())


def test_silence_lasts_until_its_end_or_the_deadline(provider: Make, request_for: Ask) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    adapter = ScriptedAdapter([Hang(2, then="late"), Hang(60)], sleep=sleep)
    assert say(adapter, provider(), request_for(), 5)[0] == TextDelta(text="late")
    with pytest.raises(TransientError, match="5 s"):
        say(adapter, provider(), request_for(), 5)
    assert slept == [2, 5]
