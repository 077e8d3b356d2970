from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from domain.errors import BadAnswer, ConfigError, OverBudget, TerminalError, TransientError
from providers.candidates import Ranked
from providers.faults import Fault, NoProvider, failure
from providers.registry import Provider
from providers.scripted import Hang
from providers.types import Budget, Message, ModelRequest, Outcome, Price, Reply, Tokens

Build = Callable[..., Any]
Ask = Callable[..., ModelRequest]
DEAR = Price.model_validate({"currency": "USD", "input": "1", "output": "1000"})


class Pick(BaseModel):
    action: Literal["hold", "shift"]
    share_rate: float = Field(ge=0, le=1)


def test_the_first_provider_answers_and_is_accounted(house: Build, provider: Build, request_for: Ask) -> None:
    found = house(
        {"one": [Reply(text="hi", finish="stop", usage=Tokens(input=1000, output=2))], "two": []},
        {"one": provider("one", price=DEAR)},
    )
    answer = found.gateway.complete(request_for())
    assert (answer.text, answer.provider, answer.finish) == ("hi", "one", "stop")
    assert (answer.cost_nano, answer.currency) == (1000 * 1000 + 2 * 1_000_000, "USD")
    assert [(call.provider, call.charged_nano) for call in found.log.calls.values()] == [("one", 1_500_000)]
    assert found.calls("two") == 0


@pytest.mark.parametrize(
    "fault", [Fault.OVERLOADED, Fault.RATE_LIMITED, Fault.CUT, Fault.UNAUTHORISED, Fault.NOT_FOUND, Fault.NO_CREDIT]
)
def test_trouble_of_one_vendor_is_answered_by_the_next(house: Build, request_for: Ask, fault: Fault) -> None:
    found = house({"one": [failure(fault, "down")], "two": ["hi"]})
    answer = found.gateway.complete(request_for())
    assert [(a.provider, a.outcome, a.error_code) for a in answer.attempts] == [
        ("one", Outcome.FAILED, fault),
        ("two", Outcome.ANSWERED, None),
    ]
    assert len(found.log.calls) == 2


@pytest.mark.parametrize("fault", [Fault.BAD_REQUEST, Fault.REFUSED])
def test_the_callers_error_and_a_refusal_do_not_cross_vendors(house: Build, request_for: Ask, fault: Fault) -> None:
    found = house({"one": [failure(fault, "no")], "two": ["hi"]})
    with pytest.raises(TerminalError) as caught:
        found.gateway.complete(request_for())
    assert [a.error_code for a in caught.value.facts["attempts"]] == [fault]  # type: ignore[attr-defined]
    assert found.calls("two") == 0


def test_an_overflow_goes_to_a_larger_window_alone(house: Build, provider: Build, request_for: Ask) -> None:
    scripts = {"small": [failure(Fault.CONTEXT_OVERFLOW, "long")], "same": ["no"], "large": ["yes"]}
    windows = {"small": 8000, "same": 8000, "large": 9000}
    found = house(scripts, {name: provider(name, context=size) for name, size in windows.items()})
    assert found.gateway.complete(request_for()).text == "yes"
    assert [found.calls(name) for name in scripts] == [1, 0, 1]


def test_data_never_reaches_a_provider_that_may_not_see_it(house: Build, provider: Build, request_for: Ask) -> None:
    """Also when everybody who may has failed."""
    cleared = provider("cleared", spec={"data_classes": ["personal"]})
    found = house({"open": ["leak"], "cleared": [failure(Fault.OVERLOADED, "down")]}, {"cleared": cleared})
    with pytest.raises(TransientError):
        found.gateway.complete(request_for(data_class="personal"))
    with pytest.raises(NoProvider, match="confidential"):
        found.gateway.complete(request_for(data_class="confidential"))
    assert (found.calls("open"), found.calls("cleared")) == (0, 3)


def test_without_providers_the_caller_is_told_to_go_on_alone(house: Build, request_for: Ask) -> None:
    with pytest.raises(NoProvider, match="go on without a model"):
        house({}).gateway.complete(request_for())


def test_a_schema_answer_that_does_not_fit_is_a_failed_and_paid_attempt(
    house: Build, provider: Build, request_for: Ask
) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    found = house({"one": ['{"n": "x"}'], "two": ['{"n": 3}']}, {"one": provider("one", price=DEAR)})
    answer = found.gateway.complete(request_for(answer_schema=schema))
    assert answer.parsed == {"n": 3}
    assert [a.error_code for a in answer.attempts] == ["bad_answer", None]
    assert (answer.attempts[0].cost_nano or 0) > 0


