"""Guidance speaks of what its entities cover, while it is in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.entities import Entity, EntityTree
from domain.guidance import Guidance

SINCE = datetime(2026, 3, 4, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=7)
TREE = EntityTree(
    [
        Entity(id="product:p", name="P"),
        Entity(id="campaign:p-launch", name="Launch", attrs={"product": "p"}),
        Entity(id="campaign:other", name="Other"),
    ]
)


def note(*entities: str) -> Guidance:
    return Guidance(
        note="signal:brand/1",
        stance="avoid",
        entities=entities,
        quote="recall on product P",
        since=SINCE,
        until=UNTIL,
        trust="internal",
    )


@pytest.mark.parametrize(
    ("entities", "entity", "spoken_of"),
    [
        (("product:p",), "campaign:p-launch", True),
        (("product:p",), "campaign:other", False),
        (("campaign:other", "product:p"), "campaign:p-launch", True),
        (("*",), "campaign:other", True),
        ((), "campaign:other", False),
    ],
)
def test_a_note_speaks_of_what_its_entities_cover(entities: tuple[str, ...], entity: str, *, spoken_of: bool) -> None:
    assert note(*entities).speaks_of(entity, TREE, SINCE) is spoken_of


@pytest.mark.parametrize(
    ("now", "in_force"),
    [(SINCE - timedelta(seconds=1), False), (SINCE, True), (UNTIL - timedelta(seconds=1), True), (UNTIL, False)],
)
def test_a_note_holds_from_since_until_just_before_its_end(now: datetime, *, in_force: bool) -> None:
    assert note("*").speaks_of("campaign:other", TREE, now) is in_force
