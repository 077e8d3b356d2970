"""Personal words in facts: the chain keeps a salted commitment, the clear text lies beside it and may be erased.

A commitment is SHA-256 over a random salt and the canonical JSON of the value. With the salt gone nothing can be
guessed from it, and the chain of hashes still verifies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from domain.audit import Fact
from domain.record import Record

PERSONAL = frozenset(
    {"reason", "because", "name", "email", "person", "on_behalf_of", "author", "assignee", "note", "text", "question",
     "answer", "to", "by_person", "delegate", "absent", "detail"}
)  # fmt: skip
"""Names of facts that hold people or their own words."""
ABOUT_PEOPLE = ("session.", "delegation.", "person.")
"""Verbs whose subject is a person."""
REDACTED = "[redacted]"
_PERSON = "person:"
_MARK = "~"


class Clear(Record):
    """The clear text of one commitment; `path` is `actor`, `subject` or `facts.<name>`."""

    path: str
    salt: str
    value: Any


def commitment(salt: str, value: object) -> str:
    """What stands in the chain for `value`."""
    body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _MARK + hashlib.sha256(f"{salt}\n{body}".encode("utf-8", "surrogatepass")).hexdigest()


def seal(fact: Fact, salt: Callable[[], str]) -> tuple[Fact, tuple[Clear, ...]]:
    """`fact` with commitments in place of personal words, and the words."""
    clears = tuple(Clear(path=path, salt=salt(), value=value) for path, value in _personal(fact))
    return _replaced(fact, {clear.path: commitment(clear.salt, clear.value) for clear in clears}), clears


def unseal(fact: Fact, clears: Iterable[Clear]) -> Fact:
    """`fact` as people read it; what was erased reads `[redacted]`."""
    known = {clear.path: clear.value for clear in clears}
    return _replaced(fact, {path: known.get(path, REDACTED) for path, _ in _sealed(fact)})


def fault_of(fact: Fact, clears: Iterable[Clear]) -> str | None:
    """The first clear text that is not what the chain committed to, in words."""
    wanted = dict(_sealed(fact))
    for clear in clears:
        if wanted.get(clear.path) != commitment(clear.salt, clear.value):
            return f"the clear text of `{clear.path}` is not what was recorded"
    return None


def _personal(fact: Fact) -> Iterator[tuple[str, object]]:
    if fact.actor.startswith(_PERSON):
        yield "actor", fact.actor.removeprefix(_PERSON)
    if fact.verb.startswith(ABOUT_PEOPLE):
        yield "subject", fact.subject
    for name, value in sorted(fact.facts.items()):
        if name in PERSONAL and value not in (None, ""):
            yield f"facts.{name}", value


def _sealed(fact: Fact) -> Iterator[tuple[str, str]]:
    """Paths that hold a commitment."""
    held: Mapping[str, object] = {
        "actor": fact.actor.removeprefix(_PERSON) if fact.actor.startswith(_PERSON) else "",
        "subject": fact.subject,
        **{f"facts.{name}": value for name, value in fact.facts.items()},
    }
    for path, value in held.items():
        if isinstance(value, str) and value.startswith(_MARK) and len(value) == len(_MARK) + 64:
            yield path, value


def _replaced(fact: Fact, by: Mapping[str, Any]) -> Fact:
    if not by:
        return fact
    facts = {name: by.get(f"facts.{name}", value) for name, value in fact.facts.items()}
    actor = f"{_PERSON}{by['actor']}" if "actor" in by else fact.actor
    return fact.model_copy(update={"actor": actor, "subject": by.get("subject", fact.subject), "facts": facts})
