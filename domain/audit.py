"""The audit: one row per fact, chained by keyed hashes so that a change to the past shows."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from domain.record import Moment, Record

GENESIS = "0" * 64


class Fact(Record):
    """Who did what to which thing, and why."""

    at: Moment
    actor: str
    """`person:ana`, `rule:small-steps`, `worker`, `cli`, …"""
    verb: str
    """Past tense with its noun: `proposal.created`, `decision.recorded`, `effect.confirmed`."""
    subject: str
    facts: Mapping[str, Any] = Field(default_factory=dict)


class AuditRow(Fact):
    """A fact in its place in the chain."""

    seq: int
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """Result of a check: the head found, how many rows, and the first fault in words."""

    head: str
    rows: int
    fault: str | None = None


class SignedHead(Record):
    """Where the chain ended at a time, signed with its key: kept elsewhere, it shows what was cut or rewritten since.

    As a checkpoint it stands for the rows up to `rows`, which retention took away.
    """

    rows: int
    head: str
    at: Moment
    signature: str


def link(previous: str, fact: Fact, seq: int, key: bytes) -> str:
    """HMAC-SHA256 (hex) over the previous hash, the position and the canonical JSON of the fact."""
    body = json.dumps(fact.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _signed(f"{previous}\n{seq}\n{body}", key)


def sign_head(rows: int, head: str, at: datetime, key: bytes) -> SignedHead:
    """The head after `rows` rows."""
    return SignedHead(rows=rows, head=head, at=at, signature=_signed(f"head\n{rows}\n{head}\n{at.isoformat()}", key))


def is_ours(head: SignedHead, key: bytes) -> bool:
    """Whether `head` was signed with `key`."""
    return hmac.compare_digest(sign_head(head.rows, head.head, head.at, key).signature, head.signature)


def check_chain(
    rows: Iterable[AuditRow], key: bytes, head: str | None = None, *, start: SignedHead | None = None
) -> AuditCheck:
    """Walks the chain from its beginning, or from the checkpoint `start`.

    `head` is one that the chain had before: without it a cut tail, or a whole chain rewritten with the key, cannot
    be seen; with it, it is. What was cut after `head` was taken stays unseen; GENESIS, the head of an empty chain,
    shows nothing.
    """
    if start is not None and not is_ours(start, key):
        return AuditCheck(start.head, start.rows, "the checkpoint of retention was not signed with this key")
    previous, count = (start.head, start.rows) if start is not None else (GENESIS, 0)
    met = head is None or head == previous
    for row in rows:
        count += 1
        fact = Fact.model_validate(row.model_dump(exclude={"seq", "previous", "hash"}))
        if row.seq != count:
            return AuditCheck(previous, count, f"row {row.seq} stands where row {count} should: rows are missing")
        if row.previous != previous or row.hash != link(previous, fact, row.seq, key):
            return AuditCheck(previous, count, f"row {row.seq} was changed, moved or signed with another key")
        previous = row.hash
        met = met or head == previous
    if not met:
        older = " or it is older than the checkpoint of retention" if start is not None else ""
        return AuditCheck(
            previous, count, f"the chain does not hold the given head: rows were cut or rewritten since{older}"
        )
    return AuditCheck(previous, count)


def _signed(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
