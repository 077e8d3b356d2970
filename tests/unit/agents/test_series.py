"""Panels: what is summed for a unit, and that silence is never read as zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from agents.rehearsal import HeardCompany
from agents.series import daily_panel, day_start
from domain.objective import Objective
from domain.signals import parse_event

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
OBJECTIVE = Objective(margin_rate=0.5)
NAN = float("nan")


def company(*data: tuple[str, dict[str, Any]]) -> HeardCompany:
    """Signals as (time, data); what has an `id` declares an entity, the rest are points."""
    heard = [
        parse_event(
            {
                "specversion": "1.0",
                "id": str(n),
                "source": "s",
                "type": "accord.entity.declared" if "id" in fields else "accord.metric.point",
                "time": f"2026-03-{time}Z",
                "data": fields,
            },
            received_at=FIRST + timedelta(days=30),
        )
        for n, (time, fields) in enumerate(data)
    ]
    return HeardCompany(heard, FIRST + timedelta(days=30))


def point(time: str, entity: str, value: float, metric: str = "revenue", **dims: str) -> tuple[str, dict[str, Any]]:
    return time, {"metric": metric, "entity": entity, "value": value, "dims": dims}


def declared(id_: str, parent: str | None = None) -> tuple[str, dict[str, Any]]:
    return "01T00:00:00", {"id": id_, "name": id_, "parent": parent}


def panel(view: HeardCompany, *units: str, metric: str = "revenue", days: int = 3) -> list[list[float]]:
    return daily_panel(view, OBJECTIVE, metric, units, FIRST, days).tolist()


def test_points_are_summed_by_utc_day_and_silence_is_unknown() -> None:
    view = company(
        point("01T00:00:00", "region:a", 1),
        point("01T23:59:59", "region:a", 2),
        point("03T12:00:00", "region:a", 4),
        point("04T00:00:00", "region:a", 8),
    )
    np.testing.assert_equal(panel(view, "region:a", "region:b"), [[3, NAN, 4], [NAN, NAN, NAN]])


def test_a_unit_is_its_own_series_or_else_the_sum_of_what_belongs_to_it() -> None:
    below = [
        declared("channel:search"),
        declared("campaign:brand", "channel:search"),
        point("01T08:00:00", "campaign:brand", 1),
        point("01T08:00:00", "product:p", 2, channel="search"),
        point("01T08:00:00", "product:p", 4, channel="display"),
    ]
    np.testing.assert_equal(panel(company(*below), "channel:search", days=1), [[3]])
    own = point("01T08:00:00", "channel:search", 10)
    np.testing.assert_equal(panel(company(*below, own), "channel:search", days=1), [[10]])


def test_contribution_is_margin_less_spend_where_revenue_is_known() -> None:
    view = company(
        point("01T08:00:00", "region:a", 100),
        point("01T08:00:00", "region:a", 30, "spend"),
        point("02T08:00:00", "region:a", 100),
        point("03T08:00:00", "region:a", 30, "spend"),
    )
    np.testing.assert_equal(panel(view, "region:a", metric="contribution"), [[20, 50, NAN]])


def test_a_day_starts_at_midnight() -> None:
    assert day_start(FIRST + timedelta(hours=23)) == FIRST
