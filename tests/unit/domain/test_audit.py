"""The audit chain: whatever is done to the past shows, and says where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import GENESIS, AuditRow, Fact, check_chain, link

KEY = b"key of the operator"
START = datetime(2026, 3, 4, tzinfo=UTC)


def chain(length: int, key: bytes = KEY) -> list[AuditRow]:
    rows: list[AuditRow] = []
    previous = GENESIS
    for seq in range(1, length + 1):
        fact = Fact(
            at=START + timedelta(hours=seq),
            actor="person:ana",
            verb="decision.recorded",
            subject=f"prop_{seq}",
            facts={"value": Decimal("1.50"), "n": seq, "tags": ("é", "\ud800")},
        )
        digest = link(previous, fact, seq, key)
        rows.append(AuditRow(**fact.model_dump(), seq=seq, previous=previous, hash=digest))
        previous = digest
    return rows


def edited(rows: list[AuditRow], at: int) -> list[AuditRow]:
    return [*rows[:at], rows[at].model_copy(update={"actor": "person:eve"}), *rows[at + 1 :]]


def edited_and_signed(rows: list[AuditRow], at: int) -> list[AuditRow]:
    """The forger links the rows anew, but has another key."""
    changed = rows[at].model_copy(update={"subject": "prop_other"})
    fact = Fact(**changed.model_dump(exclude={"seq", "previous", "hash"}))
    return [*rows[:at], changed.model_copy(update={"hash": link(changed.previous, fact, changed.seq, b"forged")})]


def removed_and_sewn_up(rows: list[AuditRow], at: int) -> list[AuditRow]:
    """The forger closes the gap in numbers and links, but cannot sign."""
    left = [*rows[:at], *rows[at + 1 :]]
    before = [GENESIS, *(row.hash for row in left)]
    return [row.model_copy(update={"seq": n, "previous": before[n - 1]}) for n, row in enumerate(left, start=1)]


def unlinked(rows: list[AuditRow], at: int) -> list[AuditRow]:
    return [*rows[:at], rows[at].model_copy(update={"previous": "f" * 64}), *rows[at + 1 :]]


FORGERIES: list[Callable[[list[AuditRow], int], list[AuditRow]]] = [
    edited,
    edited_and_signed,
    removed_and_sewn_up,
    unlinked,
    lambda rows, at: [*rows[:at], *rows[at + 1 :], rows[at]],
    lambda rows, at: [*rows[:at], rows[at], *rows[at:]],
    lambda rows, at: [*rows[:at], *rows[at + 1 :]],
    lambda rows, at: [row.model_copy(update={"at": START}) if n == at else row for n, row in enumerate(rows)],
]


@given(st.integers(2, 8), st.data(), st.sampled_from(FORGERIES))
def test_an_edit_a_move_an_insertion_or_a_removal_in_the_past_shows(
    length: int, data: st.DataObject, forge: Callable[[list[AuditRow], int], list[AuditRow]]
) -> None:
    rows = chain(length)
    at = data.draw(st.integers(0, length - 2))
    check = check_chain(forge(rows, at), KEY, head=rows[-1].hash)
    assert check.fault is not None
    assert at <= check.rows <= at + 2


@pytest.mark.parametrize("length", [0, 1, 5])
def test_an_untouched_chain_holds_and_names_its_head(length: int) -> None:
    rows = chain(length)
    head = rows[-1].hash if rows else GENESIS
    check = check_chain(rows, KEY, head)
    assert (check.fault, check.rows, check.head) == (None, length, head)


@given(st.integers(1, 5), st.data())
def test_a_cut_tail_shows_with_the_head_alone(length: int, data: st.DataObject) -> None:
    rows = chain(length)
    kept = rows[: data.draw(st.integers(0, length - 1))]
    assert check_chain(kept, KEY).fault is None
    assert "cut" in (check_chain(kept, KEY, head=rows[-1].hash).fault or "")


def test_another_key_vouches_for_nothing() -> None:
    assert "row 1" in (check_chain(chain(3, b"other"), KEY).fault or "")


def test_rows_read_back_from_json_still_hold() -> None:
    kept = [AuditRow.model_validate(row.model_dump(mode="json")) for row in chain(2)]
    assert kept[0].facts["value"] == "1.50"
    assert check_chain(kept, KEY).fault is None
