from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from providers.drift import ALPHA, LATEST, LEAST_BEFORE, CanaryRun, canaries, permutation_p, shifts, summed_up
from providers.types import ModelAnswer

START = datetime(2026, 3, 4, tzinfo=UTC)
QUESTIONS = 12


def run(number: int, dice: random.Random, right_rate: float = 0.8, length: float = 200.0) -> CanaryRun:
    """A noisy run: each question right or wrong by itself, lengths that vary by a tenth."""
    right = sum(dice.random() < right_rate for _ in range(QUESTIONS))
    return CanaryRun(
        at=START + timedelta(hours=6 * number),
        quality_rate=right / QUESTIONS,
        length=math.log(length) + dice.gauss(0, 0.1),
        latency_s=1.0,
    )


def alarms(dice: random.Random, before: int, **after: float) -> set[str]:
    history = [run(number, dice) for number in range(before)]
    history += [run(before + number, dice, **after) for number in range(LATEST)]
    return {shift.what for shift in shifts(history)}


def test_without_a_change_alarms_are_as_rare_as_stated() -> None:
    dice = random.Random(1)  # noqa: S311 — a simulation
    raised = sum(bool(alarms(dice, 20)) for _ in range(600))
    # At most 1.2 expected; 7 would come with probability .0003 at the stated rate.
    assert raised < 7, f"{raised / 600:.4f} of the runs, stated {ALPHA}"


@pytest.mark.parametrize(
    ("after", "what", "least"),
    [
        ({"right_rate": 0.3}, "quality", 0.85),
        ({"length": 400.0}, "length", 0.99),
        ({"length": 120.0}, "length", 0.99),
    ],
)
def test_a_change_of_size_is_seen_in_either_direction(after: dict[str, float], what: str, least: float) -> None:
    dice = random.Random(2)  # noqa: S311 — a simulation
    assert sum(what in alarms(dice, 30, **after) for _ in range(60)) >= least * 60


def test_a_model_that_always_said_the_same_and_changes_a_little_wakes_nobody() -> None:
    def same(number: int, length: float, quality: float = 1.0) -> CanaryRun:
        return CanaryRun(at=START + timedelta(hours=number), quality_rate=quality, length=length, latency_s=1.0)

    steady = [same(number, 5.0) for number in range(20)]
    assert shifts([*steady, *(same(20 + number, 5.05) for number in range(3))]) == []
    (found,) = shifts([*steady, *(same(20 + number, 5.0, quality=0.75) for number in range(3))])
    assert (found.what, found.before, found.now) == ("quality", 1.0, 0.75)
    assert found.p_value <= ALPHA / 2


def test_too_short_a_history_says_nothing() -> None:
    dice = random.Random(3)  # noqa: S311 — a simulation
    assert alarms(dice, LEAST_BEFORE - 1, right_rate=0.0) == set()
    assert alarms(dice, LEAST_BEFORE, right_rate=0.0) == {"quality"}


def test_the_test_is_exact() -> None:
    assert permutation_p([1.0, 2.0, 3.0], [9.0]) == 0.25
    assert permutation_p([1.0, 1.0], [1.0]) == 1.0
    assert permutation_p([0.0, 0.0, 0.0, 4.0], [4.0]) == 2 / 5


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("en-sum", "391.", "The result is 1391"),
        ("fr-rate", "25 %", "1 %"),
        ("en-json", '{"metric": "CAC", "change_pct": -8}', '{"metric": "CAC", "change_pct": 8}'),
        ("fr-json", '```json\n{"metric": "rebond", "change_pct": 12}\n```', '{"change_pct": 0.12}'),
        ("en-reason", "Security", "price"),
        ("fr-reason", "Prix.", "délai"),
        ("en-date", "2026-04-02", "2026-04-03"),
        ("fr-order", "0,35, 3,05, 3,5, 35", "0,35, 3,5, 3,05, 35"),
        ("en-only", "READY", "I am READY to help you."),
        ("fr-refuse", "INCONNU", "Le forfait Entreprise coûte 99 €."),
        ("en-words", "Those people would have come anyway. You pay for them twice.", "Brand clicks are expensive."),
        ("fr-words", "Un groupe non exposé. Il sert à comparer.", "Je ne sais pas."),
    ],
)
def test_each_question_knows_its_answer(name: str, right: str, wrong: str) -> None:
    canary = {each.id: each for each in canaries()}[name]
    assert (canary.answered(right), canary.answered(wrong)) == (True, False)
    assert canary.request("one", 5.0).provider == "one"


def test_a_run_sums_up_what_came_back(answer_of: Callable[[str, float], ModelAnswer]) -> None:
    one, two = canaries()[0], canaries()[4]
    found = summed_up(START, [(one, answer_of("391", 1.0)), (two, answer_of("price", 3.0))])
    assert found is not None
    assert (found.quality_rate, found.latency_s) == (0.5, 3.0)
    assert found.length == pytest.approx((math.log(4) + math.log(6)) / 2)
    assert summed_up(START, []) is None


@pytest.fixture
def answer_of() -> Callable[[str, float], ModelAnswer]:
    def build(text: str, latency_s: float) -> ModelAnswer:
        return ModelAnswer(
            text=text,
            provider="one",
            model="one/m",
            usage=None,
            cost_nano=None,
            currency=None,
            attempts=(),
            latency_s=latency_s,
            finish="stop",
        )

    return build
