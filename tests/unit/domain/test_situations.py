"""Situations: one occurrence keeps one id, and newer findings do not overwrite what a model worded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.situations import Finding, Situation, situation_id

NOW = datetime(2026, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(days=2)


def finding(title: str, worth: int) -> Finding:
    return Finding(
        kind="demand.rise",
        key="queries@region:idf@2026-03-04",
        entities=("region:idf",),
        onset=NOW,
        seen=NOW,
        title=title,
        summary=f"{title}.",
        evidence=(),
        worth_minor=worth,
    )


def test_the_same_key_is_the_same_situation() -> None:
    opened, again = Situation.open(finding("Rise", 1), NOW), Situation.open(finding("Steeper rise", 2), LATER)
    assert opened.id == again.id == situation_id(finding("Rise", 1).key)
    assert (opened.status, opened.opened_at, opened.updated_at) == ("open", NOW, NOW)
    assert Situation.model_validate_json(opened.model_dump_json()) == opened


def test_a_renewal_takes_the_newer_figures_and_words_but_keeps_the_opening() -> None:
    opened = Situation.open(finding("Rise", 1), NOW)
    renewed = opened.renew(finding("Steeper rise", 2), LATER)
    assert (renewed.id, renewed.opened_at, renewed.updated_at) == (opened.id, NOW, LATER)
    assert (renewed.title, renewed.summary, renewed.worth_minor) == ("Steeper rise", "Steeper rise.", 2)


def test_a_renewal_keeps_the_words_of_a_model_and_takes_the_newer_figures() -> None:
    worded = Situation.open(finding("Rise", 1), NOW).model_copy(update={"title": "CTV works", "origin": "model"})
    renewed = worded.renew(finding("Steeper rise", 2), LATER)
    assert (renewed.title, renewed.summary, renewed.worth_minor) == ("CTV works", "Rise.", 2)
