"""Who may speak for whom: an absent person's role is lent once, for a while, and never makes one person two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.decisions import Decision, DecisionKind, DecisionRequest, Person
from domain.delegations import Delegation, absent_for, delegation_id
from domain.errors import Conflict, Forbidden
from domain.lifecycle import Seat, decide, record_decision, seat_of
from domain.policy import Verdict
from domain.proposals import Expected, Measurement, Proposal, ProposalStatus

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
ANA = Person(id="ana", roles=frozenset({"search_owner"}))
BEN = Person(id="ben", roles=frozenset({"finance"}))
EVE = Person(id="eve", roles=frozenset({"guest"}))
ZOE = Person(id="zoe", roles=frozenset({"guest"}))


def proposal(quorum: int = 2, requested_by: tuple[str, ...] = ()) -> Proposal:
    return Proposal(
        id="prop_1",
        situation="sit_1",
        verdict=Verdict.model_validate(
            {"kind": "ask", "rule": "r", "reason": "", "roles": ("search_owner", "finance"), "quorum": quorum}
        ),
        actions=(),
        policy_version="v1",
        fingerprint="f",
        title="Raise",
        why="Demand rose",
        expected=Expected(value=1, low=0, high=2, currency="EUR"),
        measurement=Measurement(metric="none", method="none", start=NOW, days=0, stop="at once"),
        evidence=(),
        specialist="demand",
        requested_by=requested_by,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )


def approve(before: Proposal, person: Person, *absent: Person) -> Proposal:
    request = DecisionRequest(decision=DecisionKind.APPROVE, fingerprint=before.fingerprint)
    status = decide(before, request, person, NOW, absent)
    seat = seat_of(before, person, absent)
    said = Decision(
        id=f"dec_{person.id}",
        proposal=before.id,
        kind=DecisionKind.APPROVE,
        by=person.id,
        role=seat.role,
        on_behalf_of=seat.on_behalf_of,
        fingerprint=before.fingerprint,
        at=NOW,
    )
    return record_decision(before, said, status)


def away(person: str = "ana", to: str = "eve", **fields: Any) -> Delegation:
    given: dict[str, Any] = {"since": NOW, "until": NOW + timedelta(days=7), "by": person, "made_at": NOW, **fields}
    return Delegation(id=delegation_id(person, to, given["since"], given["until"]), person=person, to=to, **given)


def test_a_delegation_begins_and_ends_by_itself_or_is_taken_back() -> None:
    week = away()
    taken_back = away(ended_at=NOW)
    moments = [NOW - timedelta(seconds=1), NOW, NOW + timedelta(days=7)]
    assert [absent_for("eve", [week], at) for at in moments] == [[], ["ana"], []]
    assert absent_for("eve", [taken_back], NOW) == []
    assert absent_for("ana", [week], NOW) == []
    wrongs: list[dict[str, Any]] = [{"to": "ana"}, {"until": NOW}, {"until": NOW + timedelta(days=181)}]
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            away(**wrong)


def test_a_stand_in_fills_the_absent_role_and_says_for_whom() -> None:
    with pytest.raises(Forbidden):
        approve(proposal(), EVE)
    after = approve(proposal(), EVE, ANA)
    assert (after.decisions[0].role, after.decisions[0].on_behalf_of) == ("search_owner", "ana")
    assert after.status is ProposalStatus.PENDING
    assert approve(after, BEN).status is ProposalStatus.APPROVED


def test_ones_own_role_comes_before_a_lent_one() -> None:
    assert seat_of(proposal(), BEN, [ANA]) == Seat("finance")


def test_nobody_is_two_people_in_one_quorum() -> None:
    by_eve = approve(proposal(), EVE, ANA)
    for person, absent in ((ANA, ()), (EVE, (BEN,)), (ZOE, (ANA,))):
        with pytest.raises(Conflict, match="'eve' answered prop_1 for 'ana' already"):
            approve(by_eve, person, *absent)
    by_ben = approve(proposal(), BEN)
    with pytest.raises(Conflict, match="already"):
        approve(by_ben, BEN, ANA)


def test_two_absent_people_have_two_stand_ins_even_where_one_holds_both() -> None:
    """Eve stands in for both, Zoe for both: each takes the seat that is still free."""
    after = approve(approve(proposal(), EVE, ANA, BEN), ZOE, ANA, BEN)
    assert [d.on_behalf_of for d in after.decisions] == ["ana", "ben"]
    assert after.status is ProposalStatus.APPROVED


def test_a_lent_role_is_not_lent_on() -> None:
    """Zoe stands in for Eve, Eve for Ana: Zoe holds what Eve holds by herself, and nothing of Ana's."""
    chain = [away("ana", "eve"), away("eve", "zoe")]
    assert absent_for("zoe", chain, NOW) == ["eve"]
    with pytest.raises(Forbidden):
        seat_of(proposal(), ZOE, [EVE])


@pytest.mark.parametrize(
    ("person", "absent"), [(ANA, ()), (EVE, (ANA,))], ids=["by themselves", "through who stands in for them"]
)
def test_who_asked_for_it_cannot_be_the_only_one_to_approve(person: Person, absent: tuple[Person, ...]) -> None:
    own = approve(proposal(quorum=1, requested_by=("ana",)), person, *absent)
    assert own.status is ProposalStatus.PENDING
    assert approve(own, BEN).status is ProposalStatus.APPROVED
    assert approve(proposal(quorum=1, requested_by=("ana",)), BEN).status is ProposalStatus.APPROVED
