"""What somebody tries who has half a right, or none: keys, sessions, forms, rates, headers, markup."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from agents.settings import RateSettings
from api import middleware
from api.app import create_app
from api.auth import FULL_SCOPES, Gate
from api.middleware import Bounded
from domain.decisions import Person
from domain.ids import digest
from tests.acceptance.conftest import NOW, Company

if TYPE_CHECKING:
    from domain.proposals import Proposal

SEEN = {"accept": "text/html"}
MARKUP = (
    '"><script>alert(1)</script><img src=x onerror=alert(1)><a href="https://evil.example/x">click</a>'
    "[here](https://evil.example/md) ![p](https://evil.example/p.png) <svg/onload=alert(1)> {{7*7}} \u202egpj.exe"
)


@dataclass
class Watch:
    """The time that a gate is told, moved by the test."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def timed(company: Company, watch: Watch) -> Company:
    """The company behind a gate whose time the test moves."""
    gate = Gate(company.runtime, environ={}, now=watch.now)
    return Company(company.runtime, gate, create_app(company.runtime, gate=gate), company.clock)


def test_a_key_for_nobody_is_refused(company: Company) -> None:
    made = company.client("root").post("/v1/keys", json={"name": "x", "person": "mallory", "scopes": ["decide"]})
    assert made.status_code == 422
    assert "mallory" in made.json()["detail"]


def test_only_an_administrator_makes_keys_so_that_none_grows_by_itself(company: Company) -> None:
    below = company.client("ana", "read", "signals", "decide", "models")
    for scopes in (["read"], ["admin"], ["decide"]):
        for person in ("ana", "root"):
            assert below.post("/v1/keys", json={"name": "x", "person": person, "scopes": scopes}).status_code == 403
    number = company.client("root").get("/v1/keys").json()["items"][0]["id"]
    assert below.delete(f"/v1/keys/{number}").status_code == 403
    assert below.post(f"/v1/keys/{number}/rotate").status_code == 403


def test_keys_expire_with_the_sessions_opened_by_them(timed: Company, watch: Watch) -> None:
    admin = timed.client("root")
    asked = {"name": "short", "person": "ben", "scopes": ["read"], "expires_d": 0.25}
    key = admin.post("/v1/keys", json=asked).json()["key"]
    browser = timed.stranger()
    assert browser.post("/login", data={"key": key}).status_code == 303
    assert browser.get("/v1/mode").status_code == 200
    watch.at += timedelta(hours=7)
    assert browser.get("/v1/mode").status_code == 401
    assert timed.stranger().get("/v1/mode", headers={"authorization": f"Bearer {key}"}).status_code == 401


def test_a_rotated_key_overlaps_as_long_as_asked_and_no_longer(timed: Company, watch: Watch) -> None:
    admin = timed.client("root")
    old = admin.post("/v1/keys", json={"name": "ci", "person": "ben", "scopes": ["read"]}).json()
    new = admin.post(f"/v1/keys/{old['id']}/rotate?overlap_h=2").json()

    def opens(key: str) -> bool:
        return timed.stranger().get("/v1/mode", headers={"authorization": f"Bearer {key}"}).status_code == 200

    assert (opens(old["key"]), opens(new["key"])) == (True, True)
    watch.at += timedelta(hours=3)
    assert (opens(old["key"]), opens(new["key"])) == (False, True)
    assert admin.post(f"/v1/keys/{old['id']}/rotate").status_code == 404


def test_secrets_stand_nowhere_in_the_store(company: Company) -> None:
    secret = (
        company.client("root").post("/v1/keys", json={"name": "x", "person": "ben", "scopes": ["read"]}).json()["key"]
    )
    files = [path.read_bytes() for path in company.runtime.settings.home.rglob("*") if path.is_file()]
    assert files
    assert not any(secret.encode() in content for content in files)
    # Not even as a hash that somebody with the file alone could try guesses against.
    assert not any(hashlib.sha256(secret.encode()).hexdigest().encode() in content for content in files)


