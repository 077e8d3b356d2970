"""What a call does when providers fail: who is asked next, what is retried, and how a broken stream goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import AccordError, BadAnswer, TerminalError, TransientError
from providers.faults import Fault, failure, fault_of, retry_after_s
from providers.scripted import Hang, Said
from providers.types import (
    ModelAnswer,
    ModelRequest,
    Outcome,
    Reply,
    Started,
    StreamEvent,
    TextDelta,
    Tool,
    ToolCall,
    ToolDelta,
)

Build = Callable[..., Any]
Ask = Callable[..., ModelRequest]
SAID = ("Hold the budget ", "of the north ", "until the test")
WHOLE = "Hold the budget of the north until the test of region four ends on Friday."
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def down(fault: Fault = Fault.OVERLOADED, **facts: object) -> AccordError:
    return failure(fault, "down", **facts)


def text(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


class TestRetries:
    def test_a_route_alone_is_tried_again_after_a_pause(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [down(), down(Fault.CUT), "hi"]})
        answer = found.gateway.complete(request_for())
        assert [a.error_code for a in answer.attempts] == ["overloaded", "cut", None]
        assert 0.1 < found.time.passed < 1

    def test_at_most_twice(self, house: Build, request_for: Ask) -> None:
        found = house({"one": lambda _: down()})
        with pytest.raises(TransientError):
            found.gateway.complete(request_for())
        assert found.calls("one") == 3

    def test_never_while_another_is_well(self, house: Build, request_for: Ask) -> None:
        found = house({"one": lambda _: down(), "two": lambda _: "hi"})
        assert [found.gateway.complete(request_for()).provider for _ in range(5)] == ["two"] * 5
        assert found.calls("one") == 1

    def test_the_wait_a_vendor_names_is_kept_when_it_fits_the_deadline(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [down(Fault.RATE_LIMITED, retry_after_s=7.0), "hi"]})
        assert found.gateway.complete(request_for()).text == "hi"
        assert found.time.passed == 7

    def test_and_told_when_it_does_not(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [down(Fault.RATE_LIMITED, retry_after_s=700.0), "hi"]})
        for _ in range(2):
            with pytest.raises(TransientError) as caught:
                found.gateway.complete(request_for())
            assert retry_after_s(caught.value) is not None
        assert found.calls("one") == 1

    def test_a_silence_is_not_paid_for_twice(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [Hang(1e9), "hi"]})
        with pytest.raises(TransientError):
            found.gateway.complete(request_for())
        assert found.time.passed == 10

    def test_a_breaker_never_fails_a_call_that_might_have_worked(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [down(Fault.UNAUTHORISED), "hi"]})
        with pytest.raises(TerminalError):
            found.gateway.complete(request_for())
        assert found.gateway.complete(request_for()).text == "hi"

    def test_a_pinned_provider_alone_is_asked(self, house: Build, request_for: Ask) -> None:
        found = house({"one": ["1"], "two": [down(), "2"]})
        assert found.gateway.complete(request_for(provider="two")).text == "2"
        assert found.calls("one") == 0

    def test_a_silent_probe_costs_two_seconds(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [down(), Hang(1e9)], "two": lambda _: "hi"})
        found.gateway.complete(request_for())
        found.time.move(1)
        assert found.gateway.complete(request_for()).attempts[0].latency_s == 2


class TestRepair:
    def test_one_repair_on_the_same_route_when_it_is_alone_with_the_flaw_told(
        self, house: Build, request_for: Ask
    ) -> None:
        found = house({"one": ['{"n": "x"}', '{"n": 1}']})
        assert found.gateway.complete(request_for(answer_schema=SCHEMA)).parsed == {"n": 1}
        assert "does not fit the schema" in found.said["one"].requests[1].messages[-1].text

    def test_and_then_an_explicit_error(self, house: Build, request_for: Ask) -> None:
        found = house({"one": ["x"], "two": ["y"], "three": ['{"n": 3}']})
        with pytest.raises(BadAnswer, match="'one': bad_answer; 'two': bad_answer"):
            found.gateway.complete(request_for(answer_schema=SCHEMA))
        assert found.calls("three") == 0

    def test_a_tool_nobody_offered_is_a_bad_answer(self, house: Build, request_for: Ask) -> None:
        made_up = Reply(text="", finish="tool", tool_calls=(ToolCall(id="1", name="rm", arguments="{}"),))
        found = house({"one": [made_up], "two": ["hi"]})
        assert found.gateway.complete(request_for(tools=(Tool(name="ls"),))).provider == "two"

    def test_an_empty_answer_moves_on(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [""], "two": ["hi"]})
        assert found.gateway.complete(request_for()).attempts[0].error_code == "empty"

    def test_an_answer_that_max_tokens_left_empty_is_told_as_it_is(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [Reply(text="", finish="length")]})
        assert found.gateway.complete(request_for()).finish == "length"


class TestStream:
    def test_a_whole_answer_starts_once_and_ends_with_the_answer(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [down()], "two": [WHOLE]})
        events, error = found.stream(request_for())
        assert error is None
        assert isinstance(events[0], Started)
        assert [a.provider for a in events[0].attempts] == ["one"]
        assert isinstance(events[-1], ModelAnswer)
        assert text(events) == events[-1].text == WHOLE

    def test_a_refusal_before_any_content_has_its_status(self, house: Build, request_for: Ask) -> None:
        events, error = house({"one": [down(Fault.REFUSED)], "two": ["hi"]}).stream(request_for())
        assert events == []
        assert isinstance(error, TerminalError)

    @pytest.mark.parametrize("second", [WHOLE, WHOLE.removeprefix("".join(SAID))])
    def test_a_broken_stream_goes_on_as_one_answer(self, house: Build, request_for: Ask, second: str) -> None:
        found = house({"one": [Said(SAID, down(Fault.CUT))], "two": [second]})
        events, error = found.stream(request_for())
        assert error is None
        assert text(events) == WHOLE
        assert isinstance(events[-1], ModelAnswer)
        assert events[-1].text == WHOLE
        assert [isinstance(event, Started) for event in events].count(True) == 1
        assert found.said["two"].prefixes == ["".join(SAID)]

    def test_a_second_answer_is_never_appended(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [Said(SAID, down(Fault.CUT))], "two": ["The south should get it all at once."]})
        events, error = found.stream(request_for())
        assert (text(events), error is None) == ("".join(SAID), False)
        assert not any(isinstance(event, ModelAnswer) for event in events)

    def test_who_refuses_half_an_answer_is_asked_by_a_turn(self, house: Build, request_for: Ask) -> None:
        no = down(Fault.BAD_REQUEST, refuses_prefill=True)
        found = house(
            {"one": [Said(SAID, down(Fault.CUT))], "two": [no, "until the test of region four ends on Friday."]}
        )
        events, error = found.stream(request_for())
        assert (text(events), error) == (WHOLE, None)
        assert "Begin by repeating" in found.said["two"].requests[1].messages[-1].text

    def test_what_may_be_an_answer_of_its_own_is_asked_for_once_more_by_turn(
        self, house: Build, request_for: Ask
    ) -> None:
        first = Said(("Hold the budget of the north. ",), down(Fault.CUT))
        asked = "Hold the budget of the north. Then decide."
        found = house({"one": [first], "two": ["Then decide.", asked], "three": ["no"]})
        events, error = found.stream(request_for())
        assert (text(events), error) == ("Hold the budget of the north. Then decide.", None)
        assert found.said["two"].prefixes == ["Hold the budget of the north. ", ""]
        assert "Begin by repeating" in found.said["two"].requests[1].messages[-1].text

    def test_and_never_more_than_once_more_before_the_next_is_asked(self, house: Build, request_for: Ask) -> None:
        first = Said(("Hold the budget of the north",), down(Fault.CUT))
        found = house({"one": [first], "two": lambda _: "The south gets it all.", "three": [" until Friday."]})
        events, error = found.stream(request_for())
        assert (text(events), error) == ("Hold the budget of the north until Friday.", None)
        assert [found.calls(name) for name in ("one", "two", "three")] == [1, 2, 1]

    def test_a_stream_that_is_alone_and_breaks_is_an_error(self, house: Build, request_for: Ask) -> None:
        events, error = house({"one": [Said(SAID, down(Fault.CUT)), WHOLE]}).stream(request_for())
        assert text(events) == "".join(SAID)
        assert error is not None
        assert fault_of(error) is Fault.CUT

    def test_a_plain_call_begins_anew_instead(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [Said(SAID, down(Fault.CUT))], "two": ["Something else."]})
        assert found.gateway.complete(request_for()).text == "Something else."

    def test_a_tool_call_that_broke_off_is_not_continued(self, house: Build, request_for: Ask) -> None:
        call = Reply(text="", finish="tool", tool_calls=(ToolCall(id="1", name="rm", arguments="{}"),))
        found = house({"one": [call], "two": ["hi"]})
        events, error = found.stream(request_for(tools=(Tool(name="ls"),)))
        assert any(isinstance(event, ToolDelta) for event in events)
        assert isinstance(error, BadAnswer)
        assert found.calls("two") == 0

    def test_an_invalid_answer_that_was_delivered_is_an_error(self, house: Build, request_for: Ask) -> None:
        events, error = house({"one": ["no json"], "two": ['{"n": 1}']}).stream(request_for(answer_schema=SCHEMA))
        assert text(events) == "no json"
        assert isinstance(error, BadAnswer)

    def test_blanks_before_the_first_content_do_not_start_the_answer(self, house: Build, request_for: Ask) -> None:
        found = house({"one": [Said((" ", "\n"), down(Fault.CUT))], "two": ["hi"]})
        events, error = found.stream(request_for())
        assert (text(events), error) == ("hi", None)
        assert isinstance(events[0], Started)
        assert events[0].provider == "two"


def test_who_goes_away_leaves_nothing_open(house: Build, request_for: Ask) -> None:
    found = house({"one": ["a long enough answer"]})

    async def peek() -> None:
        stream = found.gateway.stream(request_for())
        assert isinstance(await anext(stream), Started)
        await stream.aclose()

    asyncio.run(peek())
    call = found.gateway.recent[-1]
    assert (call.error_code, call.attempts[0].error_code, call.attempts[0].outcome) == (
        "cancelled",
        "cancelled",
        Outcome.FAILED,
    )
    assert len(found.log.calls) == 1
