"""Cursors are ours and limits are bounded, or the caller is told."""

from __future__ import annotations

import pytest

from domain.errors import InputError
from memory.page import MAX_LIMIT, Slice


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_a_limit_has_bounds(limit: int) -> None:
    with pytest.raises(InputError, match="limit"):
        Slice(limit)


@pytest.mark.parametrize("cursor", ["", "x", "é", "bm8=", "%%%%"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        _ = Slice(10, cursor).position
