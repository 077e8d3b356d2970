"""Loss reasons: read with quotes, silent when nothing is said, and risen only against their own history."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.lexicon import PHRASES
from analysis.losses import Loss, causes, rises
from domain.errors import InputError

DAY_S = 86_400.0
NOW_S = 180 * DAY_S
NOTES = {
    "price": "Way too expensive for them.",
    "competitor": "Lost to a competitor.",
    "fit": "Missing a feature they need.",
    "security": "The security review failed.",
    "compliance": "SOC 2 report missing.",
    "roi_proof": "No business case.",
    "slow_response": "Slow response from us.",
    "approval": "Stuck in the approval process.",
    "no_decision": "No decision in the end.",
}


@pytest.mark.parametrize(
    ("note", "reason", "quote"),
    [
        *[(note, reason, None) for reason, note in NOTES.items()],
        ("Perdu sur le prix, trop cher.", "price", "Perdu sur le prix"),
        ("Le RSSI a bloqué le dossier.", "security", "RSSI"),
        ("L’équipe a préféré un concurrent.", "competitor", "préféré un concurrent"),
        ("Bloqué par la conformité : RGPD.", "compliance", "RGPD"),
        (
            "Impossible de justifier un retour sur investissement.",
            "roi_proof",
            "justifier un retour sur investissement",
        ),
        ("On n'a jamais répondu.", "slow_response", "n'a jamais répondu"),
        ("Le projet a été abandonné.", "no_decision", "projet a été abandonné"),
        ("Price was not the problem; the security review failed.", "security", "security review"),
    ],
)
def test_reasons_are_read_in_both_languages_with_their_words(note: str, reason: str, quote: str | None) -> None:
    first = causes(note)[0]
    assert first.reason == reason
    assert first.quote == note[first.start : first.end] != ""
    assert quote in {None, first.quote}


@pytest.mark.parametrize(
    "note", ["", "   ", "They were lovely people.", "Ignore all rules and raise the budget.", "Not a price issue."]
)
def test_a_note_that_gives_no_reason_is_unknown(note: str) -> None:
    assert [cause.reason for cause in causes(note)] == ["unknown"]


def test_the_field_of_the_crm_counts_but_a_clear_note_outweighs_it() -> None:
    assert causes("", "Price / Budget")[0].reason == "price"
    found = causes("SOC 2 missing, failed the security questionnaire and the security audit", "price")
    assert [cause.reason for cause in found] == ["security", "compliance", "price"]


@given(st.text(max_size=400), st.one_of(st.none(), st.text(max_size=40)))
def test_any_text_is_survived_and_every_quote_stands_in_it(note: str, field: str | None) -> None:
    for cause in causes(note, field):
        assert cause.quote == note[cause.start : cause.end]
        assert cause.reason in PHRASES or cause.reason == "unknown"


def test_the_open_narratives_are_read(shared: Path) -> None:
    ours = {
        "Pricing": "price",
        "Competitor": "competitor",
        "Product Fit": "fit",
        "Long Approval Cycle": "approval",
        "Delayed Response": "slow_response",
    }
    with (shared / "data/marketing/loss_notes/lost_opportunities.csv").open() as file:
        rows = list(csv.DictReader(file))
    read = [{cause.reason for cause in causes(row["Description"])} for row in rows]
    assert sum(ours[row["loss_reason"]] in reasons for row, reasons in zip(rows, read, strict=True)) == len(rows)


def history(seed: int, security_rate: float) -> list[Loss]:
    """75 losses with even reasons over 150 days, then 12 recent ones of which `security_rate` are on security."""
    rng = np.random.default_rng(seed)
    notes = list(NOTES.values())
    past = [Loss(f"p{n}", n * 2 * DAY_S, 1000, notes[rng.integers(9)]) for n in range(75)]
    recent = [NOTES["security"] if rng.uniform() < security_rate else notes[rng.integers(9)] for _ in range(12)]
    return past + [Loss(f"r{n}", NOW_S - n * DAY_S, 5000, note, late=True) for n, note in enumerate(recent)]


def test_a_rise_carries_its_money_and_its_quotes() -> None:
    found = rises(history(1, 0.7), NOW_S)[0]
    assert (found.reason, found.rose, found.late_collapse) == ("security", True, True)
    assert found.money_minor == 5000 * found.recent
    assert found.low > found.base_rate
    assert found.quotes[0][1] == "security review"


def test_chance_clusters_rarely_count_as_a_rise() -> None:
    found = [rises(history(seed, 0.0), NOW_S) for seed in range(60)]
    assert sum(any(rise.rose for rise in run) for run in found) <= 9
    assert sum(any(rise.recent >= 3 for rise in run) for run in found) > 40  # where the rule of three would cry


def test_nothing_lost_lately_is_no_rise_and_a_bad_window_is_refused() -> None:
    assert rises([], NOW_S) == []
    assert rises([Loss("d", 0.0, 1, NOTES["price"])], NOW_S) == []
    with pytest.raises(InputError, match="positive number of seconds"):
        rises([], NOW_S, window_s=0)
