"""A process is killed inside and right after a commit: nothing is half written, nothing acknowledged is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memory.store import Store


@pytest.mark.parametrize(("place", "written"), [("before", 0), ("after", 1)])
def test_a_killed_round_is_whole_or_not_there(
    store_url: str, make: Any, tmp_path: Path, root: Path, place: str, written: int
) -> None:
    Store.open(store_url).close()
    (tmp_path / "proposal.json").write_text(make.proposal().model_dump_json(), encoding="utf-8")
    script = Path(__file__).with_name("dying.py")
    command = [sys.executable, str(script), store_url, place, str(tmp_path / "proposal.json")]
    died = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    with Store.open(store_url) as store:
        proposals, actions = store.proposals.page().items, store.actions.page().items
        last, facts = store.rounds.last(), list(store.audit.rows())
        assert [len(proposals), len(actions), len(facts), int(last is not None)] == [written] * 4
        assert store.audit.verify().fault is None
