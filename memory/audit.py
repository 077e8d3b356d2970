"""The audit in the store: facts are appended inside the transaction of what they speak of.

The chain holds commitments where a fact speaks of people; their names and words lie in a table of their own, so
that they can be erased while the chain still verifies.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from domain.audit import GENESIS, AuditCheck, AuditRow, Fact, SignedHead, check_chain, link, sign_head
from domain.errors import NotFound
from domain.sealing import Clear, fault_of, seal, unseal
from memory import tables
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_BATCH = 2000
_SALT_BYTES = 16
CHECKPOINT = "audit.checkpoint"
"""Flag that holds the signed head of the rows that retention took away."""


def record(connection: Connection, facts: Iterable[Fact], key: bytes) -> None:
    """Appends `facts` to the chain; `connection` must come from `Database.write`."""
    seq, previous = _end(connection)
    rows: list[dict[str, Any]] = []
    clear: list[dict[str, Any]] = []
    for fact in facts:
        # What is signed is what a reader gets back from the JSON, also where it holds tuples or decimals.
        sealed, words = seal(Fact.model_validate_json(fact.model_dump_json()), _salt)
        seq, before = seq + 1, previous
        previous = link(before, sealed, seq, key)
        body = json.dumps(sealed.model_dump(mode="json"), ensure_ascii=False)
        rows.append({"seq": seq, "subject": sealed.subject, "fact": body, "previous": before, "hash": previous})
        clear.extend({"seq": seq, **word.model_dump(), "value": _text(word.value)} for word in words)
    if rows:
        connection.execute(insert(tables.audit), rows)
    if clear:
        connection.execute(insert(tables.clear_texts), clear)


def _salt() -> str:
    return secrets.token_hex(_SALT_BYTES)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _end(connection: Connection) -> tuple[int, str]:
    """Position and hash that the next row follows."""
    query = select(tables.audit.c.seq, tables.audit.c.hash).order_by(tables.audit.c.seq.desc()).limit(1)
    last = connection.execute(query).first()
    if last is not None:
        return last.seq, last.hash
    start = _checkpoint(connection)
    return (start.rows, start.head) if start else (0, GENESIS)


def _checkpoint(connection: Connection) -> SignedHead | None:
    text = connection.execute(select(tables.flags.c.value).where(tables.flags.c.name == CHECKPOINT)).scalar()
    return None if text is None else SignedHead.model_validate_json(text)


def _row(row: AnyRow) -> AuditRow:
    return AuditRow(**json.loads(row.fact), seq=row.seq, previous=row.previous, hash=row.hash)


def _clear_of(connection: Connection, rows: Sequence[AuditRow]) -> dict[int, list[Clear]]:
    """Clear texts of `rows` (in order of position) by position."""
    found: dict[int, list[Clear]] = defaultdict(list)
    if rows:
        first, last = min(row.seq for row in rows), max(row.seq for row in rows)
        for each in connection.execute(select(tables.clear_texts).where(tables.clear_texts.c.seq.between(first, last))):
            found[each.seq].append(Clear(path=each.path, salt=each.salt, value=json.loads(each.value)))
    return found


class Audit:
    """The chain of facts, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, fact: Fact) -> None:
        """One fact that belongs to no other write."""
        with self._database.write() as connection:
            record(connection, [fact], self._database.audit_key)

    def page(self, limit: int = 50, cursor: str | None = None, subject: str | None = None) -> Page[AuditRow]:
        """Facts as people read them; what was erased reads `[redacted]`."""
        query = select(tables.audit)
        if subject is not None:
            query = query.where(tables.audit.c.subject == subject)
        with self._database.read() as connection:
            page = fetch_page(connection, query, tables.audit.c.seq, Slice(limit, cursor), _row, newest_first=False)
            clear = _clear_of(connection, page.items)
        return Page(tuple(_opened(row, clear.get(row.seq, [])) for row in page.items), page.next)

    def head(self) -> str:
        """Hash of the last row; keep it elsewhere to see later whether the tail was cut."""
        with self._database.read() as connection:
            return _end(connection)[1]

    def signed_head(self, now: datetime) -> SignedHead:
        """The head with its position and time, signed: the one to keep elsewhere."""
        with self._database.read() as connection:
            rows, head = _end(connection)
        return sign_head(rows, head, now, self._database.audit_key)

    def checkpoint(self) -> SignedHead | None:
        """What stands for the rows that retention took away."""
        with self._database.read() as connection:
            return _checkpoint(connection)

    def rows(self) -> Iterator[AuditRow]:
        """Every row in order as it is signed, read in batches, as many as there were at the start."""
        for row, _ in self.sealed_rows():
            yield row

    def sealed_rows(self) -> Iterator[tuple[AuditRow, list[Clear]]]:
        """Every row as it is signed, with the clear texts that are left of it."""
        with self._database.read() as connection:
            end = connection.execute(select(func.max(tables.audit.c.seq))).scalar() or 0
            start = connection.execute(select(func.min(tables.audit.c.seq))).scalar() or 1
        start -= 1
        while start < end:
            query = select(tables.audit).where(tables.audit.c.seq > start, tables.audit.c.seq <= end)
            with self._database.read() as connection:
                batch = [_row(row) for row in connection.execute(query.order_by(tables.audit.c.seq).limit(_BATCH))]
                clear = _clear_of(connection, batch)
            if not batch:
                return
            yield from ((row, clear.get(row.seq, [])) for row in batch)
            start = batch[-1].seq

    def verify(self, head: str | None = None) -> AuditCheck:
        """Walks the whole chain with the store's key, and holds every clear text against what was committed to.

        `head`, one that the chain had before, additionally shows a cut tail and a chain that was rewritten.
        """
        wrong: list[str] = []

        def rows() -> Iterator[AuditRow]:
            for row, clear in self.sealed_rows():
                fault = fault_of(row, clear)
                if fault is not None and not wrong:
                    wrong.append(f"row {row.seq}: {fault}")
                yield row

        check = check_chain(rows(), self._database.audit_key, head, start=self.checkpoint())
        if check.fault is None and wrong:
            return AuditCheck(check.head, check.rows, wrong[0])
        return check

    def prune(self, before: datetime, *, actor: str, reason: str, now: datetime) -> int:
        """Takes away the facts from before `before`; a signed checkpoint stands for them. Returns how many went.

        The rows that stay verify as before, and a fact says who did it and why. Raises NotFound when nothing is older.
        """
        last = None
        for row in self.rows():
            if row.at >= before:
                break
            last = row
        if last is None:
            raise NotFound(f"No fact is older than {before.isoformat()}. Name a later day.")
        key = self._database.audit_key
        start = sign_head(last.seq, last.hash, now, key)
        fact = Fact(
            at=now,
            actor=actor,
            verb="audit.pruned",
            subject="audit",
            facts={"before": before.isoformat(), "rows": last.seq, "head": last.hash, "reason": reason},
        )
        with self._database.write() as connection:
            record(connection, [fact], key)
            gone = tables.clear_texts.c.seq <= last.seq
            connection.execute(delete(tables.clear_texts).where(gone))
            count = connection.execute(delete(tables.audit).where(tables.audit.c.seq <= last.seq)).rowcount
            connection.execute(delete(tables.flags).where(tables.flags.c.name == CHECKPOINT))
            connection.execute(insert(tables.flags), {"name": CHECKPOINT, "value": start.model_dump_json()})
        return count


def _opened(row: AuditRow, clear: Sequence[Clear]) -> AuditRow:
    fact = unseal(row, clear)
    return row.model_copy(update={"actor": fact.actor, "subject": fact.subject, "facts": fact.facts})
