"""What the log tells of a provider: counts, kinds of failure, tails."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.standing import history_of, tail


def call(outcome: str, latency_s: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "latency_s": latency_s, "error_code": None, **more}


def test_failures_are_counted_by_kind_and_do_not_count_as_fast() -> None:
    calls = [
        call("answered", 2.0, first_token_s=0.5),
        call("answered", 4.0),
        call("failed", 0.01, error_code="timeout"),
        call("failed", 0.01, error_code="cut"),
        call("failed", 0.01, error_code="timeout"),
    ]
    seen = history_of(calls)
    assert (seen.attempts, seen.answered, seen.failures) == (5, 2, {"timeout": 2, "cut": 1})
    assert seen.latency is not None
    assert seen.first_token is not None
    assert (seen.latency.p50_s, seen.latency.p99_s, seen.first_token.p50_s) == (2.0, 4.0, 0.5)


def test_nothing_is_ranked_where_nothing_was_measured() -> None:
    assert history_of([]).latency is None


@given(st.lists(st.floats(0, 100), min_size=1, max_size=300))
def test_the_stated_share_stays_within_the_tail(seconds: list[float]) -> None:
    found = tail(seconds)
    assert found is not None
    for share, bound in ((0.5, found.p50_s), (0.95, found.p95_s), (0.99, found.p99_s)):
        assert bound in seconds
        assert sum(one <= bound for one in seconds) >= share * len(seconds)
