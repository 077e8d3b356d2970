"""What a thief, a careless hand, retention and a person's wish do to the audit, on the real store."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from domain.audit import AuditRow, Fact, link
from domain.audit_export import check_export, export_lines
from domain.errors import NotFound
from memory.audit import record
from memory.redact import redact
from memory.store import Store

KEY = b"key of the tests"


def said(make: Any, number: int, **changes: Any) -> Fact:
    facts = {"decision": f"dec_{number}", "reason": f"Zoë Blümchen said so, {number}"}
    fact = make.fact("decision.recorded", f"prop_{number}")
    return fact.model_copy(
        update={"actor": "person:zoe", "facts": facts, "at": make.now + timedelta(days=number), **changes}
    )


@pytest.fixture
def audited(store: Store, make: Any) -> Store:
    for number in range(6):
        store.audit.append(said(make, number))
    return store


def run(store: Store, *statements: str) -> None:
    with store.database.write() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def swap(store: Store, one: int, other: int) -> None:
    """Facts and clear texts of two rows change places."""
    run(
        store,
        "DELETE FROM clear_texts",
        *(f"UPDATE audit SET seq = {to} WHERE seq = {at}" for at, to in ((one, 99), (other, one), (99, other))),  # noqa: S608 — numbers
    )


def rewrite(store: Store) -> None:
    """By somebody who has the key: the whole chain again, without row 3."""
    kept = [row for row in store.audit.rows() if row.seq != 3]
    run(store, "DELETE FROM clear_texts", "DELETE FROM audit")
    with store.database.write() as connection:
        record(connection, [Fact(**row.model_dump(exclude={"seq", "previous", "hash"})) for row in kept], KEY)


TAMPERING: dict[str, Any] = {
    "deletion": lambda store, _: run(store, "DELETE FROM clear_texts", "DELETE FROM audit WHERE seq = 3"),
    "edit": lambda store, _: run(store, "UPDATE audit SET fact = replace(fact, 'dec_2', 'dec_9') WHERE seq = 3"),
    "reorder": lambda store, _: swap(store, 2, 4),
    "edited words": lambda store, _: run(store, "UPDATE clear_texts SET value = '\"bob\"' WHERE path = 'actor'"),
    "cut head": lambda store, _: run(store, "DELETE FROM clear_texts", "DELETE FROM audit WHERE seq < 3"),
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_a_changed_past_is_found_without_a_head(audited: Store, make: Any, kind: str) -> None:
    assert audited.audit.verify().fault is None
    TAMPERING[kind](audited, make)
    assert audited.audit.verify().fault is not None


def test_a_cut_tail_and_a_full_rewrite_are_found_by_a_head_kept_elsewhere(audited: Store, make: Any) -> None:
    kept = audited.audit.signed_head(make.now)
    audited.audit.append(said(make, 7))
    assert audited.audit.verify(kept.head).fault is None, "the chain may grow"
    run(audited, "DELETE FROM clear_texts WHERE seq > 5", "DELETE FROM audit WHERE seq > 5")
    assert audited.audit.verify().fault is None, "the limit without a head"
    assert "cut or rewritten" in str(audited.audit.verify(kept.head).fault)
    rewrite(audited)
    assert audited.audit.verify().fault is None, "the limit without a head"
    assert "cut or rewritten" in str(audited.audit.verify(kept.head).fault)


def test_people_read_what_was_said_and_by_whom(audited: Store) -> None:
    row = audited.audit.page(limit=1).items[0]
    assert (row.actor, row.facts["reason"]) == ("person:zoe", "Zoë Blümchen said so, 0")
    sealed = next(iter(audited.audit.rows()))
    assert "zoe" not in sealed.model_dump_json()


def test_retention_leaves_a_checkpoint_that_vouches_for_what_went(audited: Store, make: Any) -> None:
    before = audited.audit.head()
    now = make.now + timedelta(days=9)
    assert audited.audit.prune(make.now + timedelta(days=3), actor="person:emma", reason="a year", now=now) == 3
    check = audited.audit.verify(before)
    assert (check.fault, check.rows) == (None, 7)
    assert [row.verb for row in audited.audit.page().items][-1] == "audit.pruned"
    with pytest.raises(NotFound):
        audited.audit.prune(make.now, actor="cli", reason="again", now=now)
    audited.audit.prune(make.now + timedelta(days=5), actor="cli", reason="more", now=now)
    assert audited.audit.verify().fault is None
    run(audited, "DELETE FROM clear_texts WHERE seq = 6", "DELETE FROM audit WHERE seq = 6")
    assert audited.audit.verify().fault is not None
    run(audited, "UPDATE flags SET value = replace(value, '5', '6') WHERE name = 'audit.checkpoint'")
    assert "checkpoint" in str(audited.audit.verify().fault)


@pytest.mark.parametrize("words", [True, False])
def test_an_export_verifies_without_the_store(audited: Store, make: Any, words: bool) -> None:
    audited.audit.prune(make.now + timedelta(days=2), actor="cli", reason="old", now=make.now)
    head, start = audited.audit.signed_head(make.now), audited.audit.checkpoint()
    lines = list(export_lines(start, audited.audit.sealed_rows(), head, words=words))
    assert check_export(lines, KEY).fault is None
    assert ("Blümchen" in "".join(lines)) is words
    for broken in (lines[:-1], lines[1:], lines[:-2] + lines[-1:], [*lines[:2], *lines[3:]], []):
        assert check_export(broken, KEY).fault is not None
    assert check_export(lines, b"another").fault is not None
    assert check_export([line.replace("dec_4", "dec_5") for line in lines], KEY).fault is not None


def test_who_is_redacted_is_gone_and_the_chain_holds(audited: Store, make: Any) -> None:
    head = audited.audit.head()
    mail = "zoe@firma.example"
    told = [
        make.signal("s1", "entity.declared", id="person:zoe", name="Zoë Blümchen", attrs={"email": mail}),
        make.signal("s2", "content.engaged", person="person:zoe", email=mail, asset="asset:a", platform="web"),
        make.signal("s3", "note", team="sales", text="Zoë Blümchen asks for the price"),
    ]
    assert audited.signals.add(told).accepted == 3
    audited.flags.set("note", "ask Zoë Blümchen or zoe@firma.example; zoetrope is another word")
    done = redact(audited.database, "person:zoe", actor="person:emma", reason="she asked", now=make.now)
    assert done.swept
    assert audited.audit.verify(head).fault is None
    row = audited.audit.page(limit=1).items[0]
    assert (row.actor, row.facts["reason"]) == ("person:[redacted]", "[redacted]")
    assert audited.flags.get("note") == f"ask {done.token} or {done.token}; zoetrope is another word"
    everything = "\n".join(dump(audited))
    assert "zoe" not in everything.replace("zoetrope", "").lower()
    assert "Bl" + "ümchen" not in everything
    if audited.database.embedded:
        path = Path(str(audited.engine.url.database))
        files = [path, path.with_name(path.name + "-wal")]
        raw = b"".join(file.read_bytes() for file in files if file.exists())
        assert "Blümchen".encode() not in raw
        assert b"zoe@firma" not in raw
    with pytest.raises(NotFound):
        redact(audited.database, "person:nobody", actor="cli", reason="", now=make.now)


def dump(store: Store) -> list[str]:
    with store.database.read() as connection:
        names = sa.inspect(connection).get_table_names()
        return [
            json.dumps([str(value) for value in row], ensure_ascii=False)
            for name in names
            for row in connection.execute(sa.text(f"SELECT * FROM {name}")).all()  # noqa: S608 — our tables
        ]


def test_a_link_is_over_the_sealed_fact(audited: Store) -> None:
    rows: list[AuditRow] = list(audited.audit.rows())
    fact = Fact(**rows[1].model_dump(exclude={"seq", "previous", "hash"}))
    assert link(rows[0].hash, fact, 2, KEY) == rows[1].hash
