"""Who is told what, once, and in what words nothing leads away from here."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decisions import Person
from domain.delegations import Delegation
from domain.notices import backoff, due_notices
from domain.policy import Verdict
from domain.proposals import Expected, Measurement, Proposal
from domain.prose import unlinked

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
PEOPLE = [
    Person(id="ana", roles=frozenset({"search_owner"})),
    Person(id="ben", roles=frozenset({"finance"})),
    Person(id="chloe", roles=frozenset({"cmo"})),
    Person(id="emma", roles=frozenset({"admin"})),
]


def proposal(**fields: Any) -> Proposal:
    verdict = {"kind": "ask", "rule": "r", "reason": "", "roles": ("search_owner",), "escalate_to": "cmo"}
    chosen: dict[str, Any] = {"verdict": Verdict.model_validate(verdict | fields.pop("verdict", {})), **fields}
    return Proposal(
        id="prop_1",
        situation="sit_1",
        actions=(),
        policy_version="v1",
        fingerprint="f",
        title="Raise",
        why="Demand rose",
        expected=Expected(value=1, low=0, high=2, currency="EUR"),
        measurement=Measurement(metric="none", method="none", start=NOW, days=0, stop="at once"),
        evidence=(),
        specialist="demand",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        **chosen,
    )


def told(of: Proposal, *, after_h: float = 0, delegations: tuple[Delegation, ...] = ()) -> list[tuple[str, str]]:
    return [(n.kind, n.to) for n in due_notices(of, PEOPLE, delegations, NOW + timedelta(hours=after_h))]


def test_the_role_is_asked_then_reminded_and_its_superior_when_it_was_handed_on() -> None:
    assert told(proposal()) == [("asked", "ana")]
    assert told(proposal(), after_h=19) == [("asked", "ana"), ("expiring", "ana")]
    assert told(proposal(), after_h=24) == []
    assert told(proposal(escalated=True)) == [("escalated", "ana"), ("escalated", "chloe")]


def test_administrators_are_asked_where_nobody_holds_the_role_and_who_asked_for_it_is_not() -> None:
    assert told(proposal(verdict={"roles": ("pilot",)})) == told(proposal(verdict={"roles": ()})) == [("asked", "emma")]
    assert told(proposal(requested_by=("ana",))) == []
    assert told(proposal(verdict={"kind": "deny"})) == []


def test_who_stands_in_is_asked_too() -> None:
    away = Delegation(
        id="dlg_1", person="ana", to="ben", since=NOW, until=NOW + timedelta(days=1), by="ana", made_at=NOW
    )
    assert told(proposal(), delegations=(away,)) == [("asked", "ana"), ("asked", "ben")]


def test_a_notice_has_one_id_however_often_it_is_found_and_another_for_another_version() -> None:
    first, again = (due_notices(proposal(), PEOPLE, (), NOW + timedelta(hours=h))[0].id for h in (0, 3))
    changed = proposal().model_copy(update={"fingerprint": "g"})
    assert first == again != due_notices(changed, PEOPLE, (), NOW)[0].id


def test_waiting_doubles_up_to_an_hour() -> None:
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 8, 12)] == [30, 60, 120, 3600, 3600]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("see https://evil.example/a?b=c", "see https[:]//evil[.]example/a?b=c"),
        ("mail me@evil.example", "mail me@evil[.]example"),
        ("www.evil.example, 1.5 million, e.g. this.", "www[.]evil[.]example, 1.5 million, e.g. this."),
    ],
)
def test_addresses_of_others_are_broken(said: str, shown: str) -> None:
    assert unlinked(said) == shown


@given(st.text(alphabet="aÉz.:/@0 -", max_size=40))
def test_no_address_survives(said: str) -> None:
    shown = unlinked(said)
    assert not re.search(r"[a-z]://|\w\.[^\W\d_]{2}", shown)
