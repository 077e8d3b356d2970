from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from providers.health import BreakerState, Health, Pass, Trouble

START = datetime(2026, 3, 10, tzinfo=UTC)
HARD, PROBE = Trouble(), Pass(probe=True)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_one_hard_failure_opens_it_and_time_lets_one_probe_through() -> None:
    health = Health()
    health.failed("p", START, Pass(), HARD)
    assert [health.admit("p", at(s)) for s in (0, 0.9, 1, 1.1)] == [None, None, PROBE, None]
    health.succeeded("p", at(1.2), PROBE)
    assert health.state("p", at(1.2)) is BreakerState.CLOSED


def test_failed_probes_keep_it_open_ever_longer_up_to_two_minutes() -> None:
    health, now, cooldowns = Health(), START, list[float]()
    passed = Pass()
    for _ in range(10):
        health.failed("p", now, passed, HARD)
        until = health.breaker("p").open_until
        assert until is not None
        cooldowns.append((until - now).total_seconds())
        now, passed = until, health.admit("p", until) or Pass()
    assert cooldowns == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]


def test_calls_that_fail_together_open_it_once() -> None:
    health = Health()
    for _ in range(32):
        health.failed("p", START, Pass(), HARD)
    assert health.breaker("p").open_until == at(1)


def test_an_answer_begun_before_it_opened_does_not_close_it() -> None:
    health = Health()
    health.failed("p", START, Pass(), HARD)
    health.succeeded("p", at(0.5), Pass())
    assert health.state("p", at(0.6)) is BreakerState.OPEN


def test_flapping_is_answered_by_longer_openings_and_forgiven_after_lasting_health() -> None:
    health, now = Health(), START
    for expected in (1, 2, 4, 8):
        health.failed("p", now, health.admit("p", now) or Pass(), HARD)
        now += timedelta(seconds=expected)
        assert health.state("p", now) is BreakerState.HALF_OPEN
        health.succeeded("p", now, health.admit("p", now) or Pass())
    for seconds in range(40):
        health.succeeded("p", now + timedelta(seconds=seconds), Pass())
    health.failed("p", now + timedelta(seconds=40), Pass(), HARD)
    assert health.breaker("p").open_until == now + timedelta(seconds=41)


def test_a_lost_probe_does_not_shut_it_for_ever() -> None:
    health = Health()
    health.failed("p", START, Pass(), HARD)
    assert [health.admit("p", at(s)) for s in (1, 119, 121)] == [PROBE, None, PROBE]


def test_a_probe_that_told_nothing_leaves_the_probing_to_the_next() -> None:
    health = Health()
    health.failed("p", START, Pass(), HARD)
    assert health.admit("p", at(1)) == PROBE
    health.returned("p", PROBE)
    assert health.admit("p", at(1)) == PROBE


def test_a_vendor_that_names_a_wait_is_given_it_within_reason() -> None:
    for wait, until in ((2.0, 2), (1e9, 600)):
        health = Health()
        health.failed("p", START, Pass(), Trouble(wait_s=wait))
        assert health.breaker("p").open_until == at(until)
        assert health.breaker("p").asked


@pytest.mark.parametrize("wait", [0.0, 1.0])
def test_a_vendor_that_names_too_short_a_wait_is_not_called_again_and_again(wait: float) -> None:
    health = Health()
    calls = 0
    for second in range(60):
        if (passed := health.admit("p", at(second))) is not None:
            calls += 1
            health.failed("p", at(second), passed, Trouble(wait_s=wait))
    assert calls == 6  # at 0, 1, 3, 7, 15 and 31 s


def test_soft_failures_open_it_only_in_a_row_and_lasting_ones_for_long() -> None:
    health, soft = Health(), Trouble(soft=True)
    for _ in range(4):
        health.failed("p", START, Pass(), soft)
        health.failed("p", START, Pass(), soft)
        health.succeeded("p", START, Pass())
    assert health.state("p", START) is BreakerState.CLOSED
    for _ in range(3):
        health.failed("p", START, Pass(), soft)
    assert health.state("p", START) is BreakerState.OPEN
    health.failed("q", START, Pass(), Trouble(lasting=True))
    assert health.breaker("q").open_until == at(60)
