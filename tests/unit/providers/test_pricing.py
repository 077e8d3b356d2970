from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConfigError
from providers.facts import known
from providers.pricing import Tariff, ceiling_nano, convert_nano, cost_nano, decimal_text, tariff
from providers.types import Message, ModelRequest, Price, Tokens

FULL = Price(
    currency="USD", input=Decimal("2.5"), output=Decimal(10), cached_input=Decimal("1.25"), cache_write=Decimal(3)
)
count = st.integers(min_value=0, max_value=10**7)


def test_every_kind_of_token_has_its_price() -> None:
    usage = Tokens(input=1000, cached=400, cache_write=100, output=50)
    # 500 fresh * 2.5 + 400 * 1.25 + 100 * 3 + 50 * 10 = 2550 millionths
    assert cost_nano(Tariff(FULL), usage) == 2_550_000
    assert decimal_text(2_550_000) == "0.002550000"


def test_cached_tokens_without_a_price_cost_as_plain_input() -> None:
    plain = Price(currency="USD", input=Decimal(2), output=Decimal(0))
    assert cost_nano(Tariff(plain), Tokens(input=1000, cached=1000)) == 2_000_000


def test_a_long_prompt_pays_the_long_price_for_the_whole_call() -> None:
    facts = known().models["openai/gpt-6-sol"]
    rates = tariff(None, facts)
    assert rates is not None
    short, long = cost_nano(rates, Tokens(input=272_000)), cost_nano(rates, Tokens(input=272_001))
    assert (short, long) == (272_000 * 2_000, 272_001 * 4_000)


@given(fresh=count, cached=count, written=count, output=count)
def test_cost_is_the_exact_sum_of_its_parts(fresh: int, cached: int, written: int, output: int) -> None:
    usage = Tokens(input=fresh + cached + written, cached=cached, cache_write=written, output=output)
    exact = fresh * 2500 + cached * 1250 + written * 3000 + output * 10_000
    assert cost_nano(Tariff(FULL), usage) == exact


@given(text=st.text(max_size=300), tokens=st.floats(min_value=0, max_value=1), output=st.integers(0, 64))
def test_no_call_costs_more_than_its_ceiling(text: str, tokens: float, output: int) -> None:
    """Whatever share of the bytes the tokeniser makes tokens of, written to the cache or not."""
    request = ModelRequest(task="t", messages=(Message(role="user", content=text),), max_tokens=64)
    used = int(tokens * len(text.encode()))
    for usage in (Tokens(input=used, output=output), Tokens(input=used, cache_write=used, output=output)):
        assert cost_nano(Tariff(FULL), usage) <= ceiling_nano(Tariff(FULL), request)


def test_a_configured_price_wins_and_an_unknown_one_stays_unknown() -> None:
    facts = known().models["openai/gpt-5-mini"]
    assert tariff(FULL, facts) == Tariff(FULL)
    assert tariff(None, facts) is not None
    assert tariff(None, None) is None


def test_conversion_needs_a_rate_and_names_the_missing_one() -> None:
    assert convert_nano(1_000_000, "USD", "EUR", {"USD": Decimal("0.92")}) == 920_000
    assert convert_nano(7, "EUR", "EUR", {}) == 7
    with pytest.raises(ConfigError, match="'GBP'"):
        convert_nano(1, "GBP", "EUR", {"USD": Decimal("0.92")})


def test_a_schema_raises_the_ceiling(request_for: Callable[..., ModelRequest]) -> None:
    plain, with_schema = request_for(), request_for(answer_schema={"type": "object", "required": ["a"]})
    assert ceiling_nano(Tariff(FULL), with_schema) > ceiling_nano(Tariff(FULL), plain)
