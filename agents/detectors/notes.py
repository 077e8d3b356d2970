"""Changes of context that people write down: each note that asks something is a situation while it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from agents.guidance import read_notes, recent_since
from domain.guidance import Guidance
from domain.ports import View
from domain.prose import day_text, listed
from domain.situations import Evidence, Finding, SituationKind

ENDED_FOR = timedelta(days=5)
"""How long the end of a note is news: what it stopped may be taken up again."""
_WISHES = {"avoid": "not to promote", "hold": "to change nothing on", "favour": "to favour"}


class NotesDetector:
    """Built-in detector `notes`. Notes from outside are shown as situations too, and marked so."""

    name = "notes"

    def find(self, view: View) -> Iterable[Finding]:
        for guidance in read_notes(view.notes(recent_since(view.now)), view.tree):
            if guidance.since <= view.now < guidance.until + ENDED_FOR:
                yield _finding(guidance, view)


def _finding(guidance: Guidance, view: View) -> Finding:
    ended = view.now >= guidance.until
    named = "everything" if "*" in guidance.entities else listed([view.tree.name(one) for one in guidance.entities])
    who = "Somebody outside" if guidance.trust == "external" else "A team"
    wish = f"{who} {'asked' if ended else 'asks'} {_WISHES[guidance.stance]} {named}"
    until = f"{wish} until {day_text(guidance.until)}"
    return Finding(
        kind=SituationKind.CONTEXT_CHANGE,
        key=f"note@{guidance.note}@{guidance.stance}@{'+'.join(guidance.entities[:4])}{'@ended' if ended else ''}",
        entities=tuple(entity for entity in guidance.entities if entity in view.tree),
        onset=guidance.until if ended else guidance.since,
        seen=view.as_of,
        title=f"{wish}: over now" if ended else wish,
        summary=f"{until}; that is over." if ended else f"{until}.",
        evidence=(
            Evidence(
                text=f"{until}, as read from a note.",
                source=guidance.note,
                quote=guidance.quote,
                trust=guidance.trust,
            ),
        ),
        facts={"stance": guidance.stance, "entities": list(guidance.entities), "until": guidance.until.isoformat(),
               "note": guidance.note, "ended": ended},
        trust=guidance.trust,
    )  # fmt: skip
