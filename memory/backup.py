"""A whole store as one compressed file of JSON lines, and back: the same file for SQLite and Postgres.

The file holds what Accord knows, not what can be computed again (vectors), and no key of the audit chain.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from sqlalchemy import Connection, Integer, LargeBinary, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from domain.errors import Conflict, InputError
from memory import tables
from memory.database import Database
from memory.tables import REVISION, Instant

FORMAT = 1
_BATCH = 500
_LEFT_OUT = frozenset({"vectors"})
Progress = Callable[[int], None]


def write_backup(database: Database, path: Path, progress: Progress) -> int:
    """Writes every row to `path`, as of one moment, and returns how many. Work goes on meanwhile."""
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(part, "wt", encoding="utf-8", compresslevel=6) as file, database.read() as connection:
        if not database.embedded:
            connection.execution_options(isolation_level="REPEATABLE READ")
        file.write(json.dumps({"accord_backup": FORMAT, "revision": REVISION}) + "\n")
        count = 0
        for table in _tables():
            count = _write_table(connection, table, file, count, progress)
        file.write(json.dumps({"end": count}) + "\n")
    part.replace(path)
    return count


def _write_table(connection: Connection, table: Table, file: TextIO, count: int, progress: Progress) -> int:
    file.write(json.dumps({"table": table.name, "columns": [column.name for column in table.columns]}) + "\n")
    codecs = [_encoder(column.type) for column in table.columns]
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
    for row in connection.execute(query):
        values = [encode(value) for encode, value in zip(codecs, row, strict=True)]
        file.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n")
        count += 1
        progress(count)
    return count


def read_backup(database: Database, path: Path, progress: Progress) -> int:
    """Fills an empty database from `path`, all or nothing, and returns how many rows it took.

    Raises InputError for a file that is none of ours or was cut, Conflict when the database holds anything.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file, database.write() as connection:
            _refuse_unless_empty(connection)
            lines = (json.loads(line) for line in file)
            count = _read_tables(connection, path, lines, progress)
            if not database.embedded:
                _advance_sequences(connection)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: no whole backup of Accord ({error}). Use another copy.") from error
    except IntegrityError as error:
        raise InputError(f"{path}: its rows contradict each other ({error.orig}). Use another copy.") from error
    return count


def _read_tables(connection: Connection, path: Path, lines: Iterator[Any], progress: Progress) -> int:
    head = next(lines, None)
    if not isinstance(head, dict) or head.get("accord_backup") != FORMAT:
        raise InputError(f"{path}: no backup of Accord. Give a file that `accord backup` wrote.")
    if head.get("revision") != REVISION:
        raise InputError(
            f"{path}: written at version {head.get('revision')!r} of the tables, this is {REVISION!r}. "
            "Restore it with the Accord that wrote it, then run `accord migrate`."
        )
    count = 0
    for table, names, rows in _batches(lines, path):
        _insert(connection, table, names, rows)
        count += len(rows)
        progress(count)
    return count


def _batches(lines: Iterator[Any], path: Path) -> Iterator[tuple[Table, list[str], list[list[Any]]]]:
    """Rows of one table at a time. Raises InputError when the line that marks the end is missing."""
    table: Table | None = None
    names: list[str] = []
    rows: list[list[Any]] = []
    for line in lines:
        if isinstance(line, list):
            rows.append(cast("list[Any]", line))
        if table is not None and rows and (len(rows) >= _BATCH or isinstance(line, dict)):
            yield table, names, rows
            rows = []
        if isinstance(line, dict):
            mark = cast("dict[str, Any]", line)
            if "end" in mark:
                return
            table, names = tables.metadata.tables[mark["table"]], mark["columns"]
    raise InputError(f"{path}: the file ends early. Use another copy.")


def _insert(connection: Connection, table: Table, names: list[str], rows: list[list[Any]]) -> None:
    decoders = [_decoder(table.columns[name].type) for name in names]
    values = [{name: decode(value) for name, decode, value in zip(names, decoders, row, strict=True)} for row in rows]
    connection.execute(insert(table), values)


def _tables() -> Iterable[Table]:
    return [table for table in tables.metadata.sorted_tables if table.name not in _LEFT_OUT]


def _refuse_unless_empty(connection: Connection) -> None:
    for table in _tables():
        if table.name != "audit" and connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise Conflict(f"The store is not empty ({table.name}). Restore into a new ACCORD_HOME or database.")


def _advance_sequences(connection: Connection) -> None:
    """Postgres numbers new rows after the restored ones."""
    for table in _tables():
        column = table.autoincrement_column
        if column is None or not isinstance(column.type, Integer):
            continue
        statement = (
            f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608 — our own names
            f"(SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
        )
        connection.execute(text(statement))


def _encoder(type_: object) -> Callable[[Any], Any]:
    if isinstance(type_, Instant):
        return lambda value: type_.process_bind_param(value, None)  # pyright: ignore[reportArgumentType] — unused
    if isinstance(type_, LargeBinary):
        return lambda value: None if value is None else base64.b64encode(value).decode("ascii")
    return _same


def _decoder(type_: object) -> Callable[[Any], Any]:
    if isinstance(type_, Instant):
        return lambda value: type_.process_result_value(value, None)  # pyright: ignore[reportArgumentType] — unused
    if isinstance(type_, LargeBinary):
        return lambda value: None if value is None else base64.b64decode(value)
    return _same


def _same(value: object) -> object:
    return value
