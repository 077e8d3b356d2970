from __future__ import annotations

from datetime import UTC, datetime, timedelta

from providers.health import Breaker, BreakerRule, BreakerState, Health, after_failure, state_of

START = datetime(2026, 3, 10, tzinfo=UTC)
RULE = BreakerRule(threshold=3, cooldown_s=30)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_failures_in_a_row_open_it_and_time_half_opens_it() -> None:
    breaker = Breaker()
    for _ in range(2):
        breaker = after_failure(breaker, RULE, START, None)
    assert state_of(breaker, START) is BreakerState.CLOSED
    breaker = after_failure(breaker, RULE, START, None)
    assert [state_of(breaker, at(s)) for s in (0, 29.9, 30)] == ["open", "open", "half_open"]


def test_a_success_between_starts_the_count_anew() -> None:
    health = Health(RULE)
    for _ in range(5):
        health.failed("p", START)
        health.failed("p", START)
        health.succeeded("p")
    assert health.admit("p", START)


def test_one_probe_at_a_time_and_a_failed_one_shuts_it_again() -> None:
    health = Health(BreakerRule(threshold=1, cooldown_s=30))
    health.failed("p", START)
    assert [health.admit("p", at(s)) for s in (1, 30, 31)] == [False, True, False]
    health.failed("p", at(32))
    assert health.state("p", at(61)) is BreakerState.OPEN
    assert health.admit("p", at(62))
    health.succeeded("p")
    assert health.state("p", at(62)) is BreakerState.CLOSED


def test_a_lost_probe_does_not_shut_it_for_ever() -> None:
    health = Health(BreakerRule(threshold=1, cooldown_s=30))
    health.failed("p", START)
    assert [health.admit("p", at(s)) for s in (30, 59, 60)] == [True, False, True]


def test_a_vendor_that_names_a_wait_is_given_it_within_reason() -> None:
    assert after_failure(Breaker(), RULE, START, 2.0).open_until == at(2)
    assert after_failure(Breaker(), RULE, START, 1e9).open_until == at(600)
