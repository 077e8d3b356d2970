"""A change to the past shows: edits, removals, moves, another key, and a cut tail when the head is known."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from memory.store import Store


@pytest.fixture
def audited(store: Store, make: Any) -> Store:
    for number in range(5):
        store.audit.append(make.fact("proposal.created", f"prop_{number % 2}"))
    return store


def change(store: Store, statement: str) -> None:
    with store.database.write() as connection:
        connection.execute(sa.text(statement))


def test_the_chain_holds_and_is_read_by_subject(audited: Store) -> None:
    check = audited.audit.verify(audited.audit.head())
    assert (check.rows, check.fault, check.head) == (5, None, audited.audit.head())
    page = audited.audit.page(limit=2, subject="prop_0")
    rest = audited.audit.page(limit=2, subject="prop_0", cursor=page.next)
    assert [row.seq for row in (*page.items, *rest.items)] == [1, 3, 5]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET fact = replace(fact, '0.1', '0.2') WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET hash = previous WHERE seq = 5",
    ],
)
def test_a_changed_row_is_found(audited: Store, statement: str) -> None:
    change(audited, statement)
    assert audited.audit.verify().fault is not None


def test_a_cut_tail_is_found_by_its_head(audited: Store) -> None:
    head = audited.audit.head()
    change(audited, "DELETE FROM audit WHERE seq = 5")
    assert audited.audit.verify().fault is None
    assert audited.audit.verify(head).fault is not None


@pytest.mark.usefixtures("audited")
def test_another_key_does_not_fit(store_url: str) -> None:
    with Store.open(store_url, audit_key=b"other") as other:
        assert other.audit.verify().fault is not None
