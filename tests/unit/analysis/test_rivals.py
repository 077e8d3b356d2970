"""Rival explanations: the telling observation wins, and the odds always add up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rivals import PRIORS, Features, odds

RATES = st.one_of(st.none(), st.floats(-1, 5))


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (Features(-1.0, 6, exact_zeros=True, sources_agreeing=1, sources_asked=3), "tracking_fault"),
        (Features(1.0, 5, queries_rate=0.01, conversions_rate=1.0, revenue_rate=0.0), "tracking_fault"),
        (Features(0.8, 5, clicks_rate=0.8, conversions_rate=0.02), "bots"),
        (Features(-0.3, 4, same_season_rate=-0.28, untouched_units_rate=-0.31), "season"),
        (Features(0.5, 4, in_holiday=True, same_season_rate=0.0), "holiday"),
        (Features(0.4, 5, link_p_value=0.002, own_spend_rate=0.6, untouched_units_rate=0.02), "campaign"),
        (Features(-0.3, 4, impression_share_change=-0.2, same_season_rate=0.0), "competitor"),
    ],
)  # fmt: skip
def test_the_telling_observation_wins(seen: Features, name: str) -> None:
    first = odds(seen)[0]
    assert first.name == name
    assert first.because != "prior only"


def test_a_lift_that_regions_without_the_campaign_share_is_not_its_work() -> None:
    alone = Features(0.4, 5, link_p_value=0.01, own_spend_rate=0.5, untouched_units_rate=0.0)
    shared = Features(0.4, 5, link_p_value=0.01, own_spend_rate=0.5, untouched_units_rate=0.38)
    first, second = (next(r.odds for r in odds(seen) if r.name == "campaign") for seen in (alone, shared))
    assert first > 0.6
    assert second < 0.2


def test_a_plain_wobble_stays_chance_and_claims_no_cause() -> None:
    first = odds(Features(0.1, 1.0, in_holiday=False, link_p_value=0.6, same_season_rate=-0.1))[0]
    assert first.name == "chance"


@given(st.builds(
    Features, st.floats(-1, 5), st.floats(0, 15), RATES, RATES, RATES, RATES, RATES, st.booleans(),
    st.one_of(st.none(), st.integers(0, 5)), st.one_of(st.none(), st.integers(0, 5)), RATES,
    st.one_of(st.none(), st.booleans()), RATES, RATES, RATES, RATES,
))  # fmt: skip
def test_odds_sum_to_one_over_every_explanation(seen: Features) -> None:
    found = odds(seen)
    assert sorted(rival.name for rival in found) == sorted(PRIORS)
    assert math.isclose(sum(rival.odds for rival in found), 1.0)
    assert all(rival.odds > 0 for rival in found)
