"""The audit: one row per fact, chained by keyed hashes so that a change to the past shows."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


def link(previous: str, fact: Fact, seq: int, key: bytes) -> str:
    """HMAC-SHA256 (hex) over the previous hash, the position and the canonical JSON of the fact."""
    body = json.dumps(fact.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key, f"{previous}\n{seq}\n{body}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def check_chain(rows: Iterable[AuditRow], key: bytes, head: str | None = None) -> AuditCheck:
    """Walks the chain. Without `head` a cut tail cannot be seen; with it, it is."""
    previous, count = GENESIS, 0
    for row in rows:
        count += 1
        fact = Fact.model_validate(row.model_dump(exclude={"seq", "previous", "hash"}))
        if row.seq != count:
            return AuditCheck(previous, count, f"row {row.seq} stands where row {count} should: rows are missing")
        if row.previous != previous or row.hash != link(previous, fact, row.seq, key):
            return AuditCheck(previous, count, f"row {row.seq} was changed, moved or signed with another key")
        previous = row.hash
    if head is not None and head != previous:
        return AuditCheck(previous, count, "the chain ends elsewhere than the given head: rows were cut or rewritten")
    return AuditCheck(previous, count)
