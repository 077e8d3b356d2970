from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.segment import to_events
from domain.errors import InputError
from domain.signals import parse_event

NOW = datetime(2026, 3, 4, tzinfo=UTC)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.dictionaries(st.sampled_from(["traits", "properties", "company", "page", "path", "id"]), inner),
    max_leaves=8,
)


def test_a_video_that_was_watched_is_engagement() -> None:
    message: dict[str, Any] = {
        "messageId": "m1",
        "userId": "u 1",
        "event": "Video Content Completed",
        "properties": {"asset_id": "soc2-tour", "seconds": 94},
        "context": {"traits": {"company": {"name": "Acme SA"}, "title": "CISO"}},
    }
    (event,) = to_events("track", message, "segment/site")
    assert (event["id"], event["type"], event["source"]) == ("m1", "accord.content.engaged", "segment/site")
    assert event["data"] == {
        "person": "person:u%201",
        "account": "account:Acme%20SA",
        "role": "CISO",
        "asset": "asset:soc2-tour",
        "platform": "web",
        "seconds": 94,
    }


def test_an_identify_without_a_name_is_named_by_its_mail() -> None:
    (event,) = to_events("identify", {"userId": "u1", "traits": {"email": "a@b.example"}}, "segment")
    assert (event["data"]["id"], event["data"]["name"]) == ("person:u1", "a@b.example")


def test_calls_without_a_message_id_repeat_as_themselves() -> None:
    message = {"userId": "u1", "event": "Signed Up"}
    (first,), (again,) = to_events("track", message, "s"), to_events("track", dict(message), "s")
    (other,) = to_events("track", {**message, "event": "Signed In"}, "s")
    assert first["id"] == again["id"] != other["id"]
    assert first["type"] == "segment.track"


@pytest.mark.parametrize("call", ["track", "identify", "group", "page", "screen", "alias", "odd"])
@given(
    message=st.dictionaries(
        st.sampled_from(["userId", "groupId", "messageId", "traits", "properties", "context", "timestamp"]), _JSON
    )
)
def test_any_message_becomes_signals_or_is_refused_in_words(call: str, message: dict[str, Any]) -> None:
    for event in to_events(call, message, "segment/site"):
        try:
            parse_event(event, received_at=NOW)
        except InputError as error:
            assert error.detail.endswith(".")  # noqa: PT017 — some messages are refused, and some are none