def test_ask_returns_the_type_and_uses_its_validators(house: Build) -> None:
    found = house({"one": [{"action": "shift", "share_rate": 7.0}], "two": [Pick(action="hold", share_rate=0.2)]})
    value, answer = found.gateway.ask("arbitrate", Pick, [Message(role="user", content="?")])
    assert value == Pick(action="hold", share_rate=0.2)
    assert answer.parsed == {"action": "hold", "share_rate": 0.2}
    assert found.said["two"].requests[0].answer_schema == Pick.model_json_schema()


def test_only_bad_answers_make_a_bad_answer(house: Build) -> None:
    with pytest.raises(BadAnswer, match="'one': bad_answer"):
        house({"one": ["x"], "two": [""]}).gateway.ask("t", Pick, [Message(role="user", content="?")])


@pytest.mark.parametrize(("deadline_s", "silence_s"), [(120, 10), (12, 6)])
def test_a_silent_provider_costs_one_wait_for_a_first_token_and_leaves_the_others_their_time(
    house: Build, request_for: Ask, deadline_s: float, silence_s: float
) -> None:
    found = house({"one": [Hang(1e9)], "two": ["hi"]})
    answer = found.gateway.complete(request_for(deadline_s=deadline_s))
    assert (answer.text, answer.attempts[0].error_code, answer.attempts[0].latency_s) == ("hi", "timeout", silence_s)


def test_the_deadline_ends_the_whole_call(house: Build, request_for: Ask) -> None:
    found = house({name: [Hang(1e9)] for name in ("one", "two", "three")})
    with pytest.raises(TransientError):
        found.gateway.complete(request_for(deadline_s=20))
    assert found.time.passed == pytest.approx(20)


def test_a_dead_provider_costs_one_attempt_and_then_none_until_its_probe(house: Build, request_for: Ask) -> None:
    found = house({"one": [failure(Fault.CONNECTION, "down"), "back"], "two": lambda _: "hi"})
    answers = [found.gateway.complete(request_for()) for _ in range(3)]
    assert [a.attempts[0].error_code for a in answers] == ["connection", "breaker_open", "breaker_open"]
    found.time.move(1)
    assert found.gateway.complete(request_for()).text == "back"
    assert found.calls("one") == 2


def test_a_used_up_budget_moves_the_call_on_or_names_itself(house: Build, provider: Build, request_for: Ask) -> None:
    budgets = (Budget.model_validate({"scope": "provider:one", "month": "0.0001"}),)
    dear = {"one": provider("one", price=DEAR)}
    found = house({"one": ["hi"], "two": ["free"]}, dear, budgets=budgets)
    answer = found.gateway.complete(request_for())
    assert (answer.text, answer.attempts[0].error_code, found.calls("one")) == ("free", "over_budget", 0)
    with pytest.raises(OverBudget, match="'provider:one'"):
        house({"one": ["hi"]}, dear, budgets=budgets).gateway.complete(request_for())


def test_an_unknown_price_is_said_and_no_budget_can_cover_it(house: Build, request_for: Ask) -> None:
    assert house({"one": ["hi"]}).gateway.complete(request_for()).cost_nano is None
    with pytest.raises(ConfigError, match="price of 'one/m' is unknown"):
        house({"one": ["hi"]}, budgets=(Budget.model_validate({"scope": "all", "month": "5"}),))


def test_calls_per_minute_are_kept(house: Build, provider: Build, request_for: Ask) -> None:
    found = house({"one": lambda _: "1", "two": lambda _: "2"}, {"one": provider("one", spec={"rpm": 2})})
    assert [found.gateway.complete(request_for()).text for _ in range(3)] == ["1", "1", "2"]
    found.time.move(60)
    assert found.gateway.complete(request_for()).text == "1"


class Reversed:
    def rank(self, _request: ModelRequest, candidates: Sequence[Provider], _now: datetime) -> Ranked:
        return Ranked(tuple(candidates[::-1]), "The last one is best.")


def test_the_router_is_a_seam_and_its_reason_is_told(house: Build, request_for: Ask) -> None:
    found = house({"one": ["1"], "two": [failure(Fault.OVERLOADED, "down")]}, router=Reversed())
    answer = found.gateway.complete(request_for())
    assert (answer.text, answer.why) == ("1", "The last one is best. Before it: 'two' (overloaded).")
    assert [(call.task, call.provider, call.why) for call in found.gateway.recent] == [("explain", "one", answer.why)]
