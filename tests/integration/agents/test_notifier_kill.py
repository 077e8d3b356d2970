"""A sender that is killed loses nobody's mail; the one it was sending comes twice at most, under one Message-ID."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from domain.policy import Verdict
from domain.proposals import Expected, Measurement, Proposal
from memory.rounds import RoundMark
from memory.store import Store

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SCRIPT = Path(__file__).with_name("notifying.py")


class Postbox:
    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 — aiosmtpd's name
        mail = message_from_bytes(envelope.content)
        self.taken[str(mail["To"]), str(mail["Message-ID"])] += 1
        return "250 taken"


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


def proposal() -> Proposal:
    return Proposal(
        id="prop_1",
        situation="sit_1",
        verdict=Verdict.model_validate({"kind": "ask", "rule": "r", "reason": "", "roles": ("finance",)}),
        actions=(),
        policy_version="v1",
        fingerprint="f",
        title="Raise",
        why="Demand rose",
        expected=Expected(value=1, low=0, high=2, currency="EUR"),
        measurement=Measurement(metric="none", method="none", start=NOW, days=0, stop="at once"),
        evidence=(),
        specialist="demand",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )


@pytest.mark.parametrize(("place", "twice"), [("queueing", 0), ("before", 0), ("after", 1)])
def test_no_mail_is_lost_and_at_most_the_one_under_way_comes_twice(
    root: Path, tmp_path: Path, postbox: tuple[Postbox, str], place: str, twice: int
) -> None:
    box, url = postbox
    path = f"sqlite:///{tmp_path / 'accord.db'}"
    with Store.open(path, audit_key=b"k") as store:
        assert store.rounds.commit(RoundMark("rnd_1", NOW, 0), previous=None, proposals=[proposal()])

    def tell(die_at: str) -> int:
        env = {"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}
        return subprocess.run([sys.executable, str(SCRIPT), path, url, die_at], env=env, check=False).returncode

    assert tell(place) == -signal.SIGKILL
    assert tell("never") == 0
    assert {to for to, _ in box.taken} == {"ana@example.org", "ben@example.org"}
    assert len(box.taken) == 2, "one Message-ID for each person"
    assert sum(box.taken.values()) == 2 + twice
    with Store.open(path, audit_key=b"k") as store:
        assert {notice.status for notice in store.outbox.page().items} == {"sent"}
        assert store.audit.verify().fault is None
