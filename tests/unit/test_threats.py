"""The page of threats names tests that exist, and covers both lists whole."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "threats.md"
ENTRIES = (*(f"ASI{n:02}" for n in range(1, 11)), *(f"API{n}" for n in range(1, 11)))


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_names_tests_that_exist(entry: str) -> None:
    (row,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {entry} "))
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row)
    assert named
    for path, name in named:
        tree = ast.parse((PAGE.parents[1] / path).read_text(encoding="utf-8"))
        known = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not name or name in known, f"{path} has no {name}"
