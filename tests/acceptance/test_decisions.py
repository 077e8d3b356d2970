"""From a pending proposal over people's answers to a changed tool, and back again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.proposals import Proposal
    from tests.acceptance.conftest import Company

BUDGET = "budget:search-brand"


def test_a_proposal_is_flat_and_complete(company: Company, waiting: Proposal) -> None:
    client = company.client("eve", "read")
    found = client.get("/v1/proposals?status=pending").json()
    assert found["next"] is None
    (shown,) = found["items"]
    assert shown == client.get(f"/v1/proposals/{waiting.id}").json()
    assert (shown["verdict"], shown["rule"], shown["roles"], shown["quorum"]) == (
        "ask",
        "budgets",
        ["search_owner", "finance"],
        2,
    )
    (action,) = shown["actions"]
    assert (action["kind"], action["entity"], action["value"], action["expect"]) == (
        "ads.budget.set",
        BUDGET,
        138000,
        120000,
    )
    assert shown["expected"] == {"value": 412000, "low": -90000, "high": 905000, "currency": "EUR"}
    assert (shown["origin"], shown["measurement"]["metric"]) == ("rules", "contribution")
    assert client.get("/v1/proposals?status=rejected").json()["items"] == []


def test_a_situation_tells_its_proposals_and_its_history(company: Company, waiting: Proposal) -> None:
    client = company.client()
    (listed,) = client.get("/v1/situations?status=open&kind=demand.rise").json()["items"]
    told = client.get(f"/v1/situations/{listed['id']}").json()
    assert [proposal["id"] for proposal in told["proposals"]] == [waiting.id]
    assert [entry["what"] for entry in told["timeline"]][-1] == "proposal.created"
    assert sum(rival["odds"] for rival in told["hypotheses"]) == 1


def test_two_people_approve_then_the_tool_changes_and_undo_sets_it_back(company: Company, waiting: Proposal) -> None:
    ana, ben = company.client("ana"), company.client("ben")
    assert _decide(ana, waiting)["status"] == "pending"
    assert _decide(ben, waiting)["status"] == "approved"
    company.work()
    (action,) = ana.get(f"/v1/actions?proposal={waiting.id}").json()["items"]
    assert (action["status"], action["state_before"]) == ("done", 120000)
    assert action["authorised_by"].startswith("dec_")
    assert _budget(ana) == 138000
    (effect,) = ana.get("/v1/effects").json()["items"]
    assert (effect["status"], effect["connector"], effect["action"]) == ("confirmed", "ads", action["id"])

    undoing = ana.post(f"/v1/actions/{action['id']}/undo", json={"reason": "flight cancelled"})
    assert (undoing.status_code, undoing.json()["undo_of"], undoing.json()["value"]) == (200, action["id"], 120000)
    company.work()
    assert _budget(ana) == 120000
    again = ana.post(f"/v1/actions/{action['id']}/undo", json={"reason": "once more"})
    assert again.status_code == 409
    assert ana.get("/v1/audit/verify").json()["ok"] is True


def test_the_same_answer_twice_is_one_decision(company: Company, waiting: Proposal) -> None:
    ana = company.client("ana")
    first, second = _decide(ana, waiting), _decide(ana, waiting)
    assert first == second
    assert [decision["by"] for decision in ana.get("/v1/decisions").json()["items"]] == ["ana"]


def test_who_may_not_decide_is_told_so(company: Company, waiting: Proposal) -> None:
    path, body = f"/v1/proposals/{waiting.id}/decisions", {"decision": "approve", "fingerprint": waiting.fingerprint}
    assert company.client("ana", "read").post(path, json=body).status_code == 403
    assert company.client("eve").post(path, json=body).status_code == 403
    assert company.stranger().post(path, json=body).status_code == 401


def test_a_decision_needs_the_fingerprint_that_stands(company: Company, waiting: Proposal) -> None:
    ana, path = company.client("ana"), f"/v1/proposals/{waiting.id}/decisions"
    lacking = ana.post(path, json={"decision": "approve"})
    assert (lacking.status_code, lacking.json()["errors"][0]["field"]) == (422, "fingerprint")
    stale = ana.post(path, json={"decision": "approve", "fingerprint": "0" * 64})
    assert (stale.status_code, stale.json()["code"]) == (409, "conflict")
    assert ana.post(path, json={"decision": "perhaps", "fingerprint": "x"}).status_code == 422
    broken = ana.post(path, content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (400, "malformed")


def test_decided_or_expired_is_a_conflict(company: Company, waiting: Proposal) -> None:
    ana, ben = company.client("ana"), company.client("ben")
    assert _decide(ana, waiting, decision="reject", reason="no stock")["status"] == "rejected"
    path = f"/v1/proposals/{waiting.id}/decisions"
    late = ben.post(path, json={"decision": "approve", "fingerprint": waiting.fingerprint})
    assert late.status_code == 409
    again = ana.post(path, json={"decision": "reject", "reason": "no stock", "fingerprint": waiting.fingerprint})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_expired_is_a_conflict(company: Company, waiting: Proposal) -> None:
    company.clock.set(waiting.expires_at + timedelta(minutes=1))
    body = {"decision": "approve", "fingerprint": waiting.fingerprint}
    late = company.client("ana").post(f"/v1/proposals/{waiting.id}/decisions", json=body)
    assert (late.status_code, "expired" in late.json()["detail"]) == (409, True)


def test_modify_is_judged_anew(company: Company, waiting: Proposal) -> None:
    ana, path = company.client("ana"), f"/v1/proposals/{waiting.id}/decisions"
    spec = {"kind": "ads.budget.set", "entity": BUDGET, "value": 130000, "expect": 120000, "currency": "EUR"}
    body = {"decision": "modify", "fingerprint": waiting.fingerprint}
    assert ana.post(path, json=body).status_code == 422
    assert ana.post(path, json={**body, "actions": [{**spec, "value": "much"}]}).status_code == 422
    assert ana.post(path, json={**body, "actions": [{**spec, "value": 900000}]}).status_code == 409
    changed = ana.post(path, json={**body, "actions": [spec]}).json()
    assert changed["actions"][0]["value"] == 130000
    assert changed["fingerprint"] != waiting.fingerprint


def test_drift_before_the_answer_is_a_conflict(company: Company, waiting: Proposal) -> None:
    ana = company.client("ana")
    _somebody_moves_the_budget(company)
    body = {"decision": "approve", "fingerprint": waiting.fingerprint}
    assert ana.post(f"/v1/proposals/{waiting.id}/decisions", json=body).status_code == 409
    assert ana.get(f"/v1/proposals/{waiting.id}").json()["status"] == "void"


def test_drift_after_the_answer_voids_the_action(company: Company, waiting: Proposal) -> None:
    ana, ben = company.client("ana"), company.client("ben")
    _decide(ana, waiting)
    _decide(ben, waiting)
    _somebody_moves_the_budget(company)
    company.work()
    (action,) = ana.get("/v1/actions").json()["items"]
    assert action["status"] == "drifted"
    assert _budget(ana) == 90000


def test_read_only_stops_every_effect(company: Company, waiting: Proposal) -> None:
    ana, ben = company.client("ana"), company.client("ben")
    assert ana.put("/v1/mode", json={"read_only": True, "reason": "incident"}).json() == {"read_only": True}
    _decide(ana, waiting)
    _decide(ben, waiting)
    company.work()
    assert _budget(ana) == 120000
    assert company.client("ana", "read", "decide").put("/v1/mode", json={"read_only": False}).status_code == 403


def _somebody_moves_the_budget(company: Company) -> None:
    moved = {**company.declared(BUDGET, daily_budget=900, currency="EUR"), "id": "declared-again"}
    assert company.client("ana").post("/v1/signals", json=moved).json()["accepted"] == 1


def _decide(client: Any, proposal: Proposal, **more: str) -> dict[str, Any]:
    body = {"decision": "approve", "fingerprint": proposal.fingerprint, **more}
    answer = client.post(f"/v1/proposals/{proposal.id}/decisions", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _budget(client: Any) -> int:
    return client.get(f"/v1/connectors/ads/state?entity={BUDGET}").json()["state"]["ads.budget.set"]
