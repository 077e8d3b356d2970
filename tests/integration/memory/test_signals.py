"""What is heard is kept once, in order, and the view tells it as it stands now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.errors import NotFound
from domain.ports import SeriesKey
from memory.signals import Added
from memory.store import Store

SPEND = SeriesKey("spend", "campaign:ctv")


def told(store: Store, now: datetime, key: SeriesKey = SPEND) -> list[float]:
    return list(store.view(now).series(key).values)


def test_a_repeat_changes_nothing_and_a_contradiction_is_refused(store: Store, make: Any) -> None:
    first = [make.signal("n1"), make.point("p1", 1.0)]
    assert store.signals.add(first) == Added(2, 0)
    again = store.signals.add([*first, make.point("p1", 2.0), make.signal("n2"), make.signal("n2")])
    assert (again.accepted, again.duplicate) == (1, 3)
    assert [rejected.id for rejected in again.rejected] == ["p1"]
    assert "other content" in again.rejected[0].error
    assert store.signals.count() == 3
    assert told(store, make.now) == [1.0]


def test_signals_come_back_as_they_were_told_in_order_of_arrival(store: Store, make: Any) -> None:
    signals = [make.signal(f"n{i}", time=make.at(hours=-i)) for i in range(7)]
    store.signals.add(signals[:4])
    store.signals.add(signals[4:])
    page = store.signals.page(limit=5)
    rest = store.signals.page(limit=5, cursor=page.next)
    assert [*page.items, *rest.items] == signals
    assert rest.next is None
    assert store.signals.get("test/crm", "n3") == signals[3]
    with pytest.raises(NotFound):
        store.signals.get("test/crm", "n9")


def test_a_restated_point_replaces_and_a_late_one_finds_its_place(store: Store, make: Any) -> None:
    hours = [make.at(hours=-h) for h in (3, 1)]
    store.signals.add([make.point(f"p{i}", float(i), time=at) for i, at in enumerate(hours)])
    seen = store.signals.latest_seq()
    store.signals.add([make.point("late", 7.0, time=make.at(hours=-2)), make.point("again", 9.0, time=hours[0])])
    series = store.view(make.now).series(SPEND)
    assert list(series.times) == [make.at(hours=-h).timestamp() for h in (3, 2, 1)]
    assert list(series.values) == [9.0, 7.0, 1.0]
    arrivals = list(store.view(make.now).points_after(seen))
    assert [(point.value, point.key, point.unit) for point in arrivals] == [(7.0, SPEND, "EUR"), (9.0, SPEND, "EUR")]
    assert [point.seq for point in arrivals] == [seen + 1, seen + 2]


def test_two_currencies_never_mix_in_one_series(store: Store, make: Any) -> None:
    added = store.signals.add([make.point("p1", 1.0), make.point("p2", 2.0, unit="USD"), make.signal("n1")])
    assert (added.accepted, [rejected.id for rejected in added.rejected]) == (2, ["p2"])
    assert "'EUR'" in added.rejected[0].error


def test_a_view_stays_as_it_was_made(store: Store, make: Any) -> None:
    store.signals.add([make.point("p1", 1.0, time=make.at(hours=-2))])
    view = store.view(make.now)
    new = {"dims": {"region": "idf", "channel": "ctv"}}
    store.signals.add([make.point("p2", 2.0, time=make.at(hours=-1)), make.point("p3", 3.0, **new)])
    assert view.keys() == [SPEND]
    assert list(view.series(SPEND).values) == [1.0]
    assert len(list(view.points_after(0))) == 1
    assert view.as_of == make.at(hours=-2)
    split = SeriesKey("spend", "campaign:ctv", (("channel", "ctv"), ("region", "idf")))
    assert store.view(make.now).keys("spend") == [SPEND, split]


def test_an_unknown_series_is_empty_and_since_cuts(store: Store, make: Any) -> None:
    store.signals.add([make.point(f"p{h}", float(h), time=make.at(hours=-h)) for h in range(4)])
    view = store.view(make.at(hours=-1))
    assert len(view.series(SeriesKey("clicks", "campaign:x")).values) == 0
    assert list(view.series(SPEND, since=make.at(hours=-2)).values) == [2.0, 1.0]


def test_entities_are_as_declared_last_by_event_time(store: Store, make: Any) -> None:
    def declare(event: str, name: str, at: datetime) -> Any:
        return make.signal(event, "entity.declared", time=at, id="budget:b1", name=name, parent="channel:ctv")

    store.signals.add([declare("d2", "new", make.now)])
    store.signals.add([declare("d1", "old", make.at(hours=-5)), declare("d0", "older", make.at(hours=-6))])
    entity = store.view(make.now).tree.get("budget:b1")
    assert entity is not None
    assert (entity.name, entity.parent) == ("new", "channel:ctv")


def test_typed_payloads_come_in_order_of_event_time(store: Store, make: Any) -> None:
    deal = {"deal": "deal:d1", "account": "account:a", "status": "open", "amount": 10.5, "currency": "EUR"}
    asset = {"asset": "asset:a1", "title": "T", "kind": "blog", "stage": "learn", "status": "draft"}
    store.signals.add(
        [
            make.signal("d2", "deal.changed", **{**deal, "stage": "won"}),
            make.signal("d1", "deal.changed", time=make.at(days=-1), **{**deal, "stage": "demo"}),
            make.signal("a1", "asset.changed", time=make.at(days=-1), **asset),
            make.signal("a2", "asset.changed", **{**asset, "status": "published"}),
            make.signal("x1", "mine", anything={"deep": [1, 2]}),
        ]
    )
    view = store.view(make.now)
    assert [(each.data.stage, each.signal) for each in view.deals()] == [
        ("demo", "signal:test/crm#d1"),
        ("won", "signal:test/crm#d2"),
    ]
    assert [each.data.stage for each in view.deals(since=make.now)] == ["won"]
    assert [each.data.status for each in view.assets()] == ["published"]
    assert [each.data for each in view.signals("accord.mine")] == [{"anything": {"deep": [1, 2]}}]


def test_the_newest_word_of_a_source_on_a_limit_stands(store: Store, make: Any) -> None:
    def limit(event: str, kind: str, **fields: Any) -> Any:
        return make.signal(event, "finance.limit", scope="channel:ctv", kind=kind, **fields)

    spring = {"from": "2026-03-01T00:00:00Z", "amount": 1000, "currency": "EUR"}
    store.signals.add([limit("c1", "cap", **spring), limit("f1", "freeze", **{"from": "2026-03-02T00:00:00Z"})])
    store.signals.add([limit("c2", "cap", **{**spring, "from": "2026-03-03T00:00:00Z", "amount": 2000})])
    lifted = {"from": "2026-03-02T00:00:00Z", "until": "2026-03-03T00:00:00Z"}
    store.signals.add([limit("f2", "freeze", **lifted)])
    now = make.now + timedelta(hours=1)
    standing = store.view(now).limits()
    in_force = [(each.limit.kind, int(each.limit.amount or 0)) for each in standing if each.in_force(now)]
    assert in_force == [("cap", 2000)]
