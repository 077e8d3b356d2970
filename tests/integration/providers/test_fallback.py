"""Real HTTP, real litellm, three wire formats: what survives, what is told, and what is never taken for an answer."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from domain.errors import AccordError, TerminalError
from providers.gateway import Gateway
from providers.ledger import InMemoryCallLog
from providers.types import Message, ModelRequest, Tokens

Start = Callable[..., Any]
Open = Callable[..., Gateway]
WIRES = ("openai", "anthropic", "gemini")
CUT = ("no_finish", "empty", "hollow", "cut_json", "short_body", "drop")
FAULTS = {
    "500": "overloaded",
    "503": "overloaded",
    "529": "overloaded",
    "429": "rate_limited",
    "401": "unauthorised",
    "404": "not_found",
    "html": "malformed",
    "no_finish": "cut",
    "cut_json": "cut",
    "short_body": "cut",
    "drop": "cut",
    "silence": "timeout",
}


class Pick(BaseModel):
    action: Literal["hold", "shift"]


def request(deadline_s: float = 20.0) -> ModelRequest:
    messages = (Message(role="system", content="Be brief."), Message(role="user", content="What now?"))
    return ModelRequest(task="explain", messages=messages, deadline_s=deadline_s)


@pytest.mark.parametrize("wire", WIRES)
def test_a_whole_answer_comes_with_the_vendors_own_marker_and_exact_cost(
    wire: str, peer: Start, gateway: Open, log: InMemoryCallLog
) -> None:
    one = peer(wire)
    answer = gateway(one).complete(request())
    assert (answer.text, answer.finish) == ("Hold the budget until the region test ends.", "stop")
    assert answer.usage == Tokens(input=100, cached=60, output=20)
    # Nano-dollars: 40 fresh, 60 cached, 20 out at the table's prices per million tokens.
    assert (
        answer.cost_nano
        == {
            "openai": 40 * 250 + 60 * 25 + 20 * 2000,
            "anthropic": 40 * 1000 + 60 * 100 + 20 * 5000,
            "gemini": 40 * 750 + 60 * 75 + 20 * 3750,
        }[wire]
    )
    assert [call.charged_nano for call in log.calls.values()] == [answer.cost_nano]
    assert len(one.seen) == 1


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_vendor_is_tried_once_and_the_next_answers(wire: str, fault: str, peer: Start, gateway: Open) -> None:
    bad, good = peer(wire, fault), peer("openai")
    answer = gateway(bad, good).complete(request(deadline_s=1.0 if fault == "silence" else 20.0))
    assert (answer.provider, answer.attempts[0].error_code) == ("p1", FAULTS[fault])
    assert (len(bad.seen), len(good.seen)) == (1, 1)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("fault", CUT)
def test_a_cut_answer_is_never_reported_as_complete(wire: str, fault: str, peer: Start, gateway: Open) -> None:
    with pytest.raises(AccordError) as caught:
        gateway(peer(wire, fault)).complete(request())
    assert caught.value.code in {"external_transient", "bad_answer"}


@pytest.mark.parametrize("wire", WIRES)
def test_an_answer_stopped_by_max_tokens_says_so(wire: str, peer: Start, gateway: Open) -> None:
    assert gateway(peer(wire, "length")).complete(request()).finish == "length"


@pytest.mark.parametrize("wire", WIRES)
def test_a_schema_answer_that_lies_is_replaced_by_one_that_does_not(wire: str, peer: Start, gateway: Open) -> None:
    bad, good = peer(wire, "", '{"action": "spend it all"}'), peer(wire, "", '{"action": "hold"}')
    value, answer = gateway(bad, good).ask("arbitrate", Pick, request().messages)
    assert value == Pick(action="hold")
    assert [attempt.error_code for attempt in answer.attempts] == ["bad_answer", None]
    assert "at 'action'" in str(answer.attempts[0].detail)
    assert "shift" in str(bad.seen[0]), "the schema was not sent"


@pytest.mark.parametrize("wire", WIRES)
def test_a_bad_request_stays_with_its_caller(wire: str, peer: Start, gateway: Open) -> None:
    bad, good = peer(wire, "400"), peer("openai")
    with pytest.raises(TerminalError, match="HTTP 400"):
        gateway(bad, good).complete(request())
    assert (len(bad.seen), len(good.seen)) == (1, 0)


def test_the_wait_a_vendor_names_is_kept(peer: Start, gateway: Open) -> None:
    bad, good = peer("openai", "429"), peer("openai")
    both = gateway(bad, good)
    codes = [both.complete(request()).attempts[0].error_code for _ in range(3)]
    assert codes == ["rate_limited", "breaker_open", "breaker_open"]
    assert len(bad.seen) == 1


def test_a_vendor_that_is_not_there_is_a_connection_fault(peer: Start, gateway: Open, peers: ModuleType) -> None:
    with peers.running() as gone:
        pass
    answer = gateway(gone, peer("openai")).complete(request())
    assert [attempt.error_code for attempt in answer.attempts] == ["connection", None]
