"""An exported audit: JSON lines that anybody with the key can verify without the store.

First the checkpoint of retention, if there is one, then one line a fact, last the signed head. Lines without their
clear texts verify as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from domain.audit import AuditCheck, AuditRow, Fact, SignedHead, check_chain, is_ours
from domain.sealing import Clear, fault_of

_EMPTY = AuditCheck("", 0, "the file is no exported audit: its first or last line is missing or broken")


def export_lines(
    start: SignedHead | None, rows: Iterable[tuple[AuditRow, list[Clear]]], head: SignedHead, *, words: bool
) -> Iterator[str]:
    """The lines of an export; without `words` commitments stand alone."""
    if start is not None:
        yield json.dumps({"checkpoint": start.model_dump(mode="json")})
    for row, clear in rows:
        if row.seq > head.rows:
            break
        said = [word.model_dump(mode="json") for word in clear] if words else []
        yield json.dumps({"row": row.model_dump(mode="json"), "clear": said}, ensure_ascii=False)
    yield json.dumps({"head": head.model_dump(mode="json")})


def check_export(lines: Iterable[str], key: bytes) -> AuditCheck:
    """Walks an export with the key of the chain: rows, clear texts, checkpoint and head."""
    try:
        records: list[dict[str, Any]] = [json.loads(line) for line in lines if line.strip()]
        start = SignedHead.model_validate(records.pop(0)["checkpoint"]) if "checkpoint" in records[0] else None
        head = SignedHead.model_validate(records.pop()["head"])
        rows = [AuditRow.model_validate(record["row"]) for record in records]
        clear = [[Clear.model_validate(word) for word in record["clear"]] for record in records]
    except (ValueError, KeyError, IndexError, TypeError, ValidationError):
        return _EMPTY
    if not is_ours(head, key):
        return AuditCheck(head.head, head.rows, "the head was not signed with this key")
    check = check_chain(rows, key, head.head, start=start)
    if check.fault is None and check.rows != head.rows:
        return AuditCheck(check.head, check.rows, f"the file holds {check.rows} rows, its head speaks of {head.rows}")
    if check.fault is None:
        for row, words in zip(rows, clear, strict=True):
            fact = Fact.model_validate(row.model_dump(exclude={"seq", "previous", "hash"}))
            if fault := fault_of(fact, words):
                return AuditCheck(check.head, check.rows, f"row {row.seq}: {fault}")
    return check
