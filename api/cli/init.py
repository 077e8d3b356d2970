"""`accord init`: a commented configuration to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from api.cli.command import Command
from api.cli.console import Console
from domain.errors import Conflict

_WRITTEN = {"accord.yaml": "accord.yaml", "policy.yaml": "policy.yaml", ".env.example": "env.example"}


@click.command(cls=Command)
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.pass_obj
def init(console: Console, folder: Path, force: bool) -> None:  # noqa: FBT001 — click's
    """Write accord.yaml, policy.yaml and .env.example into FOLDER (here when left out).

    \b
    Example:
      accord init && accord doctor
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    present = [name for name in _WRITTEN if (folder / name).exists()]
    if present and not force:
        raise Conflict(f"{', '.join(present)} exist in {str(folder)!r}. Nothing was written; use --force to overwrite.")
    folder.mkdir(parents=True, exist_ok=True)
    starter = files("api.cli") / "starter"
    for name, origin in _WRITTEN.items():
        (folder / name).write_text((starter / origin).read_text(encoding="utf-8"), encoding="utf-8")
    written = [str(folder / name) for name in _WRITTEN]
    lines = [*(f"wrote {path}" for path in written), "Next: put your people and rules in, then `accord doctor`."]
    console.answer({"written": written}, lines)
