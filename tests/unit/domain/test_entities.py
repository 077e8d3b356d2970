"""Entities: who covers whom, over parents and named regions, whatever shape the declared tree has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.entities import Entity, EntityTree, slug

TREE = EntityTree(
    [
        Entity(id="region:fr", name="France"),
        Entity(id="region:idf", name="Île-de-France", parent="region:fr"),
        Entity(id="channel:search", name="Search"),
        Entity(
            id="campaign:brand", name="Brand", parent="channel:search", attrs={"region": "idf", "product": "product:p"}
        ),
        Entity(id="budget:brand", name="Brand", parent="campaign:brand", attrs={"region": 7}),
        Entity(id="budget:orphan", name="Orphan", parent="campaign:gone"),
    ]
)
NAMES = [f"region:{letter}" for letter in "abcde"]


def test_a_chain_leads_to_the_root_then_to_what_is_named_and_its_parents() -> None:
    assert TREE.chain("budget:brand") == (
        "budget:brand", "campaign:brand", "channel:search", "region:idf", "region:fr", "product:p",
    )  # fmt: skip
    assert TREE.chain("budget:orphan") == ("budget:orphan", "campaign:gone")


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ("*", True),
        ("budget:brand", True),
        ("channel:search", True),
        ("region:fr", True),
        ("product:p", True),
        ("budget:orphan", False),
    ],
)
def test_a_scope_covers_itself_and_everything_below(scope: str, covered: object) -> None:
    assert TREE.covers(scope, "budget:brand") is covered


def test_descendants_and_kinds_are_sorted_and_leave_the_asked_one_out() -> None:
    assert TREE.descendants("region:fr") == ("budget:brand", "campaign:brand", "region:idf")
    assert [entity.id for entity in TREE.of_kind("budget")] == ["budget:brand", "budget:orphan"]
    assert TREE.get("budget:none") is None
    assert "budget:brand" in TREE
    assert Entity(id="deal:x", name="X").kind == "deal"


def test_a_name_falls_back_to_the_id() -> None:
    tree = EntityTree([Entity(id="deal:x", name="Borium, first order")])
    assert [tree.name(one) for one in ("deal:x", "deal:y", "*")] == [
        "Borium, first order", "deal:y", "the whole company",
    ]  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)), st.sampled_from(NAMES))
def test_cycles_of_parents_end_and_cover_all_of_the_cycle(parents: dict[str, str], start: str) -> None:
    tree = EntityTree([Entity(id=name, name=name, parent=parent) for name, parent in parents.items()])
    chain = tree.chain(start)
    assert len(chain) == len(set(chain)) <= len(NAMES)
    for name in chain:
        assert tree.covers(name, start)
        assert name not in parents or parents[name] in chain
    assert start not in tree.descendants(start)


@pytest.mark.parametrize("id_", ["brand", "budget:", "budget:a b", "Budget:a", ":a", "budget::a"])
def test_an_id_is_a_kind_and_a_name(id_: str) -> None:
    with pytest.raises(ValidationError):
        Entity(id=id_, name="x")


@pytest.mark.parametrize(
    ("text", "name"),
    [("Île-de-France", "ile-de-france"), ("  ROI & Proof! ", "roi-proof"), ("東京", "東京"), ("!!", "unnamed")],
)
def test_a_slug_keeps_letters_of_every_language_apart(text: str, name: str) -> None:
    assert slug(text) == name
