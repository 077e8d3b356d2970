"""Every way to answer over HTTP and on the page: several at once, other values, questions, for somebody who is away."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agents.arbitrate import Choice
from agents.propose import propose
from domain.actions import ActionSpec
from domain.policy import Facts
from domain.proposals import Candidate, Proposal
from memory.rounds import RoundMark
from tests.acceptance.conftest import BUDGET, NOW, POLICY

if TYPE_CHECKING:
    from tests.acceptance.conftest import Company


@pytest.fixture
def second(company: Company, waiting: Proposal) -> Proposal:
    """Another proposal that waits, about another budget."""
    entity = "budget:search-generic"
    company.client("ana").post("/v1/signals", json=company.declared(entity, daily_budget=800, currency="EUR"))
    spec = ActionSpec(kind="ads.budget.set", entity=entity, value=88000, expect=80000, currency="EUR")
    candidate = Candidate(
        key="raise:generic",
        situation=waiting.situation,
        specialist="demand",
        specs=(spec,),
        title="Raise Generic search by €80 a day",
        why="It earns more than it costs.",
        expected=waiting.expected,
        measurement=waiting.measurement,
    )
    tree = company.runtime.store.view(NOW).tree
    facts = Facts(now=NOW, currency="EUR", tree=tree)
    made = propose(Choice(candidate, ()), POLICY, facts, company.runtime.tools.states(tree))
    mark = RoundMark("rnd_second", NOW + timedelta(seconds=1), 2)
    assert company.runtime.store.rounds.commit(mark, previous="rnd_test", proposals=[made])
    return made


def item(proposal: Proposal, **more: str) -> dict[str, Any]:
    return {"proposal": proposal.id, "decision": "approve", "fingerprint": proposal.fingerprint, **more}


def statuses(company: Company, *proposals: Proposal) -> list[tuple[str, int]]:
    found = [company.runtime.store.proposals.get(proposal.id) for proposal in proposals]
    return [(proposal.status.value, len(proposal.decisions)) for proposal in found]


def test_several_are_decided_together_or_not_at_all(company: Company, waiting: Proposal, second: Proposal) -> None:
    ana, ben = company.client("ana"), company.client("ben")
    both = {"decisions": [item(waiting), item(second)]}
    assert [p["status"] for p in ana.post("/v1/decisions/batch", json=both).json()["items"]] == ["pending"] * 2
    stale = {"decisions": [item(waiting), {**item(second), "fingerprint": "0" * 64}]}
    refused = ben.post("/v1/decisions/batch", json=stale)
    assert (refused.status_code, [e["field"] for e in refused.json()["errors"]]) == (409, ["decisions.1"])
    assert statuses(company, waiting, second) == [("pending", 1), ("pending", 1)]
    assert [p["status"] for p in ben.post("/v1/decisions/batch", json=both).json()["items"]] == ["approved"] * 2
    late = company.client("root").post("/v1/decisions/batch", json=both).json()
    assert "'ben' answered first" in late["errors"][0]["message"]
    for wrong in ([], [item(waiting), item(waiting)], [item(waiting)] * 51, [item(waiting, decision="modify")]):
        assert ana.post("/v1/decisions/batch", json={"decisions": wrong}).status_code == 422
    company.work()
    assert ana.get(f"/v1/connectors/ads/state?entity={BUDGET}").json()["state"]["ads.budget.set"] == 138000
    assert ana.get("/v1/audit/verify").json()["ok"] is True


def test_a_recheck_tells_verdict_and_worth_and_writes_nothing(company: Company, waiting: Proposal) -> None:
    ana, path = company.client("ana"), f"/v1/proposals/{waiting.id}"
    spec = waiting.actions[0].spec.model_dump(mode="json")
    assert ana.post(f"{path}/recheck", json={"actions": [spec]}).json()["valuation"] == "computed"
    before = ana.get(path).json(), ana.get("/v1/audit/verify").json()
    smaller = ana.post(f"{path}/recheck", json={"actions": [{**spec, "value": 129000}]}).json()
    assert (smaller["verdict"], smaller["valuation"]) == ("ask", "rescaled")
    assert smaller["expected"] == {"value": 206000, "low": -45000, "high": 452500, "currency": "EUR"}
    assert [(c["now"], c["proposed"], c["wanted"]) for c in smaller["changes"]] == [(120000, 138000, 129000)]
    larger = ana.post(f"{path}/recheck", json={"actions": [{**spec, "value": 900000}]}).json()
    assert (larger["verdict"], larger["rule"]) == ("deny", "limits.max_step_rate")
    for wrong in ({"expect": 1}, {"currency": "USD"}, {"entity": "budget:other"}, {"value": 120000}):
        assert ana.post(f"{path}/recheck", json={"actions": [{**spec, **wrong}]}).status_code == 422
    assert (ana.get(path).json(), ana.get("/v1/audit/verify").json()) == before
    changed = {"decision": "modify", "fingerprint": waiting.fingerprint, "actions": [{**spec, "value": 129000}]}
    made = ana.post(f"{path}/decisions", json=changed).json()
    assert (made["fingerprint"], made["expected"]) == (smaller["fingerprint"], smaller["expected"])
    assert (made["status"], made["cost_minor"]) == ("pending", 63000)


def test_a_rejection_names_its_reason_and_the_late_are_told_who_and_when(company: Company, waiting: Proposal) -> None:
    ana, ben, path = company.client("ana"), company.client("ben"), f"/v1/proposals/{waiting.id}/decisions"
    body = {"decision": "reject", "fingerprint": waiting.fingerprint, "reason_code": "bad_timing", "reason": "sales"}
    assert ana.post(path, json={**body, "reason_code": "mood"}).status_code == 422
    (decision,) = ana.post(path, json=body).json()["decisions"]
    assert (decision["reason_code"], decision["on_behalf_of"]) == ("bad_timing", None)
    for kind in ("approve", "reject", "escalate"):
        late = ben.post(path, json={**body, "decision": kind})
        assert late.status_code == 409
        assert f"'ana' answered first (reject, {NOW.isoformat()})" in late.json()["detail"]


def test_a_question_buys_time_once_and_is_answered(company: Company, waiting: Proposal) -> None:
    ana, eve, path = company.client("ana"), company.client("eve"), f"/v1/proposals/{waiting.id}/questions"
    company.clock.set(NOW + timedelta(hours=20))
    assert eve.post(path, json={"text": "What is this?"}).json()["expires_at"] == "2026-03-05T09:00:00Z"
    asked = ana.post(path, json={"text": "Is the flight booked?", "to": "ben"}).json()
    assert asked["expires_at"] == "2026-03-06T05:00:00Z"
    company.clock.set(NOW + timedelta(hours=21))
    assert ana.post(path, json={"text": "And then?"}).json()["expires_at"] == asked["expires_at"]
    assert ana.post(path, json={"text": "And then?"}).json() == ana.get(path).json()
    question = asked["items"][-1]["id"]
    told = company.client("ben").post(f"{path}/{question}/answers", json={"text": "Until May."}).json()["items"]
    assert [(q["kind"], q["by"], q["answers"]) for q in told][-1] == ("answer", "ben", question)
    assert ana.post(f"{path}/que_none/answers", json={"text": "?"}).status_code == 404
    assert company.client("ana", "read").post(path, json={"text": "?"}).status_code == 403
    assert company.runtime.store.proposals.get(waiting.id).decisions == ()
    company.clock.set(NOW + timedelta(hours=30))
    company.work()
    assert company.runtime.store.proposals.get(waiting.id).status == "pending"
    company.clock.set(NOW + timedelta(hours=45))
    company.work()
    assert company.runtime.store.proposals.get(waiting.id).status == "expired"
    assert ana.post(path, json={"text": "Too late?"}).status_code == 409


def test_somebody_stands_in_for_a_while_and_never_counts_twice(company: Company, waiting: Proposal) -> None:
    ana, ben, eve, root = (company.client(name) for name in ("ana", "ben", "eve", "root"))
    path, until = "/v1/people/ana/delegations", (NOW + timedelta(days=7)).isoformat()
    decide, body = f"/v1/proposals/{waiting.id}/decisions", item(waiting)
    body.pop("proposal")
    assert eve.post(path, json={"to": "eve", "until": until}).status_code == 403
    assert ana.post(path, json={"to": "nobody", "until": until}).status_code == 404
    assert ana.post(path, json={"to": "ana", "until": until}).status_code == 422
    assert ana.post(path, json={"to": "eve", "until": (NOW - timedelta(days=1)).isoformat()}).status_code == 422
    assert eve.post(decide, json=body).status_code == 403
    made = ana.post(path, json={"to": "eve", "until": until, "reason": "leave"}).json()
    assert (made["person"], made["to"], made["from"], made["ended_at"]) == ("ana", "eve", "2026-03-04T09:00:00Z", None)
    decision = eve.post(decide, json=body).json()["decisions"][0]
    assert (decision["by"], decision["on_behalf_of"], decision["role"]) == ("eve", "ana", "search_owner")
    refused = ana.post(decide, json=body)
    assert (refused.status_code, "'eve' answered" in refused.json()["detail"]) == (409, True)
    assert ben.post(decide, json=body).json()["status"] == "approved"
    assert root.delete(f"{path}/{made['id']}").json()["ended_at"] is not None
    verbs = [row.verb for row in company.runtime.store.audit.page(limit=200).items if row.subject == "ana"]
    assert verbs == ["delegation.made", "delegation.ended"]


def test_a_key_that_asked_for_it_cannot_decide_and_its_owner_not_alone(company: Company, waiting: Proposal) -> None:
    store = company.runtime.store
    _, secret = store.keys.create("agent", "ben", ("read", "decide"), NOW)
    number = store.keys.page(limit=1).items[0].id
    asked = waiting.model_copy(update={"requested_by": (number, "ana")})
    from memory import tables  # the only way to a proposal that somebody asked for, until they can be drafted

    with store.database.write() as connection:
        body = asked.model_dump_json(exclude={"actions", "decisions"})
        connection.execute(tables.proposals.update().where(tables.proposals.c.id == waiting.id), {"body": body})
    agent, path = company.stranger(), f"/v1/proposals/{waiting.id}/decisions"
    agent.headers["authorization"] = f"Bearer {secret}"
    given = {"decision": "approve", "fingerprint": waiting.fingerprint}
    assert agent.post(path, json=given).status_code == 403
    assert company.client("ana").post(path, json=given).json()["status"] == "pending"
    assert company.client("ben").post(path, json=given).json()["status"] == "approved"


def forms(page: str) -> str:
    """The session's token on a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def test_the_page_changes_asks_rejects_and_answers_several_without_a_script(
    company: Company, waiting: Proposal, second: Proposal
) -> None:
    ana, path = company.browser("ana"), f"/proposals/{waiting.id}"
    page = ana.get(path).text
    assert "<script" not in page
    given = {"csrf": forms(page), "fingerprint": waiting.fingerprint}
    checked = ana.post(f"{path}/changes", data={**given, "do": "check", "value_0": "1290,00"}).text
    assert "€2,060" in checked
    assert "Scaled to the changed values" in checked
    assert 'value="1290,00"' in checked
    assert "limits.max_step_rate" in ana.post(f"{path}/changes", data={**given, "do": "check", "value_0": "9000"}).text
    assert "no amount of money" in ana.post(f"{path}/changes", data={**given, "do": "check", "value_0": "much"}).text
    assert statuses(company, waiting) == [("pending", 0)]
    ana.post(f"{path}/questions", data={**given, "text": "<b>Why?</b>", "whom": "ben"})
    assert "&lt;b&gt;Why?&lt;/b&gt;" in ana.get(path).text
    assert ana.post(f"{path}/changes", data={**given, "do": "approve", "value_0": "1290"}).status_code == 303
    changed = company.runtime.store.proposals.get(waiting.id)
    assert (changed.actions[0].spec.value, changed.decisions[0].kind) == (129000, "modify")

    ben = company.browser("ben")
    today = ben.get("/").text
    chosen = re.findall(r'name="chosen" value="([^"]+)"', today)
    assert len(chosen) == 2
    told = ben.post("/answers", data={"csrf": forms(today), "decision": "reject", "chosen": chosen})
    assert told.headers["location"] == "/?told=batch"
    assert [status for status, _ in statuses(company, waiting, second)] == ["rejected", "rejected"]
    assert ben.post("/answers", data={"csrf": "x", "decision": "approve", "chosen": chosen}).status_code == 403


def test_the_page_of_absence_sets_up_and_ends(company: Company, waiting: Proposal) -> None:
    ana = company.browser("ana")
    given = {"csrf": forms(ana.get("/absence").text), "whom": "eve", "until": "2026-03-10T18:00", "reason": "leave"}
    assert ana.post("/absence", data=given).status_code == 303
    eve = company.browser("eve").get(f"/proposals/{waiting.id}").text
    assert "You answer in the role of ana, who is away." in eve
    (made,) = company.runtime.store.delegations.in_force(NOW)
    assert ana.post(f"/absence/{made.id}/end", data={"csrf": given["csrf"]}).status_code == 303
    assert company.runtime.store.delegations.in_force(NOW) == []
