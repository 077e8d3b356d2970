from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from providers.costs import bill
from providers.ledger import CallRecord
from providers.types import Outcome, Tokens

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def call(number: int, **fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": f"call_{number}",
        "task": "explain",
        "key": None,
        "provider": "one",
        "model": "openai/m",
        "data_class": "internal",
        "at": AT,
        "outcome": Outcome.ANSWERED,
        "error_code": None,
        "usage": Tokens(input=100, cached=60, cache_write=10, output=20),
        "cost_nano": 2_000_000_000,
        "currency": "USD",
        "charged_nano": 1_840_000_000,
        "latency_s": 0.1,
    }
    return CallRecord.model_validate({**given, **fields}).model_dump(mode="json")


def test_lines_add_up_what_was_answered_wasted_and_estimated() -> None:
    cut = call(2, outcome=Outcome.FAILED, usage=None, cost_nano=None, charged_nano=500_000_000, estimated=True)
    (line,) = bill("2026-03", [call(1), cut, call(3)], ["provider"])
    assert line.row() == {
        "month": "2026-03",
        "provider": "one",
        "currency": "USD",
        "calls": 3,
        "answered": 2,
        "failed": 1,
        "input_tokens": 200,
        "cached_tokens": 120,
        "cache_write_tokens": 20,
        "output_tokens": 40,
        "cost": "4.000000000",
        "charged": "4.180000000",
        "estimated": "0.500000000",
        "wasted": "0.500000000",
    }


def test_currencies_are_never_added_and_each_key_has_its_line() -> None:
    calls = [call(1, key="k2"), call(2, currency="EUR"), call(3, key="k2"), call(4)]
    lines = bill("2026-03", calls, ["task", "key"])
    assert [(line.of["key"], line.currency, line.calls) for line in lines] == [
        (None, "EUR", 1),
        (None, "USD", 1),
        ("k2", "USD", 2),
    ]


def test_a_record_of_before_estimates_were_marked_is_read() -> None:
    old = call(1)
    del old["estimated"]
    assert bill("2026-03", [old])[0].estimated == 0
