"""Signals over HTTP: the three modes of CloudEvents, Segment's calls, signed webhooks, and what is refused."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks.webhooks import Webhook

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.acceptance.conftest import Company

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes....").decode()
TAKEN = {"accepted": 1, "duplicate": 0, "rejected": []}


def test_structured_then_again_is_a_duplicate(company: Company) -> None:
    client, event = company.client(), company.point(1)
    headers = {"content-type": "application/cloudevents+json; charset=utf-8"}
    first = client.post("/v1/signals", content=json.dumps(event), headers=headers)
    assert (first.status_code, first.json()) == (200, TAKEN)
    assert client.post("/v1/signals", json=event).json() == {"accepted": 0, "duplicate": 1, "rejected": []}


def test_binary_mode_reads_attributes_from_headers(company: Company) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "n%C2%B07",
        "ce-source": "tests",
        "ce-type": "accord.note",
        "ce-time": "2026-03-03T10:00:00Z",
        "content-type": "application/json",
    }
    sent = company.client().post(
        "/v1/signals", json={"team": "sales", "text": "No promotion this week"}, headers=headers
    )
    assert sent.json() == TAKEN
    stored = company.runtime.store.signals.get("tests", "n°7")
    assert (stored.type, stored.raw["data"]["team"]) == ("accord.note", "sales")


def test_one_bad_event_never_harms_its_neighbours(company: Company) -> None:
    batch: list[Any] = [
        company.point(1),
        {**company.point(2), "data": {"metric": "queries", "entity": "region:idf", "value": "many"}},
        "no event",
        {**company.point(3), "time": "2031-01-01T00:00:00Z"},
        {**company.point(4), "specversion": "0.3"},
        {**company.point(5), "extra": "half \ud800 pair"},
        {"specversion": "1.0", "id": "foreign", "source": "tests", "type": "com.example.odd", "data": {"x": 1}},
        company.point(1),
    ]
    body = json.dumps(batch)
    headers = {"content-type": "application/cloudevents-batch+json"}
    answer = company.client().post("/v1/signals", content=body, headers=headers).json()
    assert (answer["accepted"], answer["duplicate"]) == (2, 1)
    told = {fault["id"]: fault["error"] for fault in answer["rejected"]}
    assert set(told) == {"point/2", "", "point/3", "point/4", "point/5"}
    assert "`value`" in told["point/2"]
    assert "24 h" in told["point/3"]


def test_a_repeat_with_other_content_is_rejected_and_named(company: Company) -> None:
    client = company.client()
    client.post("/v1/signals", json=company.point(1))
    answer = client.post("/v1/signals", json=company.point(1, value=99)).json()
    assert answer["accepted"] == 0
    assert answer["rejected"][0]["id"] == "point/1"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{no json", {}, 400),
        (b'{"a": NaN}', {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"", {}, 400),
        (b"<xml/>", {"content-type": "application/xml"}, 415),
    ],
)
def test_what_is_no_json_is_refused_whole(company: Company, body: bytes, headers: dict[str, str], status: int) -> None:
    refused = company.client().post(
        "/v1/signals", content=body, headers={"content-type": "application/json", **headers}
    )
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert set(refused.json()) >= {"type", "title", "status", "code", "detail"}


def test_too_many_events_and_too_many_bytes_say_the_limit(company: Company) -> None:
    client = company.client()
    many = client.post("/v1/signals", json=[{}] * 10_001)
    assert (many.status_code, "10,000" in many.json()["detail"]) == (413, True)
    big = client.post("/v1/signals", content=b" " * (20 * 1024**2 + 1), headers={"content-type": "application/json"})
    assert (big.status_code, "20 MB" in big.json()["detail"]) == (413, True)


def test_an_unannounced_body_is_bounded_too(company: Company) -> None:
    def parts() -> Any:
        for _ in range(21):
            yield b" " * 1024**2

    big = company.client().post("/v1/signals", content=parts(), headers={"content-type": "application/json"})
    assert big.status_code == 413


def test_the_key_bounds_trust_and_the_payload_may_only_lower_it(company: Company) -> None:
    def trust(client: TestClient, number: str, **data: str) -> str:
        event = {**company.point(0), "id": number, "type": "accord.note", "data": {"team": "web", "text": "hi", **data}}
        assert client.post("/v1/signals", json=event).json() == TAKEN
        return company.runtime.store.signals.get("tests", number).trust

    inside, outside = company.client("ana", "signals"), company.client("ana", "signals-external")
    assert trust(inside, "a") == "internal"
    assert trust(inside, "b", trust="external") == "external"
    assert trust(outside, "c", trust="internal") == "external"


def test_segment_calls_become_entities_and_engagement(company: Company) -> None:
    _, key = company.runtime.store.keys.create("site", "site", ["signals"], company.clock.now())
    client = company.stranger()
    basic = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    message = {"userId": "m.durand@acme.example", "timestamp": "2026-03-03T09:00:00Z"}
    page = {**message, "messageId": "m1", "properties": {"path": "/security/soc2"}, "context": {"groupId": "acme"}}
    assert client.post("/v1/segment/page", json=page, headers=basic).json() == TAKEN
    batch = {
        "batch": [
            {**message, "messageId": "m2", "type": "identify", "traits": {"name": "Mireille Durand"}},
            {**message, "messageId": "m3", "type": "group", "groupId": "acme", "traits": {"name": "Acme"}},
            {**message, "messageId": "m4", "type": "track", "event": "Signed Up"},
            {"type": "identify", "messageId": "m5", "traits": {}},
        ]
    }
    answer = client.post("/v1/segment/batch", json=batch, headers=basic).json()
    assert (answer["accepted"], [fault["id"] for fault in answer["rejected"]]) == (4, ["m5"])
    seen = company.runtime.store.view(company.clock.now())
    (engaged,) = seen.engagements()
    assert (engaged.data.person, engaged.data.account) == ("person:m.durand@acme.example", "account:acme")
    assert engaged.data.asset == "asset:security/soc2"
    assert seen.tree.chain("person:m.durand@acme.example")[1] == "account:acme"


def test_a_signed_webhook_is_taken_once(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_WEBHOOK_CRM_EU_SECRET", SECRET)
    client, body = company.stranger(), json.dumps({"type": "deal.lost", "data": {"deal": "d-17"}})
    headers = _signed("msg_1", body)
    assert client.post("/v1/webhooks/crm-eu", content=body, headers=headers).json() == TAKEN
    again = client.post("/v1/webhooks/crm-eu", content=body, headers=headers)
    assert again.json() == {"accepted": 0, "duplicate": 1, "rejected": []}
    assert company.runtime.store.signals.get("webhook/crm-eu", "msg_1").trust == "external"


def test_a_forged_old_or_unknown_webhook_is_refused(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_WEBHOOK_CRM_SECRET", SECRET)
    client, body = company.stranger(), '{"type": "deal.lost", "data": {}}'
    good = _signed("msg_1", body)
    old = _signed("msg_1", body, timedelta(minutes=6))
    assert client.post("/v1/webhooks/crm", content=body.replace("lost", "won"), headers=good).status_code == 401
    assert client.post("/v1/webhooks/crm", content=b"{no json", headers=good).status_code == 401
    assert client.post("/v1/webhooks/crm", content=body, headers=old).status_code == 401
    assert client.post("/v1/webhooks/crm", content=body).status_code == 401
    assert client.post("/v1/webhooks/other", content=body, headers=good).status_code == 404


def _signed(number: str, body: str, age: timedelta = timedelta(0)) -> dict[str, str]:
    """Headers as the public library of Standard Webhooks signs them."""
    at = datetime.now(UTC) - age
    return {
        "webhook-id": number,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(number, at, body),
        "content-type": "application/json",
    }
