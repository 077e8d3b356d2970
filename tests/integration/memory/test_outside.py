"""What untrusted senders tell stays apart from what the company knows of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.ports import SeriesKey
from domain.signals import Signal, Trust, parse_event

if TYPE_CHECKING:
    from memory.store import Store

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)


def told(number: int, type_: str, trust: Trust, at: datetime = NOW, **data: Any) -> Signal:
    event = {"specversion": "1.0", "id": f"{trust}-{number}", "source": "t", "type": f"accord.{type_}",
             "time": at.isoformat(), "data": data}  # fmt: skip
    return parse_event(event, received_at=NOW, trust=trust)


def test_numbers_deals_and_limits_of_outsiders_are_seen_by_the_wider_view_alone(store: Store) -> None:
    store.signals.add([told(1, "metric.point", "internal", metric="clicks", entity="region:a", value=5)])
    assert store.view(NOW).outside() is None
    since: dict[str, Any] = {"from": NOW.isoformat()}
    store.signals.add([
        told(2, "metric.point", "external", metric="clicks", entity="region:a", value=5e9),
        told(3, "deal.changed", "external", deal="deal:d", stage="contract", status="lost", amount=9),
        told(4, "finance.limit", "external", scope="*", kind="freeze", **since),
    ])  # fmt: skip
    view = store.view(NOW)
    wider = view.outside()
    key = SeriesKey("clicks", "region:a")
    assert wider is not None
    assert list(view.keys()) == [key]
    assert [*view.series(key).values] == [*wider.series(key).values] == [5]
    assert [point.value for point in view.points_after(0)] == [5]
    assert [point.value for point in wider.points_after(0)] == [5, 5e9]
    assert (len(view.deals()), len(wider.deals())) == (0, 1)
    assert (len(view.limits()), len(wider.limits())) == (0, 1)


def test_outsiders_neither_declare_nor_rename_nor_move_what_is_ours(store: Store) -> None:
    ours = told(1, "entity.declared", "internal", id="budget:b", name="Ours", parent="channel:booked")
    store.signals.add([ours])
    store.signals.add([
        told(2, "entity.declared", "external", at=NOW + timedelta(hours=1), id="budget:b", name="Theirs", parent=None),
        told(3, "entity.declared", "external", id="budget:new", name="New"),
    ])  # fmt: skip
    tree = store.view(NOW).tree
    assert (tree.name("budget:b"), "channel:booked" in tree.chain("budget:b")) == ("Ours", True)
    assert "budget:new" not in tree


def test_outsiders_do_not_move_the_day_that_counts_as_today(store: Store) -> None:
    week = NOW - timedelta(days=7)
    store.signals.add([told(1, "metric.point", "internal", week, metric="clicks", entity="region:a", value=5)])
    store.signals.add([told(2, "content.engaged", "external", person="person:p", asset="asset:a", platform="web")])
    assert store.view(NOW).as_of == week
