"""Errors as OpenAI's clients read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from api.openai.errors import BadParameter, UnknownModel, answer, covers, misread
from api.schemas.completions import ChatRequest
from domain.errors import AccordError, ConfigError, Forbidden, OverBudget, TransientError, Unauthorised
from providers.faults import Fault, NoProvider, failure

NOW = datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC)


def told(error: AccordError) -> tuple[int, str, str | None, str | None]:
    response = answer(error, NOW)
    body = json.loads(bytes(response.body))["error"]
    return response.status_code, body["type"], body["code"], response.headers.get("x-should-retry")


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (BadParameter("n", "No."), (400, "invalid_request_error", "invalid_value", None)),
        (UnknownModel("No."), (404, "invalid_request_error", "model_not_found", None)),
        (Unauthorised("No."), (401, "invalid_request_error", "invalid_api_key", None)),
        (Forbidden("No."), (403, "invalid_request_error", "missing_scope", None)),
        (OverBudget("No."), (429, "insufficient_quota", "insufficient_quota", "false")),
        (NoProvider("No."), (503, "server_error", "no_provider", "false")),
        (ConfigError("No."), (500, "server_error", "invalid_config", "false")),
        (failure(Fault.REFUSED, "No."), (400, "invalid_request_error", "content_policy_violation", None)),
        (failure(Fault.CONTEXT_OVERFLOW, "No."), (400, "invalid_request_error", "context_length_exceeded", None)),
        (failure(Fault.RATE_LIMITED, "No."), (429, "rate_limit_error", "rate_limit_exceeded", "true")),
        (failure(Fault.TIMEOUT, "No."), (504, "server_error", "timeout", "true")),
        (failure(Fault.CUT, "No."), (502, "server_error", "cut", "true")),
        (failure(Fault.UNAUTHORISED, "No."), (502, "server_error", "unauthorised", "false")),
        (TransientError("No."), (503, "server_error", "overloaded", "true")),
    ],
)
def test_status_and_code(error: AccordError, wanted: tuple[int, str, str | None, str | None]) -> None:
    assert told(error) == wanted


def test_a_budget_frees_up_with_the_next_month() -> None:
    assert answer(OverBudget("No."), NOW).headers["retry-after"] == "30"
    assert answer(failure(Fault.RATE_LIMITED, "No.", retry_after_s=7.0), NOW).headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"messages": [{"role": "user", "content": "x"}]}, "model", "missing_required_parameter"),
        ({"model": "auto", "messages": []}, "messages", "invalid_value"),
        ({"model": "auto", "messages": [{"role": "user", "content": "x"}], "colour": 1}, "colour", "unknown_parameter"),
        ({"model": "auto", "messages": [{"role": "king", "content": "x"}]}, "messages[0].role", "invalid_value"),
        (
            {"model": "auto", "messages": [{"role": "user", "content": [{"text": "x"}]}]},
            "messages[0].content[0].type",
            "missing_required_parameter",
        ),
        (
            {"model": "auto", "messages": [{"role": "user", "content": "x"}], "max_tokens": 0},
            "max_tokens",
            "invalid_value",
        ),
    ],
)
def test_a_body_that_does_not_fit_names_its_parameter(body: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate(body)
    faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in caught.value.errors()]
    found = misread(faults)
    assert (found.facts["param"], found.code) == (param, code)


def test_a_body_that_is_no_json() -> None:
    assert misread([{"type": "json_invalid", "loc": ("body", 3), "msg": ""}]).code == "invalid_json"


def test_which_paths_are_openais() -> None:
    assert all(map(covers, ("/v1/chat/completions", "/v1/responses", "/v1/models", "/v1/models/a/b")))
    assert not any(map(covers, ("/v1/chat", "/v1/providers", "/v1/model")))
