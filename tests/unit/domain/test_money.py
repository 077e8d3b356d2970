"""Money: exact both ways, half to even, and no number that a database cannot hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from domain.money import convert, money_text, to_major, to_minor

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "XOF", "KWD"])


@given(st.integers(-(2**63) + 1, 2**63 - 1), CURRENCIES)
def test_minor_to_major_and_back_is_the_same(minor: int, currency: str) -> None:
    assert to_minor(to_major(minor, currency), currency) == minor
    assert to_minor(str(to_major(minor, currency)), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1200.50", "EUR", 120_050),
        (0.1 + 0.2, "EUR", 30),
        (1200, "JPY", 1200),
        ("655.5", "XOF", 656),
        ("1.2345", "KWD", 1234),
        ("0.005", "EUR", 0),
        ("0.015", "EUR", 2),
        ("-0.025", "EUR", -2),
        (1.005, "EUR", 100),
    ],
)
def test_major_units_become_minor_units_half_to_even(amount: float | str, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize("amount", ["NaN", "inf", "-Infinity", "1e999999", "1e17", "1,200.50", "12 €", "", True])
def test_what_is_no_amount_is_refused_with_what_to_write_instead(amount: float | str) -> None:
    with pytest.raises(InputError, match=r"Write a decimal number such as 1200\.50\.$"):
        to_minor(amount, "EUR")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(120_450, "EUR", "1,204.50 EUR"), (120_400, "EUR", "1,204 EUR"), (1_200, "EUR", "12.00 EUR"),
     (0, "EUR", "0.00 EUR"), (-120_450, "USD", "-1,204.50 USD"), (12, "JPY", "12 JPY")],
)  # fmt: skip
def test_people_read_major_units_with_cents_where_they_tell_something(minor: int, currency: str, text: str) -> None:
    assert money_text(minor, currency) == text


@pytest.mark.parametrize(
    ("minor", "source", "target", "converted"),
    [(10_000, "EUR", "EUR", 10_000), (10_000, "USD", "EUR", 9_200), (1_000, "JPY", "EUR", 600)],
)
def test_a_conversion_minds_both_minor_units(minor: int, source: str, target: str, converted: int) -> None:
    assert convert(minor, source, target, {"USD": 0.92, "JPY": 0.006}) == converted


def test_a_missing_rate_is_an_error_that_names_the_currency() -> None:
    with pytest.raises(InputError, match="Add `CHF` to `fx`"):
        convert(1, "CHF", "EUR", {"USD": 0.92})
