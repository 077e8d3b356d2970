"""Brings the tables of a database to the version of this code, or says who has to."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from domain.errors import ConfigError
from memory.database import Database
from memory.tables import REVISION, metadata

VERSION_TABLE = "accord_version"
_HERE = Path(__file__).parent


def prepare(database: Database, *, create: bool) -> None:
    """SQLite is created and migrated on the way; Postgres must have been migrated by its operator.

    Raises ConfigError when it cannot be opened, is missing, or was written by a newer Accord.
    """
    try:
        with database.read() as connection:
            found = version(connection)
    except OperationalError as error:
        raise ConfigError(f"The database cannot be opened: {error.orig}. Check `storage.url`.") from error
    if found == REVISION:
        return
    if not database.embedded:
        raise ConfigError(f"The database is at version {found!r}, not {REVISION!r}. Run `accord migrate`.")
    if found is None and not create:
        raise ConfigError(
            f"There is no Accord store at {database.url!r}. Check `storage.url`, or start `accord serve`."
        )
    migrate(database)


def migrate(database: Database) -> None:
    """Creates the tables, or applies the migrations that are missing. Raises ConfigError for a newer database."""
    with database.write() as connection:
        found = version(connection)
        if found == REVISION:
            return
        if found is None and database.embedded:
            _create(connection)
            return
        if found is not None and found > REVISION:
            raise ConfigError(f"The database was written by a newer Accord (version {found!r}). Upgrade Accord.")
        upgrade(connection)


def version(connection: Connection) -> str | None:
    """Version of the tables; None without them."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 — a constant


def _create(connection: Connection) -> None:
    """A new store without Alembic, whose import would cost a second of the first start."""
    metadata.create_all(connection)
    connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    insert = text(f"INSERT INTO {VERSION_TABLE} VALUES (:revision)")  # noqa: S608 — a constant
    connection.execute(insert, {"revision": REVISION})


def upgrade(connection: Connection) -> None:
    """Applies every missing migration within the transaction of `connection`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
