from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from domain.errors import AccordError
from providers.cache import ExactCache, replay
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.types import Message, ModelAnswer, ModelRequest, TextDelta, Tokens, Tool, ToolCall, ToolDelta

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
Ask = Callable[..., ModelRequest]
Make = Callable[..., Provider]


def answer(text: str = "Hold.", **changes: object) -> ModelAnswer:
    given: dict[str, object] = {
        "text": text,
        "provider": "one",
        "model": "one/m",
        "usage": Tokens(input=10, output=2),
        "cost_nano": 70,
        "currency": "EUR",
        "attempts": (),
        "latency_s": 1.5,
        "finish": "stop",
        **changes,
    }
    return ModelAnswer.model_validate(given)


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "chat"},
        {"messages": (Message(role="user", content="Hello"),)},
        {"messages": (Message(role="system", content="hello"),)},
        {"answer_schema": {"type": "object"}},
        {"tools": (Tool(name="f"),)},
        {"tool_choice": "none"},
        {"max_tokens": 511},
        {"top_p": 0.5},
        {"stop": ("x",)},
        {"seed": 1},
        {"data_class": "public"},
        {"provider": "one"},
    ],
)
def test_whatever_may_change_the_answer_changes_the_key(
    changes: dict[str, object], request_for: Ask, provider: Make
) -> None:
    cache = ExactCache()
    assert cache.key(request_for(), [provider()]) != cache.key(request_for(**changes), [provider()])


def test_what_may_not_change_it_does_not(request_for: Ask, provider: Make) -> None:
    cache, two = ExactCache(), [provider("one"), provider("two")]
    assert cache.key(request_for(), two) == cache.key(request_for(deadline_s=3.0), two[::-1])
    assert cache.key(request_for(), two) != cache.key(request_for(), two[:1])


def test_answers_are_shared_between_keys_only_where_the_data_is_the_companys_own(
    request_for: Ask, provider: Make
) -> None:
    def shared(data_class: str) -> bool:
        one, two = (request_for(data_class=data_class, key=key) for key in ("k1", "k2"))
        return ExactCache().key(one, [provider()]) == ExactCache().key(two, [provider()])

    assert [shared(one) for one in ("public", "internal", "confidential")] == [True, True, False]


@pytest.mark.parametrize(
    "changes", [{"temperature": 0.1}, {"temperature": None}, {"cache": False}, {"data_class": "personal"}]
)
def test_chance_and_personal_data_are_never_kept(changes: dict[str, object], request_for: Ask, provider: Make) -> None:
    assert ExactCache().key(request_for(**changes), [provider()]) is None


def test_a_kept_answer_is_free_says_so_and_grows_old() -> None:
    cache = ExactCache(lives=timedelta(minutes=1))
    cache.put("k", answer(), NOW)
    hit = cache.get("k", NOW + timedelta(seconds=59))
    assert hit is not None
    assert (hit.text, hit.cost_nano, hit.cached, hit.attempts) == ("Hold.", 0, True, ())
    assert "'one'" in hit.why
    assert cache.get("k", NOW + timedelta(seconds=60)) is None
    cache.put("k", hit, NOW)
    assert cache.get("k", NOW) is None, "a hit would live for ever"


def test_what_was_cut_is_not_kept_and_what_is_kept_stays_small() -> None:
    cache = ExactCache(most_signs=5_000)
    cache.put("cut", answer(finish="length"), NOW)
    assert cache.get("cut", NOW) is None
    for name in "abc":
        cache.put(name, answer(name * 400), NOW)
        cache.get("a", NOW)
    assert [cache.get(name, NOW) is not None for name in "abc"] == [True, False, True]
    cache.put("whale", answer("x" * 9_000), NOW)
    assert [cache.get(name, NOW) is not None for name in ("a", "b", "c", "whale")] == [True, False, True, False]


def test_a_kept_answer_streams_as_the_first_one_did() -> None:
    called = answer(tool_calls=(ToolCall(id="t1", name="f", arguments='{"a": 1}'),), finish="tool")
    events = list(replay(called))
    assert [event.kind for event in events] == ["started", "text", "tool", "answer"]
    assert events[1:3] == [TextDelta(text="Hold."), ToolDelta(index=0, id="t1", name="f", arguments='{"a": 1}')]


def test_the_gateway_asks_once_and_answers_twice(house: Callable[..., Any], request_for: Ask, time: Any) -> None:
    found = house({"one": ["Hold.", "Shift."]}, cache=ExactCache(), time=time)
    first, again = (found.gateway.complete(request_for()) for _ in range(2))
    assert [(answer.text, answer.cached) for answer in (first, again)] == [("Hold.", False), ("Hold.", True)]
    assert (found.calls("one"), len(found.log.calls)) == (1, 1)
    events, error = found.stream(request_for())
    assert ([event.kind for event in events], error) == (["started", "text", "answer"], None)
    assert found.gateway.complete(request_for(cache=False)).text == "Shift."
    time.move(3601)
    with pytest.raises(AccordError):
        found.gateway.complete(request_for())


def test_a_failure_is_not_remembered_and_a_stricter_caller_is_asked_for(
    house: Callable[..., Any], request_for: Ask
) -> None:
    class Pick(BaseModel):
        action: str

        @field_validator("action")
        @classmethod
        def _known(cls, value: str) -> str:
            if value != "hold":
                raise ValueError("unknown")
            return value

    found = house(
        {"one": [failure(Fault.REFUSED, "no"), '{"action": "spend"}', '{"action": "hold"}']}, cache=ExactCache()
    )
    asked = request_for(answer_schema=Pick.model_json_schema(), task="pick")
    with pytest.raises(AccordError):
        found.gateway.complete(asked)
    assert found.gateway.complete(asked).parsed == {"action": "spend"}
    value, answer = found.gateway.ask("pick", Pick, asked.messages)
    assert (value.action, answer.cached) == ("hold", False)
