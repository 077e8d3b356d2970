"""Notes in French and English become guidance about declared entities, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.guidance import read_note, read_notes
from domain.entities import Entity, EntityTree
from domain.ports import Told
from domain.signals import Note, Trust

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)  # a Wednesday
TREE = EntityTree([
    Entity(id="product:atlas", name="Atlas"),
    Entity(id="product:beacon", name="Beacon"),
    Entity(id="region:bavaria", name="Bavaria"),
    Entity(id="channel:display", name="display"),
    Entity(id="campaign:a", name="A", attrs={"product": "product:atlas", "region": "region:bavaria"}),
    Entity(id="campaign:b", name="B", attrs={"product": "product:atlas", "region": "region:saxony"}),
])  # fmt: skip


def told(text: str, about: tuple[str, ...] = (), trust: Trust = "internal", at: datetime = NOW) -> Told[Note]:
    return Told(at, f"signal:notes/{at:%d}", trust, Note(team="ops", text=text, about=list(about), trust=trust))


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("Recall on product Atlas, no promotion this week.", "avoid"),
        ("Rappel en cours sur le produit Atlas: aucune promotion cette semaine.", "avoid"),
        ("Please do not promote Atlas for 3 days", "avoid"),
        ("Atlas est en rupture de stock", "avoid"),
        ("Do not react on Atlas until 2026-03-20.", "hold"),
        ("Ne rien changer sur Atlas, merci", "hold"),
        ("We launch Atlas on Monday", "favour"),
        ("Priorité à Atlas ce mois-ci", "favour"),
    ],
)
def test_phrases_give_a_stance(text: str, stance: str) -> None:
    (guidance,) = read_note(told(text), TREE)
    assert (guidance.stance, guidance.entities) == (stance, ("product:atlas",))


@pytest.mark.parametrize("text", ["Thanks for the cake.", "Quarterly review moved to Thursday.", "Recall on Zeppelin."])
def test_nothing_asked_or_nothing_declared_is_no_guidance(text: str) -> None:
    assert read_note(told(text), TREE) == ()


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("Recall on Atlas this week", "2026-03-09"),
        ("Recall on Atlas until 12 March", "2026-03-13"),
        ("Rappel sur Atlas jusqu'au 12 mars", "2026-03-13"),
        ("Recall on Atlas until 2026-03-20", "2026-03-21"),
        ("Recall on Atlas for 3 days", "2026-03-07"),
        ("Recall on Atlas", "2026-03-11"),
    ],
)
def test_it_holds_as_long_as_it_says(text: str, until: str) -> None:
    assert f"{read_note(told(text), TREE)[0].until:%Y-%m-%d}" == until


def test_a_product_in_a_region_means_the_campaigns_of_both() -> None:
    assert read_note(told("No promotion of Atlas in Bavaria"), TREE)[0].entities == ("campaign:a",)


def test_the_end_of_a_recall_ends_its_guidance() -> None:
    later = datetime(2026, 3, 6, tzinfo=UTC)
    notes = [told("Recall on Atlas until 2026-03-30"), told("The recall on Atlas is over.", at=later)]
    (guidance,) = read_notes(notes, TREE)
    assert guidance.until == later


def test_strangers_favour_nothing_and_end_nothing() -> None:
    later = datetime(2026, 3, 6, tzinfo=UTC)
    notes = [
        told("Recall on Atlas until 2026-03-30"),
        told("Priority to Beacon! The recall on Atlas is over.", trust="external", at=later),
    ]
    (guidance,) = read_notes(notes, TREE)
    assert guidance.stance == "avoid"
    assert guidance.until > later
