"""Run as a process by test_crash: writes one round and is killed at the named place of its commit.

Arguments: address of the store, `before` or `after`, file with the JSON of a proposal.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from domain.audit import Fact
from domain.proposals import Proposal
from memory.rounds import RoundMark
from memory.store import Store


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, place: str, path: str) -> None:
    store = Store.open(url)
    proposal = Proposal.model_validate_json(Path(path).read_text(encoding="utf-8"))
    now = datetime(2026, 3, 4, tzinfo=UTC)
    if place == "before":
        # The engine tells of a commit just before it sends it: all rows are written, none is durable.
        event.listen(store.engine, "commit", die)
    fact = Fact(at=now, actor="worker", verb="proposal.created", subject=proposal.id)
    store.rounds.commit(RoundMark("rnd_dying", now, 0), previous=None, proposals=[proposal], facts=[fact])
    die()


if __name__ == "__main__":
    main(*sys.argv[1:])
