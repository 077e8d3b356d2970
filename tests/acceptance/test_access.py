"""Keys, sessions, first start, pages: who gets in, and what a browser is kept from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import Gate
from domain.errors import ConfigError

if TYPE_CHECKING:
    from agents.drivers.event_time import EventTimeDriver
    from domain.proposals import Proposal
    from tests.acceptance.conftest import Company


def test_the_first_start_makes_one_key_and_a_link_that_works_once(company: Company) -> None:
    first = company.gate.first_start()
    assert first is not None
    assert company.gate.first_start() is None
    client = company.stranger()
    assert client.get("/v1/keys", headers={"authorization": f"Bearer {first.key}"}).status_code == 200
    link = company.gate.login_path(first.person)
    opened = client.get(link)
    assert opened.status_code == 303
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/v1/proposals").status_code == 200
    assert company.stranger().get(link).status_code == 401


def test_the_bootstrap_key_comes_from_the_environment(company: Company) -> None:
    given = "a-bootstrap-key-of-length"
    gate = Gate(company.runtime, environ={"ACCORD_BOOTSTRAP_KEY": given})
    first = gate.first_start()
    assert first is not None
    assert first.key is None
    answer = company.stranger().get("/v1/keys", headers={"authorization": f"Bearer {given}"})
    assert answer.json()["items"][0]["person"] == "admin"


def test_a_short_bootstrap_key_is_refused(company: Company) -> None:
    with pytest.raises(ConfigError, match="8 characters"):
        Gate(company.runtime, environ={"ACCORD_BOOTSTRAP_KEY": "short"}).first_start()


def test_keys_are_made_used_and_revoked_with_their_sessions(company: Company) -> None:
    admin = company.client("ana")
    made = admin.post("/v1/keys", json={"name": "ci", "person": "ben", "scopes": ["read"]})
    assert set(made.json()) == {"id", "key"}
    browser = company.stranger()
    assert browser.post("/login", data={"key": made.json()["key"]}).status_code == 303
    assert browser.get("/v1/situations").status_code == 200
    assert browser.get("/v1/keys").status_code == 403
    assert admin.delete(f"/v1/keys/{made.json()['id']}").status_code == 204
    assert browser.get("/v1/situations").status_code == 401
    assert admin.delete("/v1/keys/key_unknown").status_code == 404
    assert admin.post("/v1/keys", json={"name": "x", "person": "ben", "scopes": ["fly"]}).status_code == 422
    assert made.json()["key"] not in admin.get("/v1/keys").text


def test_a_session_changes_nothing_over_the_api_without_its_token(company: Company) -> None:
    browser = company.browser("ana")
    assert browser.put("/v1/mode", json={"read_only": True}).status_code == 403
    assert browser.get("/v1/mode").json() == {"read_only": False}


def test_forged_cookies_open_nothing(company: Company) -> None:
    client = company.stranger()
    for cookie in ("", "x", "e30.x", "e30." + "A" * 43, "\x00"):
        assert client.get("/v1/mode", headers={"cookie": f"accord_session={cookie}"}).status_code == 401


def test_a_person_answers_on_the_page(company: Company, waiting: Proposal) -> None:
    ana, ben = company.browser("ana"), company.browser("ben")
    today = ana.get("/").text
    assert waiting.title in today
    assert "€1,200 a day" in today
    assert "€1,380 a day" in today
    path = f"/proposals/{waiting.id}"
    form = {"decision": "approve", "fingerprint": waiting.fingerprint}
    assert ana.post(f"{path}/decisions", data={**form, "csrf": "forged"}).status_code == 403
    assert ana.post(f"{path}/decisions", data={**form, "csrf": _csrf(ben, path)}).status_code == 403
    assert ana.post(f"{path}/decisions", data={**form, "csrf": _csrf(ana, path)}).status_code == 303
    told = ana.get(f"{path}?told=approve").text
    assert "Your approval is recorded." in told
    assert "Another person has to agree" in told
    ben.post(f"{path}/decisions", data={**form, "csrf": _csrf(ben, path)})
    company.work()
    done = ana.get(path).text
    (undo,) = set(re.findall(r"/actions/act_[0-9a-f]+/undo", done))
    assert ana.post(undo, data={"csrf": _csrf(ana, path), "reason": "no"}).status_code == 303
    company.work()
    assert "set back" in ana.get(path).text
    late = ben.post(f"{path}/decisions", data={**form, "decision": "reject", "csrf": _csrf(ben, path)})
    assert late.status_code == 409
    assert "It is no longer so" in late.text


def test_text_from_outside_is_shown_as_text(company: Company, waiting: Proposal) -> None:
    for path in ("/", f"/proposals/{waiting.id}", f"/situations/{waiting.situation}"):
        page = company.browser().get(path)
        assert "<script" not in page.text
        assert 'href="https://evil' not in page.text
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in policy
    assert "&lt;script&gt;" in page.text


def test_pages_speak_french_and_remember_it(company: Company, waiting: Proposal) -> None:
    browser = company.browser()
    assert '<html lang="en">' in browser.get("/").text
    assert "Aujourd’hui" in browser.get("/", headers={"accept-language": "fr-FR,fr;q=0.9"}).text
    assert "1\u202f380\u00a0€ par jour" in browser.get("/?lang=fr").text
    assert "Aujourd’hui" in browser.get("/").text
    assert browser.get(f"/situations/{waiting.situation}").status_code == 200
    assert browser.get("/value").status_code == 200


def test_a_browser_without_a_session_is_sent_to_sign_in(company: Company) -> None:
    html = {"accept": "text/html"}
    sent = company.stranger().get("/", headers=html)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login")
    wrong = company.stranger().post("/login", data={"key": "no"}, headers=html)
    assert wrong.status_code == 401
    assert "not known" in wrong.text
    lost = company.browser().get("/nowhere")
    assert lost.status_code == 404
    assert "There is nothing here" in lost.text


def test_empty_pages_say_what_to_do(company: Company) -> None:
    browser = company.browser()
    assert "Nothing waits for you" in browser.get("/").text
    assert "Nothing was measured yet" in browser.get("/value").text


def test_a_fault_of_ours_shows_no_trace(company: Company) -> None:
    def fail() -> None:
        raise RuntimeError("a secret of ours")

    company.app.add_api_route("/v1/broken", fail)
    answer = company.client().get("/v1/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("waiting")
def test_metrics_count_in_a_registry_of_their_own(company: Company) -> None:
    text = company.client("eve", "models").get("/metrics").text
    assert "accord_proposals_pending 1.0" in text
    assert 'accord_signals_received_total{result="accepted"} 1.0' in text
    assert 'route="/v1/signals"' in text


def test_the_next_day_is_there_in_the_demo_only(company: Company) -> None:
    own = create_app(company.runtime, gate=company.gate)
    path, headers = "/v1/demo/next-day", dict(company.client().headers)
    assert path in company.client().get("/openapi.json").json()["paths"]
    assert TestClient(own, headers=headers).post(path).status_code == 404


def test_one_visitor_of_the_demo_can_be_two_people(company: Company, waiting: Proposal) -> None:
    browser, path = company.browser("root"), f"/proposals/{waiting.id}"
    for person in ("ana", "ben"):
        switched = browser.post("/act-as", data={"person": person, "csrf": _csrf(browser, "/")})
        assert switched.status_code == 303
        form = {"decision": "approve", "fingerprint": waiting.fingerprint, "csrf": _csrf(browser, path)}
        assert browser.post(f"{path}/decisions", data=form).status_code == 303
    assert company.client().get(f"/v1{path}").json()["status"] == "approved"
    plain = company.browser("eve")
    assert plain.post("/act-as", data={"person": "ana", "csrf": _csrf(plain, path)}).status_code == 403


def test_the_driver_lives_as_long_as_the_app(company: Company, waiting: Proposal) -> None:
    with company.client("ana") as client:
        assert client.get("/readyz").json()["status"] == "ready"
        company.clock.set(waiting.expires_at)
        company.work()
        assert client.get(f"/v1/proposals/{waiting.id}").json()["status"] == "expired"
    company.clock.set(waiting.expires_at)
    assert cast("EventTimeDriver", company.runtime.driver).run_due() == 0


def _csrf(browser: TestClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get(path).text)
    assert found is not None
    return found[1]
