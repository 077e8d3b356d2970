"""Whatever is sent to the API, it answers as it describes itself and never fails: generated requests, one seed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.auth import FULL_SCOPES
from tests.acceptance.conftest import NOW

if TYPE_CHECKING:
    from domain.proposals import Proposal
    from tests.acceptance.conftest import Company

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 4
STREAMS = ("/agui", "/mcp", "/v1/chat", "/v1/responses", "/v1/completions")
"""They ask models, or answer as long as somebody listens: tests of their own try them."""


@pytest.fixture
def described(company: Company, waiting: Proposal) -> tuple[Any, dict[str, str]]:
    """The API as it describes itself, over a company with something in it."""
    _, secret = company.runtime.store.keys.create("any", "root", FULL_SCOPES, NOW)
    client = company.stranger()
    client.headers["authorization"] = f"Bearer {secret}"
    assert waiting.id
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    schema.app = company.app
    return schema, {"authorization": f"Bearer {secret}"}


def judge(schema: Any, headers: dict[str, str], examples: int, seed: int) -> list[str]:
    """What is wrong with any answer, one line each."""
    found: list[str] = []
    chosen = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.startswith(STREAMS):
            chosen(seeded(seed)(given(case=operation.as_strategy())(_asking(headers, found))))()
    return found


def _asking(headers: dict[str, str], found: list[str]) -> Callable[[Any], None]:
    def ask(case: Any) -> None:
        try:
            case.call_and_validate(headers=headers, checks=CHECKS)
        except (Exception, BaseExceptionGroup) as error:  # edge: every kind of failed check becomes a line
            found.append(f"{case.method} {case.path} {str(error)[:900]}")

    return ask


def test_no_generated_request_makes_it_fail_or_answer_what_it_does_not_describe(described: Any) -> None:
    schema, headers = described
    found = judge(schema, headers, EXAMPLES, 7)
    assert not found, "\n".join(found[:20])


@pytest.mark.soak
def test_many_generated_requests(described: Any) -> None:
    schema, headers = described
    found = judge(
        schema, headers, int(os.environ.get("ACCORD_EXAMPLES", "300")), int(os.environ.get("ACCORD_SEED", "1"))
    )
    assert not found, "\n".join(found[:50])


def test_nothing_that_asks_for_a_key_answers_without_one(company: Company, described: Any) -> None:
    schema, _ = described
    client, tried = company.stranger(), 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.definition.raw.get("security") == []:
            continue
        path = re.sub(r"\{\w+\}", "x", operation.path)
        for sent in ({}, {"authorization": "Bearer ak_wrong"}, {"cookie": "accord_session=e30.x"}):
            assert client.request(operation.method, path, headers=sent).status_code == 401, operation.label
            tried += 1
    assert tried > 100
