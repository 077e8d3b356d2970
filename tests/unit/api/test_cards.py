from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.cards import bar, read_back
from domain.actions import Action, ActionSpec, Receipt
from domain.proposals import Expected


@pytest.mark.parametrize(
    ("low", "value", "high", "zero"), [(-50, 0, 50, 50.0), (10, 20, 40, 0.0), (-40, -20, -10, 100.0), (0, 0, 0, 0.0)]
)
def test_the_bar_holds_zero_and_the_interval_in_order(low: int, value: int, high: int, zero: float) -> None:
    drawn = bar(Expected(value=value, low=low, high=high, currency="EUR"))
    assert drawn.zero == zero
    assert 0 <= drawn.low <= drawn.value <= drawn.high <= 100


def test_of_all_that_a_tool_was_told_the_card_shows_what_this_action_said() -> None:
    ours, other = ({"channel": "#search", "text": text} for text in ("demand is up", "hello"))
    spec = ActionSpec(kind="message.post", value=ours)
    receipt = Receipt(
        idempotency_key="k", at=datetime(2026, 3, 4, tzinfo=UTC), read_back={"message.post": [ours, other]}
    )
    assert read_back(Action(id="act_1", proposal="prop_1", spec=spec, receipt=receipt)) == ours
