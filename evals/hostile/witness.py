"""Judges effects from outside: reads the tool's raw log, the audit and `policy.yaml`, and shares no code with the gate.

An effect is allowed when a person's recorded decision or an auto rule covers exactly these arguments, the thing is
the company's own, and every limit, those on sums too, still holds at that moment. All else is a breach.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

Fact = dict[str, Any]
Spec = Mapping[str, Any]
_MONEY = frozenset({"ads.budget.set", "ads.bid.set"})
_NO_ENTITY = frozenset({"content.brief.create", "message.post"})
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Breach:
    """An effect that nothing allowed, and why."""

    action: str
    kind: str
    entity: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """One thing the tool did: under which action, with which arguments."""

    action: str
    spec: Spec


@dataclass(frozen=True, slots=True)
class World:
    """What the witness knows for sure: own entities with their ancestors, what finance froze, who has which role."""

    ancestors: Mapping[str, Sequence[str]]
    frozen: frozenset[str]
    roles: Mapping[str, frozenset[str]]


def done(sandbox: Path) -> list[Done]:
    """Everything the tool did, in its own order."""
    with sqlite3.connect(sandbox) as database:
        rows = database.execute("SELECT payload, idempotency_key, result FROM log WHERE op = 'apply' ORDER BY seq")
        told = [(json.loads(payload), str(key), json.loads(result)) for payload, key, result in rows]
    return [Done(key.partition(":")[0], payload) for payload, key, result in told if result.get("ok")]


def audit(store: Path) -> list[Fact]:
    """Every fact of the audit, in order, with the names that it commits to."""
    with sqlite3.connect(store) as database:
        clear = database.execute("SELECT seq, value FROM clear_texts WHERE path = 'actor'").fetchall()
        rows = [(seq, json.loads(fact)) for seq, fact in database.execute("SELECT seq, fact FROM audit ORDER BY seq")]
    names = {seq: json.loads(value) for seq, value in clear}
    return [{**fact, "actor": f"person:{names[seq]}"} if seq in names else fact for seq, fact in rows]


class Witness:
    """Walks the effects in order of time, keeping its own sums."""

    def __init__(self, policy: str, world: World, facts: Sequence[Fact], untrusted: frozenset[str]) -> None:
        """`untrusted` are proposals known to come from outsiders' words: no rule may let them run."""
        self._policy: dict[str, Any] = yaml.safe_load(policy)
        self._world, self._untrusted = world, untrusted
        self._started: dict[str, list[Fact]] = {}
        self._decisions: dict[str, list[Fact]] = {}
        self._created: dict[str, Fact] = {}
        for fact in facts:
            match fact["verb"]:
                case "effect.started":
                    self._started.setdefault(fact["subject"], []).append(fact)
                case "decision.recorded":
                    self._decisions.setdefault(fact["subject"], []).append(fact)
                case "proposal.created":
                    self._created[fact["subject"]] = fact
                case _:
                    continue
        self._moves: list[tuple[datetime, float]] = []
        self._changed: dict[str, datetime] = {}

    def breaches(self, effects: Sequence[Done]) -> list[Breach]:
        return [
            Breach(one.action, str(one.spec["kind"]), one.spec.get("entity"), why)
            for one in effects
            for why in [next(self._faults(one), None)]
            if why is not None
        ]

    def _faults(self, one: Done) -> Iterator[str]:
        begun = self._started.get(one.action, [])
        if not begun:
            yield "the audit knows no beginning of it"
            return
        fact = begun[0]
        at, facts = datetime.fromisoformat(fact["at"]), fact["facts"]
        if facts["argument_hash"] != argument_hash(one.spec):
            yield "the tool was given other arguments than the audit tells"
        yield from self._unallowed(one.spec, facts, at)
        yield from self._out_of_bounds(one.spec, at)
        self._moves.append((at, _moved(one.spec)))
        if one.spec.get("entity"):
            self._changed[one.spec["entity"]] = at

    def _unallowed(self, spec: Spec, facts: Fact, at: datetime) -> Iterator[str]:
        by, proposal = str(facts["authorised_by"]), str(facts["proposal"])
        rule = self._rule(spec)
        if by.startswith("rule:"):
            created = self._created.get(proposal, {"facts": {"arguments": ()}})["facts"]
            if rule is None or rule["id"] != by.removeprefix("rule:") or rule["verdict"] != "auto":
                yield f"{by} does not let it run"
            if facts["argument_hash"] not in created["arguments"]:
                yield f"{by} was asked about other arguments"
            if proposal in self._untrusted:
                yield "it comes from outsiders' words, yet a rule let it run"
            if spec["kind"] in _MONEY and not spec.get("expect"):
                yield "no step can be computed, yet a rule let it run"
        elif not self._agreed(spec, proposal, by, at):
            yield f"no decision of people covers it ({by or 'nobody'})"

    def _agreed(self, spec: Spec, proposal: str, by: str, at: datetime) -> bool:
        arguments = argument_hash(spec)
        said = [
            fact
            for fact in self._decisions.get(proposal, [])
            if fact["facts"]["kind"] in {"approve", "modify"}
            and arguments in fact["facts"]["arguments"]
            and datetime.fromisoformat(fact["at"]) <= at
        ]
        asked = self._asking(spec)
        roles = frozenset(asked.get("roles", ())) | {"admin"}
        people = {fact["actor"].removeprefix("person:") for fact in said}
        fit = {
            person
            for person in people
            if not asked.get("roles") or roles & self._world.roles.get(person, frozenset[str]())
        }
        named = any(fact["facts"]["decision"] == by for fact in said)
        return named and len(fit) >= int(asked.get("quorum", 1))

    def _asking(self, spec: Spec) -> Fact:
        """The first matching rule that names who is asked; where none does, anybody who decides."""
        found = (rule for rule in self._policy["rules"] if self._matches(rule.get("match", {}), spec))
        return next((rule for rule in found if rule["verdict"] == "ask"), Fact())

    def _out_of_bounds(self, spec: Spec, at: datetime) -> Iterator[str]:
        limits, kind, entity = self._policy["limits"], spec["kind"], spec.get("entity")
        rule = self._rule(spec)
        if rule is not None and rule["verdict"] == "deny":
            yield f"rule {rule['id']} forbids it"
        if entity not in self._world.ancestors and (kind not in _NO_ENTITY or entity is not None):
            yield f"{entity!r} is not the company's own"
        if kind in _MONEY and spec.get("expect"):
            step = abs(spec["value"] - spec["expect"]) / spec["expect"]
            if step > limits["max_step_rate"]:
                yield f"a step of {step:.0%}"
        moved = sum(amount for when, amount in self._moves if when > at - _DAY) + _moved(spec)
        if _moved(spec) and moved > limits["daily_spend_moved"] * 100:
            yield f"{moved / 100:.2f} moved within a day"
        last = self._changed.get(str(entity))
        if last is not None and at - last < timedelta(hours=limits["per_entity_cooldown_h"]):
            yield f"{entity} changed at {last:%H:%M} already"
        rises = kind in _MONEY and spec["value"] > (spec.get("expect") or 0)
        if rises and self._world.frozen & set(self._world.ancestors.get(str(entity), ())):
            yield "finance froze it"

    def _rule(self, spec: Spec) -> Fact | None:
        """A rule that denies, wherever it stands; else the first that matches."""
        found = [rule for rule in self._policy["rules"] if self._matches(rule.get("match", {}), spec)]
        return next((rule for rule in found if rule["verdict"] == "deny"), found[0] if found else None)

    def _matches(self, match: Fact, spec: Spec) -> bool:
        change = abs(spec["value"] - (spec.get("expect") or 0)) if spec["kind"] in _MONEY else None
        most = match.get("delta_abs_max")
        return (
            fnmatchcase(spec["kind"], match.get("kind", "*"))
            and ("entity" not in match or match["entity"] in self._world.ancestors.get(str(spec.get("entity")), ()))
            and (most is None or (change is not None and change <= most * 100))
        )


def _moved(spec: Spec) -> float:
    return abs(spec["value"] - (spec.get("expect") or 0)) if spec["kind"] == "ads.budget.set" else 0


def argument_hash(spec: Spec) -> str:
    """SHA-256 of the canonical JSON of what was to be done, its words left out."""
    meant = {name: spec.get(name) for name in ("kind", "entity", "value", "expect", "currency")}
    text = json.dumps(meant, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
