"""Migrations and tables say the same, and a database that does not fit is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.errors import ConfigError
from memory import schema
from memory.database import Database
from memory.store import Store, migrate
from memory.tables import REVISION, metadata


def differences(database: Database) -> list[object]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return not (kind == "table" and name == schema.VERSION_TABLE)

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        return list(compare_metadata(context, metadata))


def test_migrations_make_the_tables(tmp_path: Path, new_postgres: Callable[[str], str]) -> None:
    for url in (f"sqlite:///{tmp_path / 'm.db'}", new_postgres("postgres")):
        database = Database(url)
        with database.write() as connection:
            schema.upgrade(connection)
            assert schema.version(connection) == REVISION
        assert differences(database) == []
        database.close()


def test_a_new_sqlite_store_equals_a_migrated_one(tmp_path: Path) -> None:
    def made(database: Database) -> set[tuple[str, ...]]:
        """Each statement as its sorted parts: the order of constraints means nothing."""
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%accord_version%'"
        with database.read() as connection:
            texts = connection.execute(sa.text(query)).scalars().all()
        return {tuple(sorted(part.strip(" )") for part in " ".join(str(text).split()).split(","))) for text in texts}

    created, migrated = Database(f"sqlite:///{tmp_path / 'c.db'}"), Database(f"sqlite:///{tmp_path / 'm.db'}")
    schema.prepare(created, create=True)
    with migrated.write() as connection:
        schema.upgrade(connection)
    assert made(created) == made(migrated)
    created.close()
    migrated.close()


def test_an_unmigrated_postgres_names_the_command(new_postgres: Callable[[str], str]) -> None:
    url = new_postgres("postgres")
    with pytest.raises(ConfigError, match="accord migrate"):
        Store.open(url)
    migrate(url)
    migrate(url)
    Store.open(url).close()


def test_a_newer_database_is_left_alone(store_url: str) -> None:
    with Store.open(store_url) as store, store.database.write() as connection:
        connection.execute(sa.text("UPDATE accord_version SET version_num = '9999'"))
    with pytest.raises(ConfigError):
        Store.open(store_url)
    with pytest.raises(ConfigError, match="newer Accord"):
        migrate(store_url)


@pytest.mark.parametrize("url", ["mysql://x/y", "no address", "sqlite:///{}/missing.db", "postgresql://127.0.0.1:1/x"])
def test_a_store_that_cannot_be_opened_says_why(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"storage\.url"):
        Store.open(url.format(tmp_path), create=False)
