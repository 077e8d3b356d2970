"""Ids: the same parts give the same id, in any order of keys, in any process, from any zone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from domain.ids import derive_id, digest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def turned(value: object) -> object:
    """The same value with the keys of every mapping in reverse order."""
    if isinstance(value, dict):
        return {key: turned(inner) for key, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@given(json_values)
def test_the_order_of_keys_does_not_matter(value: object) -> None:
    assert digest(turned(value)) == digest(value)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_other_parts_are_another_id(left: list[str], right: list[str]) -> None:
    assert (derive_id("act", *left) == derive_id("act", *right)) is (left == right)


def test_ids_stay_as_they_are_in_stored_rows() -> None:
    assert derive_id("sit", "queries@region:idf@2026-03-04") == "sit_a3d1a8ec36a60446"
    moment = datetime(2026, 3, 4, 8, tzinfo=UTC)
    assert digest({"at": moment, "amount": Decimal("1.50")}) == digest({"at": moment.isoformat(), "amount": "1.50"})


def test_a_set_has_one_digest_in_every_process(root: Path) -> None:
    source = "from domain.ids import digest; print(digest({'roles': {'finance', 'cmo', 'search_owner', 'admin'}}))"
    printed = {
        subprocess.check_output([sys.executable, "-c", source], cwd=root, env={"PYTHONHASHSEED": seed}, text=True)
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1
    assert digest({"cmo", "admin"}) == digest(["admin", "cmo"])


def test_half_a_surrogate_pair_from_outside_is_no_crash() -> None:
    assert digest({"note": "\ud800"}) != digest({"note": "\ud801"})
