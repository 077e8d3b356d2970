"""Buying groups: real people are counted, volume is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.groups import Engagement, Group, buying_groups
from analysis.identity import Identity, accounts_of, domain_of, people_of, same_person

NOW_S = 100 * 86_400.0


def visit(person: str, email: str | None = None, **more: object) -> Engagement:
    row = Engagement(person, "case-study", "web", NOW_S - 3600, email=email, account="Acme SA", stage="verify")
    return replace(row, **more)


GROUP = [
    visit("Ana López", "ana.lopez@acme.com", role="CISO", asset="soc2-report"),
    visit("Jean Dupont", "jdupont@acme.com", role="CFO", asset="roi-calculator", platform="linkedin"),
    visit("Mei Chen", "mei.chen@acme.com", role="CTO"),
]


def only(records: list[Engagement]) -> Group:
    (found,) = buying_groups(records, NOW_S)
    return found


def test_three_people_of_several_roles_are_a_group() -> None:
    found = only(GROUP)
    assert found.is_group
    assert len(found.people) == 3
    assert found.platforms == ("linkedin", "web")


def test_one_person_bingeing_under_four_names_is_no_group() -> None:
    names = [("Ana López", "ana.lopez@acme.com"), ("lopez ana", "ana.lopez+x@acme.com"), ("A. Lopez", None)]
    binge = [visit(name, email, asset=f"a{n}", role="CISO") for n in range(20) for name, email in names]
    binge.append(visit("Ana Lopes", "ana.lopez@gmail.com", role="CISO"))
    found = only(binge)
    assert not found.is_group
    assert len(found.people) == 1
    assert "One person" in found.reason


def test_one_heavy_reader_with_two_passers_by_is_no_group() -> None:
    found = only([*GROUP, *[visit("Ana López", "ana.lopez@acme.com", asset=f"a{n}") for n in range(30)]])
    assert not found.is_group
    assert "of the visits" in found.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"role": "CTO"}, "role"), ({"stage": "learn"}, "introductory"), ({"asset": "same"}, "same asset")],
)
def test_width_is_needed_in_every_way(change: dict[str, str], reason: str) -> None:
    found = only([replace(row, **change) for row in GROUP])
    assert not found.is_group
    assert reason in found.reason


def test_what_is_long_ago_or_yet_to_come_does_not_count() -> None:
    assert buying_groups([replace(row, at_s=NOW_S - 90 * 86_400) for row in GROUP], NOW_S) == []
    assert buying_groups([replace(row, at_s=NOW_S + 1) for row in GROUP], NOW_S) == []


def test_the_account_follows_from_the_domain_but_never_from_free_mail() -> None:
    identities = [
        Identity("Ana", "ana@mail.acme.com", "Acme SA"),
        Identity("Jo", "jo@acme.com"),
        Identity("Bo", "bo@gmail.com"),
        Identity("Cy", "cy@acme.com", "ACME"),
        Identity("Di", "di@other.co.uk"),
    ]
    assert accounts_of(identities) == ["Acme SA", "Acme SA", None, "Acme SA", "other.co.uk"]
    assert domain_of("not an address") is None


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (Identity("Ana López"), Identity("LOPEZ, Ana"), True),
        (Identity("Jean-Pierre Martin"), Identity("jean pierre martin"), True),
        (Identity("Katherine Jones"), Identity("Katharine Jones"), True),
        (Identity("u-17", "ana.lopez@acme.com"), Identity("Ana Lopez"), True),
        (Identity("Ana Lopez"), Identity("Ada Lopez"), False),
        (Identity("Marie Martin"), Identity("Paul Martin"), False),
        (Identity("Ana", "info@acme.com"), Identity("Paul", "info@acme.com"), False),
        (Identity(""), Identity(""), False),
    ],
)
def test_who_is_the_same_person(a: Identity, b: Identity, same: bool) -> None:
    assert same_person(a, b) is same
    assert same_person(b, a) is same


@given(st.permutations(GROUP * 2))
def test_neither_order_nor_repetition_changes_the_finding(records: list[Engagement]) -> None:
    found, plain = only(records), only(GROUP)
    assert (found.is_group, found.reason, [p.names for p in found.people]) == (
        plain.is_group,
        plain.reason,
        [p.names for p in plain.people],
    )


@given(st.lists(st.tuples(st.text(max_size=12), st.one_of(st.none(), st.text(max_size=12))), max_size=12))
def test_any_text_is_survived(names: list[tuple[str, str | None]]) -> None:
    numbers = people_of([Identity(person, email) for person, email in names])
    assert len(numbers) == len(names)
    buying_groups([visit(person, email) for person, email in names], NOW_S)
