"""An independent reader of what happened: the audit and the tool's own log, by plain SQL and JSON.

It imports nothing of Accord, so that a fault of the lifecycle cannot hide in the judge.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa


@dataclass
class Trace:
    """What was found wrong, by kind of promise, and what was counted."""

    broken_chain: list[str] = field(default_factory=list)
    unauthorised: list[str] = field(default_factory=list)
    lost_decisions: list[str] = field(default_factory=list)
    doubled_changes: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> dict[str, list[str]]:
        found = {name: value for name, value in vars(self).items() if isinstance(value, list)}
        return {name: value for name, value in found.items() if value}


def read_trace(
    url: str,
    audit_key: bytes,
    tool: dict[str, list[dict[str, Any]]],
    acknowledged: list[dict[str, str]],
    mails: list[dict[str, str]] | None = None,
) -> Trace:
    """Judges the store at `url`, what the `tool` itself logged, and the answers that people were told are recorded.

    `mails` are those that reached people, where they are written to.
    """
    engine = sa.create_engine(sa.make_url(url).set(drivername=_driver(url)), poolclass=sa.NullPool)
    trace = Trace()
    with engine.connect() as db:
        audit = db.execute(sa.text("SELECT seq, fact, previous, hash FROM audit ORDER BY seq")).mappings().all()
        bodies = {name: _bodies(db, name) for name in ("effects", "decisions", "actions", "outbox")}
    engine.dispose()
    facts = [{**json.loads(row["fact"]), "seq": row["seq"]} for row in audit]
    _check_chain(trace, audit, audit_key)
    _check_authority(trace, facts)
    _check_decisions(trace, facts, bodies["decisions"], acknowledged)
    _check_tool(trace, facts, bodies, tool)
    if mails is not None:
        _check_mails(trace, facts, bodies["outbox"], mails)
    return trace


def _driver(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"


def _bodies(db: sa.Connection, table: str) -> list[dict[str, Any]]:
    return [json.loads(body) for body in db.execute(sa.text(f"SELECT body FROM {table}")).scalars()]  # noqa: S608 — constants


def _check_chain(trace: Trace, audit: Any, key: bytes) -> None:
    previous = "0" * 64
    for place, row in enumerate(audit, start=1):
        body = json.dumps(json.loads(row["fact"]), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        said = hmac.new(key, f"{previous}\n{row['seq']}\n{body}".encode(), hashlib.sha256).hexdigest()
        if row["seq"] != place or row["previous"] != previous or row["hash"] != said:
            trace.broken_chain.append(f"row {row['seq']}")
        previous = row["hash"]
    trace.counts["audit rows"] = len(audit)


def _allows(fact: dict[str, Any], started: dict[str, Any]) -> bool:
    said, begun = fact["facts"], started["facts"]
    by, wanted = begun["authorised_by"], begun["argument_hash"]
    if fact["verb"] == "proposal.created":
        by_rule = said["verdict"] == "auto" and by == f"rule:{said['rule']}"
        return by_rule and fact["subject"] == begun["proposal"] and wanted in said["arguments"]
    if fact["verb"] == "decision.recorded":
        return said["decision"] == by and said["status"] == "approved" and wanted in said["arguments"]
    return fact["verb"] == "undo.decided" and said["decision"] == by and said["argument_hash"] == wanted


def _check_authority(trace: Trace, facts: list[dict[str, Any]]) -> None:
    for started in (fact for fact in facts if fact["verb"] == "effect.started"):
        allowing = [fact for fact in facts if fact["seq"] < started["seq"] and _allows(fact, started)]
        trace.counts["effects begun"] += 1
        if len(allowing) != 1:
            trace.unauthorised.append(f"{started['subject']}: {len(allowing)} earlier rows allow it")


def _check_decisions(
    trace: Trace, facts: list[dict[str, Any]], decisions: list[dict[str, Any]], acknowledged: list[dict[str, str]]
) -> None:
    stored = {decision["id"] for decision in decisions}
    audited = {fact["facts"].get("decision") for fact in facts if fact["verb"] in {"decision.recorded", "undo.decided"}}
    trace.counts["decisions acknowledged"] = len(acknowledged)
    for answer in acknowledged:
        if answer["decision"] not in stored & audited:
            trace.lost_decisions.append(f"{answer['decision']} on {answer['about']}")


def _check_tool(trace: Trace, facts: list[dict[str, Any]], bodies: dict[str, list[dict[str, Any]]], tool: Any) -> None:
    begun = {fact["facts"]["effect"]: fact for fact in facts if fact["verb"] == "effect.started"}
    effects = {effect["idempotency_key"]: effect for effect in bodies["effects"]}
    actions = {action["id"]: action for action in bodies["actions"]}
    calls, changes = Counter(row["key"] for row in tool["calls"]), Counter(row["key"] for row in tool["ledger"])
    values = {row["key"]: row["after"] for row in tool["ledger"]}
    trace.counts.update({"raw calls": calls.total(), "ledger changes": changes.total()})
    for key in calls:
        effect = effects.get(key)
        if effect is None or effect["id"] not in begun:
            trace.unauthorised.append(f"the tool was called under {key!r}, which nobody wrote down before")
        elif key in values and begun[effect["id"]]["facts"]["value"] != values[key]:
            trace.unauthorised.append(f"{key!r} set {values[key]!r}, not what was authorised")
    for key, effect in effects.items():
        status = actions[effect["action"]]["status"]
        trace.counts[f"actions {status}"] += 1
        settled = "by person" in str((effect.get("receipt") or {}).get("detail"))
        if changes[key] > 1:
            trace.doubled_changes.append(f"{key!r} changed the tool {changes[key]} times")
        if status in {"done", "compensated"} and changes[key] != 1 and not settled:
            trace.doubled_changes.append(f"{key!r} is {status}, the tool changed {changes[key]} times")
        if status in {"denied", "drifted", "pending"} and changes[key]:
            trace.unasked.append(f"{key!r} is {status}, but the tool changed")
        if status == "executing":
            trace.unfinished.append(f"{key!r} is still executing")


def _check_mails(
    trace: Trace, facts: list[dict[str, Any]], outbox: list[dict[str, Any]], mails: list[dict[str, str]]
) -> None:
    """Nobody who had to be asked was not, and no mail was sent that was not written down before."""
    taken, known = Counter(mail["id"] for mail in mails), {notice["id"]: notice for notice in outbox}
    trace.counts.update({"notices": len(known), "mails": taken.total(), "mails repeated": taken.total() - len(taken)})
    trace.untold += [f"{id_!r} was sent, and is nobody's notice" for id_ in taken if id_ not in known]
    for id_, notice in known.items():
        if notice["status"] not in {"sent", "over"} or (notice["status"] == "sent" and not taken[id_]):
            trace.untold.append(f"{id_!r} to {notice['to']} is {notice['status']}, and was sent {taken[id_]} times")
    asked = {notice["proposal"] for notice in outbox if notice["kind"] == "asked" and taken[notice["id"]]}
    for fact in facts:
        if fact["verb"] == "proposal.created" and fact["facts"]["verdict"] == "ask" and fact["subject"] not in asked:
            trace.untold.append(f"nobody was asked about {fact['subject']}")