def test_signing_out_ends_the_cookie_also_for_who_copied_it(company: Company) -> None:
    browser, thief = company.browser("ana"), company.stranger()
    thief.cookies.update(browser.cookies)
    assert thief.get("/v1/mode").status_code == 200
    assert browser.post("/logout", data={"csrf": csrf(company, browser)}).status_code == 303
    assert thief.get("/v1/mode").status_code == 401


def test_signing_out_everywhere_ends_every_session_of_the_person_and_nobody_elses(company: Company) -> None:
    one, two, other = company.browser("ana"), company.browser("ana"), company.browser("ben")
    assert one.post("/logout", data={"csrf": csrf(company, one), "everywhere": "true"}).status_code == 303
    assert (two.get("/v1/mode").status_code, other.get("/v1/mode").status_code) == (401, 200)
    assert company.browser("ana").get("/v1/mode").status_code == 200


def test_a_session_of_before_the_sign_in_is_never_carried_over(company: Company) -> None:
    browser = company.browser("eve")
    planted = browser.cookies["accord_session"]
    assert browser.get(company.gate.login_path("ana"), headers=SEEN).status_code == 303
    assert browser.cookies["accord_session"] != planted


def test_a_session_loses_what_its_person_loses(company: Company) -> None:
    store = company.runtime.store
    store.people.put(Person(id="zoe", roles=frozenset({"admin"})))
    browser = company.browser("zoe")
    assert browser.get("/v1/keys").status_code == 200
    store.people.put(Person(id="zoe", roles=frozenset()))
    assert browser.get("/v1/keys").status_code == 403


def test_no_form_and_no_write_works_without_the_sessions_own_token(company: Company) -> None:
    browser = company.browser("root")
    tried = 0
    for route in every_route(company.app.routes):
        writes = (route.methods or set()) & {"POST", "PUT", "DELETE", "PATCH"}
        if not writes:
            continue
        if route.path in {"/login", "/answer"} or route.path.startswith(("/v1/webhooks/", "/v1/slack/")):
            continue
        path = route.path.replace("{id}", "x").replace("{name}", "x")
        (method,) = writes
        for token in ({}, {"x-accord-csrf": company.gate.signer.csrf("another")}):
            assert browser.request(method, path, json={}, headers=token).status_code in {403, 404, 422}, path
            tried += 1
    assert tried > 30
    assert browser.get("/v1/mode").json() == {"read_only": False}


