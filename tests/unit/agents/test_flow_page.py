"""docs/flow.md says what the code does: its drawing, its files and its statuses are compared with them."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from agents.graph import build_graph
from agents.specialists import built_in_specialists
from domain.actions import ActionStatus
from domain.lifecycle import MoveKind
from domain.proposals import ProposalStatus


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "flow.md").read_text(encoding="utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table below `heading`, without its two head lines."""
    lines = page[page.index(heading) :].splitlines()
    table = [line for line in lines if line.startswith("|")]
    end = next((n for n, line in enumerate(lines[lines.index(table[0]) :]) if not line.startswith("|")), len(table))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:end]]


def test_the_drawing_is_the_compiled_graph(page: str) -> None:
    drawn = set(re.findall(r"^\t(\w+) --> (\w+);$", page, re.MULTILINE))
    compiled = build_graph(None, None, built_in_specialists()).compiled.get_graph()
    # Mermaid allows no spaces in the name of a node.
    edges = {(edge.source.replace(" ", "_"), edge.target.replace(" ", "_")) for edge in compiled.edges}
    assert drawn == edges
    assert {name for edge in drawn for name in edge} == {name.replace(" ", "_") for name in compiled.nodes}


def test_every_file_that_is_named_exists(page: str, root: Path) -> None:
    named = {name for name in re.findall(r"`([^`]+)`", page) if "/" in name}
    assert len(named) > 15
    assert [name for name in sorted(named) if not list(root.glob(name.partition(":")[0]))] == []


def test_the_life_of_an_action_covers_exactly_the_statuses(page: str) -> None:
    proposals: set[str] = set()
    actions: set[str] = set()
    due: set[str] = set()
    for proposal, action, what in rows(page, "## The life of an action"):
        proposals |= set(re.findall(r"[a-z]+", proposal))
        actions |= set(re.findall(r"[a-z]+", action)) - {"and", "measured"}
        due |= {kind for kind, word in product(get_args(MoveKind), re.findall(r"[a-z]+", what)) if kind == word}
    assert proposals == {status.value for status in ProposalStatus}
    assert actions == {status.value for status in ActionStatus}
    assert due == set(get_args(MoveKind))
