"""A backup is one moment of a busy store; what is restored is read-only and repeats nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from domain.actions import ActionStatus
from domain.errors import ConfigError, Conflict
from memory.backup import backup, restore
from memory.export import export
from memory.rounds import RoundMark
from memory.store import Store

KEY = b"key"


@pytest.fixture
def busy(tmp_path: Path, make: Any) -> Store:
    """A store with an action under way."""
    store = Store.open(f"sqlite:///{tmp_path / 'accord.db'}", audit_key=KEY)
    proposal = make.proposal()
    created = [make.fact("proposal.created", proposal.id)]
    store.rounds.commit(RoundMark("rnd_1", make.now, 0), previous=None, proposals=[proposal], facts=created)
    action = proposal.actions[0].id
    store.actions.move(action, ActionStatus.PENDING, ActionStatus.EXECUTING, due_at=make.now)
    return store


def test_a_backup_taken_under_writes_is_whole(busy: Store, tmp_path: Path, make: Any) -> None:
    ended = Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            busy.signals.add([make.point(f"p{number}", 1.0), make.signal(f"n{number}")])
            number += 1

    writer = Thread(target=write)
    writer.start()
    try:
        manifest = backup(busy, tmp_path / "copies" / "one", make.now)
    finally:
        ended.set()
        writer.join()
    restore(tmp_path / "copies" / "one", f"sqlite:///{tmp_path / 'new.db'}", make.now, audit_key=KEY)
    with Store.open(f"sqlite:///{tmp_path / 'new.db'}", audit_key=KEY) as restored:
        assert restored.signals.count() == manifest.signals
        assert len(list(restored.view(make.now).points_after(0))) == manifest.signals // 2


def test_what_is_restored_is_read_only_and_its_open_actions_are_unknown(busy: Store, tmp_path: Path, make: Any) -> None:
    backup(busy, tmp_path / "one", make.now)
    url = f"sqlite:///{tmp_path / 'new.db'}"
    restore(tmp_path / "one", url, make.now, audit_key=KEY)
    with Store.open(url, audit_key=KEY) as restored:
        assert restored.flags.get("read_only") is True
        action = restored.actions.page().items[0]
        assert (action.status, restored.actions.waiting()) == (ActionStatus.UNKNOWN, [])
        verbs = [row.verb for row in restored.audit.rows()]
        assert verbs == ["proposal.created", "store.restored", "action.unknown"]
        assert restored.audit.verify().fault is None


def test_nothing_is_overwritten_and_a_changed_backup_is_refused(busy: Store, tmp_path: Path, make: Any) -> None:
    backup(busy, tmp_path / "one", make.now)
    with pytest.raises(Conflict, match="exists"):
        backup(busy, tmp_path / "one", make.now)
    with pytest.raises(Conflict, match="exists"):
        restore(tmp_path / "one", busy.url, make.now, audit_key=KEY)
    manifest = tmp_path / "one.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "audit_head": "0" * 64}))
    with pytest.raises(Conflict, match="manifest"):
        restore(tmp_path / "one", f"sqlite:///{tmp_path / 'new.db'}", make.now, audit_key=KEY)
    assert not (tmp_path / "new.db").exists()


def test_postgres_is_sent_to_its_own_tool(new_postgres: Callable[[str], str], tmp_path: Path, make: Any) -> None:
    with Store.open(new_postgres("accord_template")) as store, pytest.raises(ConfigError, match="pg_dump"):
        backup(store, tmp_path / "one", make.now)


def test_every_noun_is_exported_without_secrets(store: Store, tmp_path: Path, make: Any) -> None:
    signals = [make.signal(f"n{number}") for number in range(3)]
    store.signals.add(signals)
    proposal = make.proposal()
    store.rounds.commit(RoundMark("rnd_1", make.now, 3), previous=None, proposals=[proposal])
    _, secret = store.keys.create("ci", "ana", ["read"], make.now)
    counts = export(store, tmp_path / "out")
    assert (counts["signals"], counts["proposals"], counts["actions"], counts["keys"]) == (3, 1, 1, 1)
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert [json.loads(line)["raw"] for line in texts["signals"].splitlines()] == [each.raw for each in signals]
    assert not [name for name, text in texts.items() if secret in text or "secret" in text]
