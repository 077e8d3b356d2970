from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from api.wording import LANGUAGES, Language, Wording, catalogue, choose
from domain.actions import ActionKind, ActionStatus, Play, RunStatus
from domain.decisions import DecisionKind
from domain.outcomes import OutcomeVerdict
from domain.policy import VerdictKind
from domain.proposals import Measurement, ProposalStatus
from domain.situations import SituationKind

NOW = datetime(2026, 3, 4, 9, 5, tzinfo=UTC)
EN, FR = Wording("en", NOW), Wording("fr", NOW)


def test_both_catalogues_say_the_same_with_the_same_holes() -> None:
    english, french = (catalogue(language) for language in LANGUAGES)
    assert english.keys() == french.keys()
    for key, text in english.items():
        assert text, key
        assert french[key], key
        assert _holes(text) == _holes(french[key]), key


def test_every_text_a_template_asks_for_is_there(root: Path) -> None:
    templates = "".join(path.read_text(encoding="utf-8") for path in sorted((root / "api/templates").glob("*.html")))
    modules = (root / "api/cards.py").read_text(encoding="utf-8") + (root / "api/wording.py").read_text(
        encoding="utf-8"
    )
    asked = set(re.findall(r"""\bw\('([a-z_]+\.[a-z_]+)'[,)]""", templates)) | set(
        re.findall(r"""(?:words|self)\("([a-z_]+\.[a-z_]+)"[,)]""", modules)
    )
    counted = set(re.findall(r"""\.count\(['"]([a-z_]+\.[a-z_]+)['"]""", templates + modules))
    asked |= {f"{key}_{number}" for key in counted for number in ("one", "many")}
    assert len(asked) > 60
    assert asked <= catalogue("en").keys()


def test_every_term_of_ours_has_a_word() -> None:
    terms = {
        "kind": ActionKind,
        "status": (*ActionStatus, *ProposalStatus, "open", "closed"),
        "verdict": VerdictKind,
        "decision": DecisionKind,
        "outcome": OutcomeVerdict,
        "situation_kind": SituationKind,
        "method": get_args(Measurement.model_fields["method"].annotation),
        "state": (*get_args(Play), *get_args(RunStatus)),
    }
    for group, names in terms.items():
        for name in names:
            assert f"{group}.{str(name).replace('.', '_')}" in catalogue("fr"), (group, name)


@pytest.mark.parametrize(
    ("minor", "currency", "english", "french"),
    [
        (123450, "EUR", "€1,234.50", "1\u202f234,50\u00a0€"),
        (120000, "EUR", "€1,200", "1\u202f200\u00a0€"),
        (-990, "USD", "−$9.90", "−9,90\u00a0$"),
        (1200, "JPY", "¥1,200", "1\u202f200\u00a0¥"),
        (5, "CHF", "CHF\u00a00.05", "0,05\u00a0CHF"),
    ],
)
def test_money_is_written_as_people_write_it(minor: int, currency: str, english: str, french: str) -> None:
    assert EN.money(minor, currency) == english
    assert FR.money(minor, currency) == french


def test_small_costs_keep_their_digits() -> None:
    assert EN.cost("0E-9", "EUR") == "0.00\u00a0EUR"
    assert FR.cost("0.017420000", "EUR") == "0,0174\u00a0EUR"


def test_times_are_said_in_their_largest_unit() -> None:
    assert EN.left(NOW + timedelta(hours=71)) == "3 days"
    assert EN.left(NOW + timedelta(hours=1)) == "1 hour"
    assert FR.left(NOW + timedelta(minutes=20)) == "20 minutes"
    assert EN.left(NOW) == "no time"
    assert FR.moment(NOW) == "4\u00a0mars\u00a02026\u00a009:05\u00a0UTC"


def test_states_are_said_in_words() -> None:
    assert EN.state("ads.budget.set", 138000, "EUR") == "€1,380 a day"
    assert FR.state("ads.bid.set", 150, "EUR") == "1,50\u00a0€"
    assert EN.state("task.create", {"title": "Call", "assignee": "ana", "due": None}, None) == "Call · ana"
    assert EN.state("content.priority.set", None, None) == "—"


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "language"),
    [
        ("fr", "en", "en", "fr"),
        (None, "fr", "en", "fr"),
        ("xx", None, "de-DE, fr-CA;q=0.8, en;q=0.5", "fr"),
        (None, None, "de", "en"),
        (None, None, "", "en"),
    ],
)
def test_the_language_is_asked_kept_or_accepted(
    asked: str | None, cookie: str | None, accepted: str, language: Language
) -> None:
    assert choose(asked, cookie, accepted, "en") == language


def _holes(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
