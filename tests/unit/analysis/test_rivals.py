"""Rival explanations: the telling observation wins, and the odds always add up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rivals import BOTS, CHANCE, EXPOSED, FAULT, PROMOTION, REAL, RIVAL, SEASON, Clues, weigh

RATES = st.floats(-1, 5)
PLAIN = Clues(up=True, metrics=("sessions",), rate=0.3, common_rate=0.0, units_share=0.2, market={}, clear=True)


def clues(**known: object) -> Clues:
    return Clues(**{name: getattr(PLAIN, name) for name in Clues.__slots__} | known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (clues(market={"orders": 0.2, "revenue": 0.25}), REAL),
        (clues(exposed=True), EXPOSED),
        (clues(units_share=1.0, clear=False), SEASON),
        (clues(metrics=("conversions",), market={"orders": 0.0, "revenue": 0.01}), FAULT),
        (clues(metrics=("clicks",), market={"orders": 0.0, "revenue": 0.01}), BOTS),
        (clues(market={"orders": 0.3, "revenue": 0.02}, told=frozenset({PROMOTION})), PROMOTION),
        (clues(up=False, rate=-0.3, impression_share_rate=-0.2), RIVAL),
    ],
)  # fmt: skip
def test_the_telling_observation_wins(seen: Clues, name: str) -> None:
    first = weigh(seen)[0]
    assert first.name == name
    assert first.because != "nothing speaks for it in particular"


def test_exposure_explains_little_where_places_without_it_moved_alike() -> None:
    alone, shared = (
        next(one.odds for one in weigh(clues(exposed=True, common_rate=common)) if one.name == EXPOSED)
        for common in (0.0, 0.28)
    )
    assert alone > 0.6
    assert shared < 0.3


def test_a_move_that_is_not_clear_may_well_be_chance() -> None:
    clear, unclear = (
        next(one.odds for one in weigh(clues(clear=clear)) if one.name == CHANCE) for clear in (True, False)
    )
    assert unclear > 2 * clear


@given(st.builds(
    Clues, up=st.booleans(), metrics=st.sampled_from([("clicks",), ("conversions", "clicks"), ("revenue",)]),
    rate=RATES, common_rate=RATES, units_share=st.floats(0, 1), clear=st.booleans(), exposed=st.booleans(),
    market=st.dictionaries(st.sampled_from(["sessions", "orders", "revenue"]), RATES),
    impression_share_rate=st.one_of(st.none(), RATES),
))  # fmt: skip
def test_odds_add_up_and_fall(seen: Clues) -> None:
    odds = [one.odds for one in weigh(seen)]
    assert math.isclose(sum(odds), 1)
    assert odds == sorted(odds, reverse=True)
