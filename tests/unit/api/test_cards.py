from __future__ import annotations

import pytest

from api.cards import bar
from domain.proposals import Expected


@pytest.mark.parametrize(
    ("low", "value", "high", "zero"), [(-50, 0, 50, 50.0), (10, 20, 40, 0.0), (-40, -20, -10, 100.0), (0, 0, 0, 0.0)]
)
def test_the_bar_holds_zero_and_the_interval_in_order(low: int, value: int, high: int, zero: float) -> None:
    drawn = bar(Expected(value=value, low=low, high=high, currency="EUR"))
    assert drawn.zero == zero
    assert 0 <= drawn.low <= drawn.value <= drawn.high <= 100