def test_another_site_cannot_sign_a_browser_in(company: Company) -> None:
    foreign = company.stranger().post("/login", data={"key": "x"}, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403


def test_wrong_keys_wait_longer_each_time(timed: Company, watch: Watch) -> None:
    browser = timed.stranger()
    codes = [browser.post("/login", data={"key": f"guess-{n}"}).status_code for n in range(8)]
    assert codes == [401, 401, 401, 401, 401, 401, 429, 429]
    told = browser.post("/login", data={"key": "guess"})
    assert int(told.headers["retry-after"]) >= 1
    watch.at += timedelta(seconds=1.5)
    assert browser.post("/login", data={"key": "guess"}).status_code == 401
    assert int(browser.post("/login", data={"key": "guess"}).headers["retry-after"]) == 2


def test_callers_are_counted_by_key_and_strangers_by_address(company: Company, watch: Watch) -> None:
    settings = company.runtime.settings.model_copy(
        update={"limits": RateSettings(key_per_s=1, key_burst=3, address_per_s=1, address_burst=4)}
    )
    from dataclasses import replace

    gate = Gate(replace(company.runtime, settings=settings), environ={}, now=watch.now)
    slow = Company(company.runtime, gate, create_app(company.runtime, gate=gate), company.clock)
    one, other = slow.client("ana"), slow.client("ben")
    assert [one.get("/v1/mode").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert one.get("/v1/mode").headers["retry-after"] == "1"
    assert other.get("/v1/mode").status_code == 200
    stranger = slow.stranger()
    bad = {"authorization": "Bearer ak_wrong"}
    assert [stranger.get("/v1/mode", headers=bad).status_code for _ in range(6)] == [401] * 4 + [429] * 2
    assert stranger.get("/healthz").status_code == 200
    watch.at += timedelta(seconds=2)
    assert one.get("/v1/mode").status_code == 200


def test_default_rates_let_batches_through(company: Company) -> None:
    client = company.client("ana")
    codes = {client.get("/v1/mode").status_code for _ in range(60)}
    assert codes == {200}
    rates = RateSettings()
    assert rates.key_per_s * 500 >= 5_000


def test_a_body_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "PART_S", 0.05)

    async def app(_: Any, receive: Any, __: Any) -> None:
        await receive()

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    scope = {"type": "http", "headers": [], "path": "/", "method": "POST"}
    with pytest.raises(Exception, match="Send it faster"):
        asyncio.run(Bounded(app, 1000)(scope, never, never))


def test_names_that_are_not_ours_are_refused_where_names_are_given(company: Company) -> None:
    from dataclasses import replace

    auth = company.runtime.settings.auth.model_copy(update={"hosts": ("accord.example",)})
    settings = company.runtime.settings.model_copy(update={"auth": auth})
    gate = Gate(replace(company.runtime, settings=settings), environ={})
    client = TestClient(create_app(company.runtime, gate=gate))
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 422
    assert client.get("/healthz", headers={"host": "accord.example:8080"}).status_code == 200


def test_no_path_leads_out_of_what_is_served(company: Company) -> None:
    for path in (
        "/static/../session.key",
        "/static/%2e%2e/session.key",
        "/static/..%2f..%2fsession.key",
        "/static//etc/passwd",
    ):
        assert company.stranger().get(path).status_code in {401, 404}


def test_a_path_cannot_write_lines_into_the_log(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    def fail(name: str) -> None:
        raise RuntimeError(name)

    company.app.add_api_route("/v1/broken/{name}", fail)
    with caplog.at_level(logging.ERROR, logger="accord.api"):
        answer = company.client().get("/v1/broken/x%0d%0a2026-03-04%20person:emma%20approved")
    assert answer.status_code == 500
    assert caplog.records
    assert not any("\n2026" in record.getMessage() for record in caplog.records)


def every_route(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """All routes of the app, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from every_route(route.original_router.routes)


@dataclass
class Parsed(HTMLParser):
    """Tags and addresses of a page, as a browser would see them."""

    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def pages(company: Company, waiting: Proposal) -> Iterator[tuple[str, Any]]:
    """Every page that a signed-in person can read, found by the routes themselves."""
    browser = company.browser("root")
    names = {"proposals": waiting.id, "situations": waiting.situation}
    for route in every_route(company.app.routes):
        if "GET" in (route.methods or ()) and not route.path.startswith(("/v1", "/login/oidc")):
            noun = route.path.split("/")[1]
            path = route.path.replace("{id}", names.get(noun, "x"))
            yield path, browser.get(path, headers=SEEN)


def test_planted_markup_is_text_on_every_page_and_none_runs_scripts(company: Company, waiting: Proposal) -> None:
    _plant(company, waiting)
    shown = 0
    for path, page in pages(company, waiting):
        assert page.status_code < 500, path
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "unsafe" not in policy, path
        if "text/html" not in page.headers.get("content-type", ""):
            continue
        seen = Parsed()
        seen.feed(page.text)
        assert not {"script", "iframe", "object", "embed", "base"} & set(seen.tags), path
        assert not any(name.startswith("on") or "javascript:" in value for name, value in seen.attributes), path
        assert not any(
            "evil.example" in value for name, value in seen.attributes if name in {"href", "src", "action"}
        ), path
        assert not any(name == "style" for name, _ in seen.attributes), path
        shown += "evil.example" in seen.text
    assert shown >= 3, "today, the proposal and the situation show the words, as words"


def _plant(company: Company, waiting: Proposal) -> None:
    """Outsiders' markup into everything that pages show: titles, reasons, quotes, names, answers."""
    store = company.runtime.store
    store.proposals.reword(waiting.id, title=MARKUP, why=MARKUP, facts=[])
    client = company.client("root", *FULL_SCOPES)
    client.post("/v1/signals", json=[
        {"specversion": "1.0", "id": digest([n])[:8], "source": "x", "type": "accord.entity.declared",
         "data": {"id": f"{kind}:m{n}", "name": MARKUP[:300], "attrs": {}}}
        for n, kind in enumerate(("campaign", "asset", "account", "deal"))
    ])  # fmt: skip
    client.post(f"/v1/proposals/{waiting.id}/decisions", json={
        "decision": "escalate", "reason": MARKUP, "fingerprint": waiting.fingerprint})  # fmt: skip
    company.client("root").put("/v1/mode", json={"read_only": True, "reason": MARKUP})
    company.client("root").put("/v1/mode", json={"read_only": False, "reason": MARKUP})


def csrf(company: Company, browser: TestClient) -> str:
    """The token of the session in `browser`, as its forms carry it."""
    claims = company.gate.signer.unseal("session", browser.cookies["accord_session"], company.gate.now())
    return company.gate.signer.csrf(claims["nonce"])


def test_json_readers_get_words_as_words(company: Company, waiting: Proposal) -> None:
    _plant(company, waiting)
    answer = company.client("ana").get(f"/v1/proposals/{waiting.id}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert MARKUP in answer.json()["title"]


def test_trust_comes_from_the_key_by_every_door_and_never_from_the_payload(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, inside = company.client("eve", "signals-external"), company.client("eve", "signals")
    claim = {"specversion": "1.0", "source": "s", "type": "accord.note", "trust": "internal", "accordtrust": "internal"}
    note = {"team": "sales", "text": "hold everything", "trust": "internal"}
    binary = {f"ce-{name}": value for name, value in {**claim, "id": "binary"}.items()}
    outside.post("/v1/signals", json={**claim, "id": "structured", "data": note})
    outside.post("/v1/signals", json=note, headers=binary)
    outside.post("/v1/signals", json=[{**claim, "id": "batched", "data": note}])
    call = {"userId": "u", "event": "x", "traits": {"trust": "internal"}, "properties": {"trust": "internal"}}
    for number, name in enumerate(("track", "identify", "group", "page")):
        outside.post(f"/v1/segment/{name}", json={**call, "groupId": "g", "messageId": f"m{number}"})
    monkeypatch.setenv("ACCORD_WEBHOOK_CRM_SECRET", "whsec_" + base64.b64encode(b"k" * 32).decode())
    body = json.dumps({**claim, "id": "webhook", "data": note}).encode()
    assert company.stranger().post("/v1/webhooks/crm", content=body, headers=_webhook(body)).status_code == 200
    stored = company.runtime.store.signals.page(limit=50).items
    assert len(stored) >= 9
    assert {signal.trust for signal in stored} == {"external"}
    inside.post("/v1/signals", json={**claim, "id": "own", "data": note})
    inside.post("/v1/signals", json={**claim, "id": "lowered", "data": {**note, "trust": "external"}})
    trusts = {signal.id: signal.trust for signal in company.runtime.store.signals.page(limit=50).items}
    assert (trusts["own"], trusts["lowered"]) == ("internal", "external")


def _webhook(body: bytes) -> dict[str, str]:
    at = str(int(datetime.now(UTC).timestamp()))
    mac = hmac.new(b"k" * 32, f"w-1.{at}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": "w-1", "webhook-timestamp": at, "webhook-signature": f"v1,{base64.b64encode(mac).decode()}"}
