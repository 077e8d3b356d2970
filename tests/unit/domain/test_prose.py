"""Counts, lists and days read as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.prose import capital, counted, day_text, listed, plural, term


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(1, "budget", "1 budget"), (0, "budget", "0 budgets"), (2, "person", "2 people"), (3, "category", "3 categories"),
     (1200, "day", "1,200 days")],
)  # fmt: skip
def test_nouns_agree_with_their_number(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_verbs_agree_too() -> None:
    assert (plural(1, "stays"), plural(2, "stays")) == ("stays", "stay")


@pytest.mark.parametrize(
    ("names", "text"),
    [("", ""), ("A", "A"), ("AB", "A and B"), ("ABCD", "A, B, C and D"), ("ABCDE", "A, B, C and 2 others")],
)
def test_long_lists_end_in_how_many_others(names: str, text: str) -> None:
    assert listed([*names]) == text


def test_days_and_terms() -> None:
    at = datetime(2026, 2, 1, tzinfo=UTC)
    assert (day_text(at), day_text(at, year=False)) == ("1 Feb 2026", "1 Feb")
    assert [capital(term(name)) for name in ("ctr", "case_study")] == ["Click rate", "Case study"]
