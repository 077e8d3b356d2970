"""Guidance: what a free-text note asks of the next proposals, read into bounded terms."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.entities import EntityTree
from domain.record import Moment, Record
from domain.signals import Trust
from domain.situations import Origin

Stance = Literal["avoid", "hold", "favour"]
"""`avoid`: do not promote it (no rise, no push); `hold`: change nothing on it; `favour`: prefer it among equals."""


class Guidance(Record):
    """One reading of one note. Its entities come from declared ones only, whoever read it."""

    note: str
    """`signal:<source>/<id>` of the note."""
    stance: Stance
    entities: tuple[str, ...]
    """Declared entities, or `*` for the whole company."""
    quote: str
    since: Moment
    until: Moment
    trust: Trust
    origin: Origin = "rules"

    def speaks_of(self, entity: str, tree: EntityTree, now: datetime) -> bool:
        """Whether the note is in force at `now` and covers `entity`."""
        if not self.since <= now < self.until:
            return False
        return any(tree.covers(scope, entity) for scope in self.entities)
