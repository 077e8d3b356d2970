from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from api.events import MAX_EVENTS, read_request, sift

JSON = {"content-type": "application/json"}
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(_VALUES, max_size=6))
def test_every_value_is_either_handed_on_storable_or_named(values: list[Any]) -> None:
    batch = sift(values)
    assert len(batch.events) + len(batch.rejected) == len(values)
    for event in batch.events:
        json.dumps(event, allow_nan=False, ensure_ascii=False).encode("utf-8")
    for fault in batch.rejected:
        assert fault["error"].endswith(".")


@given(st.binary(max_size=200))
def test_no_body_does_more_than_be_refused(body: bytes) -> None:
    try:
        read_request(JSON, body)
    except HTTPException as error:
        assert error.status_code == 400  # noqa: PT017 — most bodies are refused, and some are JSON


def test_data_may_come_as_base64_of_json() -> None:
    packed = base64.b64encode(b'{"value": 1}').decode()
    (event,) = read_request(JSON, json.dumps({"id": "a", "data_base64": packed}).encode()).events
    assert event == {"id": "a", "data": {"value": 1}}
    rejected = read_request(JSON, b'{"id": "a", "data_base64": "AAEC"}').rejected
    assert rejected[0]["id"] == "a"


def test_a_number_beyond_floats_rejects_its_event_only() -> None:
    batch = read_request(JSON, b'[{"id": "a", "data": {"x": 1e999}}, {"id": "b"}]')
    assert [event["id"] for event in batch.events] == ["b"]
    assert "finite" in batch.rejected[0]["error"]


def test_binary_mode_without_a_body_has_no_data() -> None:
    (event,) = read_request({"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s%20t", "ce-type": "t"}, b"").events
    assert event == {"specversion": "1.0", "id": "1", "source": "s t", "type": "t"}


def test_the_number_of_events_is_bounded() -> None:
    with pytest.raises(HTTPException, match="10,000"):
        sift([{}] * (MAX_EVENTS + 1))
