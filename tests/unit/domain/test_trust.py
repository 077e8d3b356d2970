"""Trust is earned slowly, lost at once, and never passes the bounds that people set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.trust import AGREED_TO_RISE, LEVELS, TrustBounds, TrustEvent, TrustEventKind, TrustLevel, stand

START = datetime(2026, 3, 1, tzinfo=UTC)
WIDE = TrustBounds(min="ask", max="silent")
KINDS: tuple[TrustEventKind, ...] = ("worked", "no_effect", "harmful", "agreed", "refused", "undone")
bounds = st.sampled_from(
    [TrustBounds(min=low, max=high) for n, low in enumerate(LEVELS) for high in LEVELS[n:]],
)


def events(*kinds: TrustEventKind) -> list[TrustEvent]:
    return [TrustEvent(START + timedelta(days=n), "r", kind, f"out_{n}") for n, kind in enumerate(kinds)]


def times(number: int, kind: TrustEventKind) -> list[TrustEventKind]:
    return [kind] * number


def level(*kinds: TrustEventKind, start: TrustLevel = "ask", within: TrustBounds = WIDE) -> TrustLevel:
    return stand(within, start, events(*kinds)).level


def test_three_measured_successes_are_worth_one_level() -> None:
    assert level("worked", "worked") == "ask"
    assert level("worked", "no_effect", "worked", "worked") == "notify"
    assert level(*times(5, "worked")) == "notify", "the next level wants three of its own"
    assert level(*times(6, "worked")) == "silent"


@pytest.mark.parametrize("mistake", ["harmful", "undone"])
def test_one_mistake_costs_a_level_and_all_that_was_gathered(mistake: TrustEventKind) -> None:
    assert level(mistake, start="silent") == "notify"
    assert level("worked", "worked", mistake, "worked") == "ask"


def test_a_refusal_begins_the_count_anew() -> None:
    assert level("worked", "worked", "refused", "worked", "worked") == "ask"


def test_approvals_alone_raise_only_what_cannot_be_measured() -> None:
    many = times(AGREED_TO_RISE, "agreed")
    assert level(*many) == "notify"
    assert level(*many[1:]) == "ask"
    assert level("no_effect", *many) == "ask"


def test_it_says_why() -> None:
    fallen = stand(WIDE, "notify", events("worked", "harmful"))
    assert (fallen.level, fallen.because, fallen.since) == ("ask", "out_1 was harmful", START + timedelta(days=1))


@given(bounds, st.sampled_from(LEVELS), st.lists(st.sampled_from(KINDS), max_size=60))
def test_the_bounds_hold_whatever_happens(within: TrustBounds, start: TrustLevel, kinds: list[TrustEventKind]) -> None:
    found = stand(within, start, events(*kinds))
    assert LEVELS.index(within.min) <= LEVELS.index(found.level) <= LEVELS.index(within.max)


@given(st.lists(st.sampled_from(KINDS), max_size=30), st.data())
def test_the_order_of_reading_does_not_matter(kinds: list[TrustEventKind], data: st.DataObject) -> None:
    told = events(*kinds)
    assert stand(WIDE, "ask", data.draw(st.permutations(told))) == stand(WIDE, "ask", told)


def test_bounds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="trusts more than"):
        TrustBounds(min="silent", max="ask")
