"""`accord audit`, `backup`, `restore`, `migrate` and `export`: that what Accord knows lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.command import Command, Group
from api.cli.console import EXIT_CHECKS, Console
from api.cli.settings import config_option, load, opened

if TYPE_CHECKING:
    from memory.store import Store

_OUT_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def audit() -> None:
    """Verify the chain of recorded facts."""


@audit.command("verify", cls=Command)
@click.option("--head", help="Hash of a head kept elsewhere: then a cut tail shows too.")
@config_option
@click.pass_obj
def verify(console: Console, head: str | None, config: Path | None) -> None:
    """Walk the whole chain. Exits with 3 when a row was changed, moved or cut.

    \b
    Example:
      accord audit verify --head 5f1c…
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    with opened(load(config)) as runtime:
        check = runtime.store.audit.verify(head)
    said = check.fault or "every row is where and what it was"
    value = {"ok": check.fault is None, "rows": check.rows, "head": check.head, "fault": check.fault}
    console.answer(value, [f"{check.rows:,} rows: {said}.", f"Head: {check.head}"])
    if check.fault is not None:
        raise click.exceptions.Exit(EXIT_CHECKS)


@click.command(cls=Command)
@click.argument("path", type=_OUT_FILE)
@config_option
@click.pass_obj
def backup(console: Console, path: Path, config: Path | None) -> None:
    """Copy the whole store to one compressed file, while work goes on. It holds no keys of the audit chain.

    \b
    Example:
      accord backup accord-2026-03-04.jsonl.gz
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from memory.backup import write_backup

    with opened(load(config)) as runtime:
        with console.progress("Rows written") as at:
            rows = write_backup(runtime.store.database, path, at)
        head = runtime.store.audit.head()
    lines = [f"{rows:,} rows are in {path}.", f"Head of the audit, to keep elsewhere: {head}"]
    console.answer({"path": str(path), "rows": rows, "head": head}, lines)


@click.command(cls=Command)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@click.pass_obj
def restore(console: Console, path: Path, config: Path | None) -> None:
    """Fill an empty store from a backup. It starts read-only, and actions in flight become unknown.

    The audit can be verified only with the key that signed it: set ACCORD_AUDIT_KEY, or bring audit.key along.

    \b
    Example:
      ACCORD_HOME=./restored accord restore accord-2026-03-04.jsonl.gz
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.restore import quarantine
    from memory.backup import read_backup

    with opened(load(config)) as runtime:
        with console.progress("Rows read") as at:
            rows = read_backup(runtime.store.database, path, at)
        fault = runtime.store.audit.verify().fault
        unknown = quarantine(runtime.store, runtime.clock.now())
    if fault is not None:
        console.warn(f"The audit does not verify: {fault}. Set the ACCORD_AUDIT_KEY it was signed with.")
    lines = [
        f"{rows:,} rows are back; {len(unknown)} actions in flight are unknown: look in their tools.",
        "Read-only mode is on. When you have looked: accord mode read-only off --as PERSON",
    ]
    value = {"rows": rows, "read_only": True, "unknown_actions": list(unknown), "audit_fault": fault}
    console.answer(value, lines)


@click.command(cls=Command)
@config_option
@click.pass_obj
def migrate(console: Console, config: Path | None) -> None:
    """Bring the tables up to date. SQLite does so by itself; Postgres waits for this."""
    from memory.store import migrate as bring_up_to_date
    from memory.tables import REVISION

    settings = load(config)
    settings.home.mkdir(parents=True, exist_ok=True)
    bring_up_to_date(settings.storage_url)
    console.answer({"revision": REVISION}, [f"The tables are at version {REVISION}."])


@click.command(cls=Command)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@config_option
@click.pass_obj
def export(console: Console, folder: Path, config: Path | None) -> None:
    """Write all records as JSON lines in API shapes, one file for each noun, for other tools to read.

    \b
    Example:
      accord export ./records
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    counts: dict[str, int] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with opened(load(config)) as runtime, console.progress("Records written") as at:
        for noun, (rows, shape) in _nouns(runtime.store).items():
            with (folder / f"{noun}.jsonl").open("w", encoding="utf-8") as file:
                counts[noun] = 0
                for row in rows:
                    file.write(shape(row) + "\n")
                    counts[noun] += 1
                    at(sum(counts.values()))
    lines = [f"{count:>8,} {noun}" for noun, count in counts.items()]
    console.answer({"folder": str(folder), "records": counts}, [*lines, f"in {folder}"])


def _nouns(store: Store) -> dict[str, tuple[Iterator[Any], Callable[[Any], str]]]:
    from agents.replay import everything
    from api.schemas.proposals import of_action, of_decision, of_proposal
    from api.schemas.situations import of_situation

    return {
        "signals": (everything(store.signals.page), lambda row: _json(row.raw)),
        "situations": (everything(store.situations.page), lambda row: of_situation(row).model_dump_json(by_alias=True)),
        "proposals": (everything(store.proposals.page), lambda row: of_proposal(row).model_dump_json(by_alias=True)),
        "decisions": (everything(store.decisions.page), lambda row: of_decision(row).model_dump_json(by_alias=True)),
        "actions": (everything(store.actions.page), lambda row: of_action(row).model_dump_json(by_alias=True)),
        "effects": (everything(store.effects.page), _json),
        "outcomes": (everything(store.outcomes.page), _json),
        "lessons": (everything(store.outcomes.lesson_page), _json),
        "audit": (store.audit.rows(), _json),
    }


def _json(row: object) -> str:
    import json

    from pydantic import BaseModel

    if isinstance(row, BaseModel):
        return row.model_dump_json(by_alias=True)
    value = asdict(row) if is_dataclass(row) and not isinstance(row, type) else row
    return json.dumps(value, ensure_ascii=False, default=str)
