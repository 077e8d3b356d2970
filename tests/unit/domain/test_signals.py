"""Signals: every type round-trips, a fault names its field, and nobody raises their own trust."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.delegations import Delegation
from domain.errors import InputError
from domain.signals import BUILT_IN_TYPES, MAX_SKEW, FinanceLimit, Signal, SignalData, Trust, explain, parse_event

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
DATA: dict[str, dict[str, Any]] = {
    "accord.entity.declared": {"id": "budget:ctv", "name": "CTV", "parent": "campaign:c", "attrs": {"bid": 1.5}},
    "accord.metric.point": {"metric": "queries", "entity": "region:idf", "value": 12, "dims": {"channel": "search"}},
    "accord.deal.changed": {"deal": "deal:d", "stage": "won", "status": "won", "amount": "12.50", "currency": "EUR"},
    "accord.content.engaged": {"person": "person:p", "asset": "asset:a", "platform": "web", "seconds": 3},
    "accord.asset.changed": {
        "asset": "asset:a",
        "title": "ROI",
        "kind": "blog",
        "topics": ["roi"],
        "stage": "verify",
        "status": "idea",
    },
    "accord.finance.limit": {
        "scope": "*",
        "kind": "cap",
        "amount": 1000,
        "from": "2026-03-01T00:00:00Z",
        "until": "2026-04-01T00:00:00Z",
    },
    "accord.note": {"team": "brand", "text": "Recall on product P", "about": ["product:p"]},
}


def event(type_: str = "accord.note", **changes: Any) -> dict[str, Any]:
    given_ = {"specversion": "1.0", "id": "1", "source": "crm", "type": type_, "time": "2026-03-04T08:00:00Z"}
    return {**given_, "data": DATA.get(type_, {}), **changes}


def parse(raw: dict[str, Any], trust: Trust = "internal") -> Signal:
    return parse_event(raw, received_at=NOW, trust=trust)


def test_every_built_in_type_is_tried_here() -> None:
    assert set(DATA) == set(BUILT_IN_TYPES)


@pytest.mark.parametrize("type_", DATA)
def test_every_type_is_typed_keeps_the_raw_event_and_round_trips(type_: str) -> None:
    raw = event(type_, vendor="x", data={**DATA[type_], "unknown": 1})
    signal = parse(raw)
    assert isinstance(signal.data, BUILT_IN_TYPES[type_])
    assert signal.raw == raw
    assert parse(json.loads(json.dumps(signal.raw))) == signal
    assert type(signal.data).model_validate_json(signal.data.model_dump_json()) == signal.data


@pytest.mark.parametrize(
    ("type_", "data", "field"),
    [
        ("accord.entity.declared", {"id": "team:x"}, "id"),
        ("accord.entity.declared", {"id": "budget: x"}, "id"),
        ("accord.entity.declared", {"name": ""}, "name"),
        ("accord.metric.point", {"value": "many"}, "value"),
        ("accord.metric.point", {"value": float("nan")}, "value"),
        ("accord.metric.point", {"metric": "Click Rate"}, "metric"),
        ("accord.metric.point", {"dims": {"region": 7}}, "dims.region"),
        ("accord.deal.changed", {"status": "maybe"}, "status"),
        ("accord.deal.changed", {"amount": -1}, "amount"),
        ("accord.deal.changed", {"amount": "1e400"}, "amount"),
        ("accord.content.engaged", {"seconds": -1}, "seconds"),
        ("accord.asset.changed", {"priority": 101}, "priority"),
        ("accord.finance.limit", {"amount": None}, "amount"),
        ("accord.finance.limit", {"from": "2026-03-01T00:00:00"}, "from"),
        ("accord.finance.limit", {"until": "2026-03-01T00:00:00Z"}, "until"),
        ("accord.finance.limit", {"scope": "everything"}, "scope"),
        ("accord.note", {"text": ""}, "text"),
        ("accord.note", {"about": ["nonsense"]}, "about.0"),
    ],
)
def test_a_malformed_field_is_named_with_what_was_given(type_: str, data: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=rf"`{field}`: .*\(got .*\)\. .*Mend the field"):
        parse(event(type_, data={**DATA[type_], **data}))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"source": None}, "source"),
        ({"data": None}, "data"),
        ({"data": [1]}, "data"),
        ({"time": "2026-03-04T08:00:00"}, "time"),
        ({"time": "20260304"}, "time"),
        ({"time": 1_772_000_000}, "time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time"),
        ({"time": "9999-12-31T23:00:00-05:00"}, "time"),
    ],
)
def test_a_malformed_envelope_names_the_attribute(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=f"`{field}`"):
        parse(event(**changes))


def test_a_limit_without_cap_needs_no_amount() -> None:
    data = {"scope": "channel:search", "kind": "freeze", "from": "2026-03-01T00:00:00Z"}
    assert isinstance(parse(event("accord.finance.limit", data=data)).data, FinanceLimit)


@pytest.mark.parametrize("type_", ["accord.note", "vendor.memo"])
@pytest.mark.parametrize(
    ("sender", "claimed", "believed"),
    [
        ("internal", "internal", "internal"),
        ("internal", "external", "external"),
        ("external", "internal", "external"),
        ("external", "external", "external"),
    ],
)
def test_a_payload_can_only_lower_the_trust_of_its_sender(
    type_: str, sender: Trust, claimed: Trust, believed: Trust
) -> None:
    raw = event(type_, data={**DATA["accord.note"], "trust": claimed})
    assert parse(raw, sender).trust == believed


@pytest.mark.parametrize("ahead", [timedelta(0), MAX_SKEW])
def test_a_clock_may_run_ahead_by_a_day_at_most(ahead: timedelta) -> None:
    assert parse(event(time=(NOW + ahead).isoformat())).time == NOW + ahead
    with pytest.raises(InputError, match=r"`time`.*time zone"):
        parse(event(time=(NOW + MAX_SKEW + timedelta(seconds=1)).isoformat()))


def test_times_are_held_in_utc_and_default_to_the_moment_of_arrival() -> None:
    assert parse(event(time="2026-03-04T09:00:00+01:00")).time == datetime(2026, 3, 4, 8, tzinfo=UTC)
    assert parse(event(time="2026-03-04T09:00:00+01:00")).time.tzinfo is UTC
    assert parse(event(time=None)).time == NOW


json_objects = st.dictionaries(
    st.text(),
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)),
    max_size=4,
)


@given(json_objects)
def test_a_foreign_type_is_kept_as_it_is(data: dict[str, Any]) -> None:
    assert parse(event("vendor.thing", data=data)).data == data


def test_a_type_of_an_extension_is_typed_by_its_model() -> None:
    class Visit(SignalData):
        shop: str

    types = {**BUILT_IN_TYPES, "shop.visit": Visit}
    signal = parse_event(event("shop.visit", data={"shop": "Lyon"}), received_at=NOW, types=types)
    assert signal.data == Visit(shop="Lyon")
    with pytest.raises(InputError, match="`shop`"):
        parse_event(event("shop.visit", data={}), received_at=NOW, types=types)


def test_a_repeat_has_the_same_content_and_a_contradiction_another() -> None:
    first, later = event(), NOW + timedelta(hours=2)
    assert parse(first).content_hash == parse_event(first, received_at=later).content_hash
    others: list[dict[str, Any]] = [
        {"time": "2026-03-04T08:00:01Z"},
        {"data": {**DATA["accord.note"], "text": "Other"}},
    ]
    for changes in others:
        assert parse(event(**changes)).content_hash != parse(first).content_hash
    assert parse(event("vendor.thing", data={"text": "\ud800"})).content_hash


def test_a_fault_of_the_whole_is_told_in_its_own_words() -> None:
    terms = {"id": "dlg_1", "person": "ana", "to": "ana", "by": "ana", "since": NOW, "until": NOW, "made_at": NOW}
    with pytest.raises(ValidationError) as caught:
        Delegation.model_validate(terms)
    assert explain(caught.value) == "Nobody can stand in for themselves. Mend the field and send it again."
