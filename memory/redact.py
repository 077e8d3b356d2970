"""Erasing a person: every name of theirs goes from the store, from recall and from the clear text of the audit.

A token takes the place of the id, the same everywhere, so that what happened still hangs together: two
approvals stay those of two people. The chain of the audit is not touched; it holds commitments alone.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, Text, and_, delete, or_, select, update
from sqlalchemy import String as Words
from sqlalchemy.exc import OperationalError

from domain.actions import ActionStatus
from domain.audit import Fact
from domain.errors import Conflict, InputError, NotFound
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.remember import GONE, NEW, content_hash
from memory.vectors import drop_orphans

_KEPT = {"audit", "clear_texts", "vectors"}
"""Tables that hold no name in clear, or are handled apart."""
_CALLED = ("email", "name", "author")
_LEAST = 3
"""Letters of a name that is looked for inside of texts; a shorter one is replaced where it stands alone."""
_UNDER_WAY = (ActionStatus.PENDING, ActionStatus.EXECUTING)


@dataclass(frozen=True, slots=True)
class Names:
    """What a person is called in the store."""

    looks: tuple[str, ...]
    """Texts that a row holds if it may name the person."""
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Redaction:
    """Rows changed by table; `swept` says whether the pages that were freed were overwritten too."""

    token: str
    rows: dict[str, int]
    swept: bool


def redact(database: Database, person: str, *, actor: str, reason: str, now: datetime) -> Redaction:
    """Erases `person` (an id, with or without `person:`), and every name and address that stands beside the id.

    Chroma forgets at the next indexing. A person of `accord.yaml` has to be taken out there too. Raises
    NotFound when nobody of that name is known, Conflict while an action under way names them.
    """
    bare = person.removeprefix("person:").strip()
    if not bare:
        raise InputError("`person` is empty. Give the id of a person.")
    token = f"redacted-{secrets.token_hex(6)}"
    with database.write() as connection:
        names = _names(connection, bare)
        _refuse_while_under_way(connection, names)
        rows = {"audit": _forget_words(connection, names.pattern)}
        for table in tables.metadata.sorted_tables:
            if table.name not in _KEPT:
                rows[table.name] = _scrub(connection, table, names, token)
        drop_orphans(connection)
        rows = {name: count for name, count in rows.items() if count}
        if not rows:
            raise NotFound(f"Nothing is known of {person!r}. Give the id as it stands in signals or in auth.people.")
        facts = {"rows": rows, "reason": reason}
        fact = Fact(at=now, actor=actor, verb="person.redacted", subject=token, facts=facts)
        record(connection, [fact], database.audit_key)
    return Redaction(token, rows, _sweep(database))


def _names(connection: Connection, person: str) -> Names:
    """The id, and every address and name that the store holds beside it."""
    found = {person}
    for table, column in ((tables.people, "body"), (tables.entities, "body"), (tables.signals, "raw")):
        like = table.c[column].contains(person, autoescape=True)
        for body in connection.execute(select(table.c[column]).where(like)).scalars():
            found.update(_beside(json.loads(body), person))
    # JSON may hold other letters than ASCII escaped.
    looks = {*found, *(json.dumps(name)[1:-1] for name in found)}
    return Names(tuple(sorted(looks)), _pattern(found))


def _beside(value: object, person: str) -> Iterator[str]:
    """What every object in `value` that is about `person` calls them."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        if {str(fields.get(key)).removeprefix("person:") for key in ("id", "person")} & {person}:
            attrs = cast("dict[str, object]", fields.get("attrs") or {})
            yield from (str(held[key]) for held in (fields, attrs) for key in _CALLED if held.get(key))
        for inner in fields.values():
            yield from _beside(inner, person)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _beside(inner, person)


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Any of `names` as a whole word, the longest first; `person:` before it stays."""
    parts = [
        re.escape(name) if len(name) >= _LEAST else f"^{re.escape(name)}$|(?<=person:){re.escape(name)}$"
        for name in sorted(names, key=len, reverse=True)
    ]
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(parts)})(?![\w-])", re.IGNORECASE)


def _refuse_while_under_way(connection: Connection, names: Names) -> None:
    query = select(tables.actions.c.id, tables.actions.c.body).where(tables.actions.c.status.in_(_UNDER_WAY))
    for row in connection.execute(query):
        if names.pattern.search(json.dumps(json.loads(row.body)["spec"], ensure_ascii=False)):
            raise Conflict(f"{row.id} is under way and names the person. Decide on it first, then redact again.")


def _forget_words(connection: Connection, pattern: re.Pattern[str]) -> int:
    """Clear texts that name the person, and everything said by them; the commitments stay."""
    table = tables.clear_texts.c
    rows = connection.execute(select(table.seq, table.path, table.value)).all()
    theirs = {row.seq for row in rows if row.path == "actor" and pattern.fullmatch(json.loads(row.value))}
    gone = [row for row in rows if row.seq in theirs or pattern.search(str(json.loads(row.value)))]
    for row in gone:
        connection.execute(delete(tables.clear_texts).where(table.seq == row.seq, table.path == row.path))
    return len(gone)


def _scrub(connection: Connection, table: Table, names: Names, token: str) -> int:
    """Rows of `table` that held a name."""
    key = list(table.primary_key.columns)
    columns = [column for column in table.columns if isinstance(column.type, Text | Words)]
    if not columns:
        return 0
    held = or_(*(column.icontains(look, autoescape=True) for column in columns for look in names.looks))
    count = 0
    for row in connection.execute(select(*key, *columns).where(held)).mappings().all():
        said = {column.name: str(row[column.name]) for column in columns if row[column.name]}
        changed = {name: clean for name, old in said.items() if (clean := _cleaned(old, names, token)) != old}
        if changed:
            same = and_(*(column == row[column.name] for column in key))
            connection.execute(update(table).where(same), _recalled(changed) if table is tables.recalled else changed)
            count += 1
    return count


def _recalled(changed: dict[str, str]) -> dict[str, str]:
    """A text to embed anew; one that goes by the person's own name goes altogether."""
    if "id" in changed:
        return {"state": GONE, "text": "", "hash": ""}
    return {**changed, **({"state": NEW, "hash": content_hash(changed["text"])} if "text" in changed else {})}


def _cleaned(said: str, names: Names, token: str) -> str:
    """`said` without the names: strings within JSON one by one, so that it stays JSON."""
    try:
        value = json.loads(said)
    except ValueError:
        return names.pattern.sub(token, said)
    clean = _walked(value, names.pattern, token)
    return said if clean == value else json.dumps(clean, ensure_ascii=False)


def _walked(value: Any, pattern: re.Pattern[str], token: str) -> Any:
    match value:
        case str():
            return pattern.sub(token, value)
        case dict():
            held = cast("dict[str, Any]", value)
            return {pattern.sub(token, key): _walked(inner, pattern, token) for key, inner in held.items()}
        case list():
            return [_walked(inner, pattern, token) for inner in cast("list[Any]", value)]
        case _:
            return value


def _sweep(database: Database) -> bool:
    """Writes the database anew, since pages that were freed still hold the words; False while others keep it busy."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            if database.embedded:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                connection.exec_driver_sql("VACUUM FULL")
        except OperationalError:
            return False
    return True
