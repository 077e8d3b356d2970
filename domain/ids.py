"""Prefixed identifiers, derived from what they name.

An id is a digest of its parts, never random: a step that is killed and run again
writes the same row again, and two runs of one seed can be compared line by line.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Literal, cast

Prefix = Literal[
    "sit", "prop", "act", "dec", "eff", "out", "les", "key", "rnd", "note", "job", "call", "que", "dlg", "msg"
]


def derive_id(prefix: Prefix, *parts: object) -> str:
    """`prefix_` and 16 hex digits of SHA-256 over the canonical JSON of `parts`."""
    return f"{prefix}_{digest(list(parts))[:16]}"


def digest(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON of `value`: sorted keys, no spaces, aware ISO times."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    # JSON from outside may hold half a surrogate pair, which plain UTF-8 refuses to encode.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: object) -> object:
    """What JSON lacks: sets in order, since theirs differs from process to process; times in ISO form."""
    if isinstance(value, set | frozenset):
        return sorted(map(str, cast("set[object]", value)))
    return value.isoformat() if isinstance(value, datetime) else str(value)
