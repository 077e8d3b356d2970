"""`accord audit` and `accord redact`: what is recorded can be proven, kept as long as needed, and forget a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.command import Command, Group
from api.cli.console import EXIT_CHECKS, Console
from api.cli.settings import config_option, load, person_option, stored
from domain.errors import InputError

if TYPE_CHECKING:
    from domain.audit import AuditCheck

LEAST_KEPT = timedelta(days=30)
"""What retention leaves in any case: as long as an action may be undone."""


@click.group(cls=Group)
def audit() -> None:
    """Verify, export and prune the chain of recorded facts."""


@audit.command("verify", cls=Command)
@click.option("--head", help="A head kept elsewhere (hash, or file of `audit head`): then a cut tail shows too.")
@config_option
@click.pass_obj
def verify(console: Console, head: str | None, config: Path | None) -> None:
    """Walk the whole chain. Exits with 3 when a row was changed, moved, cut or rewritten.

    Without --head a cut tail, or a chain rewritten by somebody who has the key, cannot be seen.

    \b
    Example:
      accord audit verify --head head.json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    with stored(load(config)) as store:
        check = store.audit.verify(_hash(head, store.database.audit_key) if head else None)
    _tell(console, check, "" if head else " Without --head a cut tail stays unseen.")


def _hash(head: str, key: bytes) -> str:
    """The hash that `head` is, or that the file of that name holds. Raises InputError for a head of another key."""
    from domain.audit import SignedHead, is_ours

    path = Path(head)
    if not path.is_file():
        return head
    try:
        kept = SignedHead.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{head!r} is no head. Give the file that `accord audit head --out` wrote.") from error
    if not is_ours(kept, key):
        raise InputError(f"{head!r} was not signed with the key of this audit. Give the head of this company.")
    return kept.head


def _tell(console: Console, check: AuditCheck, limit: str = "") -> None:
    said = check.fault or "every row is where and what it was"
    value = {"ok": check.fault is None, "rows": check.rows, "head": check.head, "fault": check.fault}
    console.answer(value, [f"{check.rows:,} rows: {said}.{limit}", f"Head: {check.head}"])
    if check.fault is not None:
        raise click.exceptions.Exit(EXIT_CHECKS)


@audit.command("head", cls=Command)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@config_option
@click.pass_obj
def head(console: Console, out: Path | None, config: Path | None) -> None:
    """Print where the chain ends now, signed. Keep it where who can write the store cannot.

    \b
    Example:
      accord audit head --out /mnt/safe/2026-03-04.json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    with stored(load(config)) as store:
        signed = store.audit.signed_head(datetime.now(UTC))
    if out is not None:
        out.write_text(signed.model_dump_json(indent=2) + "\n", encoding="utf-8")
    lines = [f"{signed.rows:,} rows at {signed.at:%Y-%m-%d %H:%M} UTC", f"Head: {signed.head}"]
    console.answer(signed.model_dump(mode="json"), [*lines, *([f"in {out}"] if out else [])])


@audit.command("export", cls=Command)
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-words", is_flag=True, help="Leave out names and words of people; it verifies as well.")
@config_option
@click.pass_obj
def export(console: Console, path: Path, without_words: bool, config: Path | None) -> None:  # noqa: FBT001 — click's flag
    """Write the chain as JSON lines that verify without the store.

    \b
    Example:
      accord audit export audit.jsonl && accord audit check audit.jsonl
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from domain.audit_export import export_lines

    with stored(load(config)) as store, path.open("w", encoding="utf-8") as file:
        signed, start = store.audit.signed_head(datetime.now(UTC)), store.audit.checkpoint()
        for line in export_lines(start, store.audit.sealed_rows(), signed, words=not without_words):
            file.write(line + "\n")
    console.answer(
        {"path": str(path), **signed.model_dump(mode="json")},
        [f"{signed.rows:,} rows in {path}", f"Head: {signed.head}"],
    )


@audit.command("check", cls=Command)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@click.pass_obj
def check(console: Console, path: Path, config: Path | None) -> None:
    """Verify an exported audit, without the store. Needs the key (ACCORD_AUDIT_KEY, or audit.key of ACCORD_HOME).

    \b
    Example:
      ACCORD_AUDIT_KEY=… accord audit check audit.jsonl
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.runtime import audit_key
    from domain.audit_export import check_export

    with path.open(encoding="utf-8") as file:
        _tell(console, check_export(file, audit_key(load(config))))


@audit.command("prune", cls=Command)
@click.option("--before", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Facts from before this day go.")
@click.option("--reason", required=True, help="Why, for the audit.")
@person_option
@config_option
@click.pass_obj
def prune(console: Console, before: datetime, reason: str, person_id: str, config: Path | None) -> None:
    """Take away old facts. A signed checkpoint stands for them, so that the rest verifies.

    \b
    Example:
      accord audit prune --before 2025-01-01 --as emma --reason "kept for a year"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from api.cli.settings import person

    now, day, settings = datetime.now(UTC), before.replace(tzinfo=UTC), load(config)
    if day > now - LEAST_KEPT:
        raise InputError(f"`--before` {day:%Y-%m-%d} is too late: {LEAST_KEPT.days} days are kept in any case.")
    with stored(settings) as store:
        who = person(settings, store, person_id)
        count = store.audit.prune(day, actor=f"person:{who.id}", reason=reason, now=now)
    console.answer({"pruned": count}, [f"{count:,} facts from before {day:%Y-%m-%d} are gone."])


@click.command(cls=Command)
@click.argument("name")
@click.option("--reason", required=True, help="Why, for the audit.")
@person_option
@config_option
@click.pass_obj
def redact(console: Console, name: str, reason: str, person_id: str, config: Path | None) -> None:
    """Erase a person (NAME: person:ID) from the store, recall and the words of the audit, which still verifies.

    Backups and exports made before keep what they hold; a person of accord.yaml has to be taken out there; a
    running server forgets at its next start.

    \b
    Example:
      accord redact person:p-117 --as emma --reason "asked to be forgotten"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from api.cli.settings import opened, person
    from memory.redact import redact as erase

    settings = load(config)
    with opened(settings) as runtime:
        who = person(settings, runtime.store, person_id)
        done = erase(runtime.store.database, name, actor=f"person:{who.id}", reason=reason, now=runtime.clock.now())
        runtime.recall.index()
    value = {"token": done.token, "rows": done.rows, "swept": done.swept}
    console.answer(value, _erased(done.token, done.rows, swept=done.swept))


def _erased(token: str, rows: dict[str, int], *, swept: bool) -> Iterator[str]:
    yield f"{token} stands where the person stood."
    yield from (f"{count:>8,} {table}" for table, count in rows.items())
    if not swept:
        yield "The database was busy, so freed pages were not overwritten. Stop the server and run it again."
