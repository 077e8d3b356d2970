from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.errors import TransientError
from providers.registry import Provider
from providers.scripted import Hang, ScriptedAdapter
from providers.types import ModelRequest, Reply, Tokens

Ask = Callable[..., ModelRequest]


def test_lines_are_said_in_order_and_then_it_is_out_of_service(
    provider: Callable[..., Provider], request_for: Ask
) -> None:
    lie = Reply(text="x", finish="stop", usage=Tokens(input=10**9))
    adapter = ScriptedAdapter(["one", {"n": 2}, lie])
    said = [adapter.complete(provider(), request_for(), deadline_s=1) for _ in range(3)]
    assert [(reply.text, reply.finish) for reply in said] == [("one", "stop"), ('{"n": 2}', "stop"), ("x", "stop")]
    assert said[2] == lie
    with pytest.raises(TransientError, match="no line left"):
        adapter.complete(provider(), request_for(), deadline_s=1)


def test_a_function_sees_the_request(provider: Callable[..., Provider], request_for: Ask) -> None:
    adapter = ScriptedAdapter(lambda request: request.messages[0].content.upper())
    assert adapter.complete(provider(), request_for("hello"), deadline_s=1).text == "HELLO"
    assert [request.task for request in adapter.requests] == ["explain"]


def test_silence_lasts_until_its_end_or_the_deadline(provider: Callable[..., Provider], request_for: Ask) -> None:
    slept: list[float] = []
    adapter = ScriptedAdapter([Hang(2, then="late"), Hang(60)], sleep=slept.append)
    assert adapter.complete(provider(), request_for(), deadline_s=5).text == "late"
    with pytest.raises(TransientError, match="5"):
        adapter.complete(provider(), request_for(), deadline_s=5)
    assert slept == [2, 5]
