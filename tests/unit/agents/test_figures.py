"""A number that nobody computed takes its sentence with it."""

from __future__ import annotations

import pytest

from agents.figures import honest, known_numbers, numbers_in
from domain.situations import Evidence

FACT = Evidence(text="", figures={"rate": 0.384, "money": 1200}, source="s")
KNOWN = known_numbers(["Raise 3 budgets by 20 %"], [FACT])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1,200.5 and 1 200,5", [1200.5, 1200.5]), ("0.384", [0.384]), ("deal d-17", []), ("2026-03-04", [2026.0])],
)
def test_numbers_are_read_in_both_writings(text: str, numbers: list[float]) -> None:
    assert numbers_in(text)[: len(numbers)] == numbers
    assert numbers or not numbers_in(text)


def test_only_sentences_with_known_numbers_stay() -> None:
    text = "Queries rose 38.4 %. You will earn 5000 more. Raise 3 budgets by 20 %! Nothing else."
    assert honest(text, KNOWN) == "Queries rose 38.4 %. Raise 3 budgets by 20 %! Nothing else."
