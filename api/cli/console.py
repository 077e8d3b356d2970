"""What a command says and where: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import TextIO

import click

EXIT_FAILURE, EXIT_USAGE, EXIT_CHECKS, EXIT_INTERRUPTED = 1, 2, 3, 130
_SILENT_S = 1.0  # work shorter than this shows no progress
_TTY_EVERY_S, _LINE_EVERY_S = 0.1, 2.0


@dataclass(slots=True)
class Console:
    """The two streams of one command, and whether a person or a program reads the first."""

    as_json: bool = False
    debug: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)

    def data(self, value: object) -> None:
        """`value` as one JSON document on stdout, indented for a person, one line for a program."""
        text = json.dumps(value, ensure_ascii=False, default=str, indent=None if self.as_json else 2)
        click.echo(text, file=self.out)

    def answer(self, value: object, lines: Iterable[str]) -> None:
        """`value` for a program (`--json`), `lines` for a person."""
        if self.as_json:
            self.data(value)
            return
        for line in lines:
            self.say(line)

    def say(self, text: str) -> None:
        """A line of the result for a person; with `--json` it goes to stderr."""
        click.echo(text, file=sys.stderr if self.as_json else self.out, color=colour())

    def note(self, text: str) -> None:
        """A line about the work, never part of the result."""
        click.echo(text, file=sys.stderr, color=colour())

    def warn(self, text: str) -> None:
        self.note(f"{click.style('Warning:', fg='yellow')} {text}")

    def fault(self, code: str, detail: str, **facts: object) -> None:
        """A failure: one line on stderr, and with `--json` also an object on stdout."""
        self.note(f"{click.style('Error:', fg='red', bold=True)} {detail}")
        if self.as_json:
            self.data({"error": {"code": code, "detail": detail, **facts}})

    @contextlib.contextmanager
    def progress(self, label: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        """A callable that takes how much is done and shows it on stderr once a second has passed."""
        bar = Progress(label, total)
        try:
            yield bar.at
        finally:
            bar.close()


class Progress:
    """How far something is: one line that rewrites itself on a terminal, plain lines elsewhere."""

    def __init__(self, label: str, total: int | None = None) -> None:
        self._label, self._total = label, total
        self._tty = sys.stderr.isatty()
        self._next_s = time.monotonic() + _SILENT_S
        self._shown = False

    def of(self, total: int) -> None:
        """How much there is in all, once it is known."""
        self._total = total

    def at(self, done: int) -> None:
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + (_TTY_EVERY_S if self._tty else _LINE_EVERY_S)
        self._shown = True
        text = f"{self._label}: {done:,}" + (f" of {self._total:,}" if self._total else "")
        click.echo(f"\r\033[K{text}" if self._tty else text, nl=not self._tty, err=True)

    def close(self) -> None:
        if self._shown and self._tty:
            click.echo(err=True)


def colour() -> bool | None:
    """False when the person asked for none (NO_COLOR), else None: click asks whether the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def columns(rows: Iterable[Iterable[object]]) -> list[str]:
    """`rows` as lines whose cells stand under each other."""
    table = [[str(cell) for cell in row] for row in rows]
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
