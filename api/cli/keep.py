"""`accord backup`, `restore`, `migrate` and `export`: that what Accord knows lasts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.command import Command
from api.cli.console import Console
from api.cli.settings import config_option, load, stored


@click.command(cls=Command)
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@config_option
@click.pass_obj
def backup(console: Console, path: Path, config: Path | None) -> None:
    """Copy an SQLite store to PATH while it runs, with a manifest beside it (PATH.json).

    The key of the audit chain is not in it: keep ACCORD_AUDIT_KEY, or audit.key of ACCORD_HOME, elsewhere.

    \b
    Example:
      accord backup backups/2026-03-04.db
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from memory.backup import backup as copy

    with stored(load(config)) as store:
        manifest = copy(store, path, datetime.now(UTC))
    lines = [
        f"{manifest.signals:,} signals and {manifest.audit_rows:,} facts are in {path}.",
        f"Head of the audit, to keep elsewhere: {manifest.audit_head}",
    ]
    console.answer({"path": str(path), **asdict(manifest)}, lines)


@click.command(cls=Command)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@click.pass_obj
def restore(console: Console, path: Path, config: Path | None) -> None:
    """Put a backup in place of an absent store. It starts read-only, and actions in flight become unknown.

    Needs the key that signed the audit: set ACCORD_AUDIT_KEY, or put audit.key into the new ACCORD_HOME first.

    \b
    Example:
      ACCORD_HOME=./restored accord restore backups/2026-03-04.db
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.runtime import audit_key
    from memory.backup import restore as put_back

    settings = load(config)
    settings.home.mkdir(parents=True, exist_ok=True)
    manifest = put_back(path, settings.storage_url, datetime.now(UTC), audit_key=audit_key(settings))
    lines = [
        f"{manifest.signals:,} signals and {manifest.audit_rows:,} facts are back, as of {manifest.at}.",
        "Read-only mode is on, and what was under way is unknown. When you have looked into the tools:",
        "  accord mode read-only off --as PERSON",
    ]
    console.answer({**asdict(manifest), "read_only": True}, lines)


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
    """Write everything known as JSON lines, one file for each noun, for other tools to read. No secrets.

    \b
    Example:
      accord export ./records
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from memory.export import export as write_all

    with stored(load(config)) as store:
        counts = write_all(store, folder)
    lines = [f"{count:>8,} {noun}" for noun, count in counts.items()]
    console.answer({"folder": str(folder), "records": counts}, [*lines, f"in {folder}"])
