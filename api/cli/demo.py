"""`accord demo`: the simulated company through its weeks, in event time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.command import Command
from api.cli.console import Console, Progress
from api.cli.settings import config_option, load

if TYPE_CHECKING:
    from agents.demo import DemoProgress


@click.command(cls=Command)
@click.option("--headless", is_flag=True, help="Leave out the day-by-day lines.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed, another company.")
@click.option("--weeks", type=click.IntRange(1, 104), default=26, show_default=True, help="How long it lives.")
@config_option
@click.pass_obj
def demo(console: Console, headless: bool, seed: int, weeks: int, config: Path | None) -> None:  # noqa: FBT001 — click's
    """Play the demo company and show what Accord saw, proposes, what was decided, and what it brought.

    Nothing is staged: another seed is another company with other numbers. A scripted person approves what policy lets
    them. Interrupted, it goes on where it stood when started again.

    \b
    Examples:
      accord demo
      accord demo --headless --seed 7 --json > seven.json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.demo import run_demo
    from api.cli.story import as_object, told

    watch = Watch(console, quiet=headless or console.as_json)
    try:
        runtime = run_demo(load(config), seed=seed, weeks=weeks, watch=watch.day)
    finally:
        watch.close()
    try:
        if console.as_json:
            console.data(as_object(runtime))
            return
        for line in told(runtime):
            console.say(line)
    finally:
        runtime.close()


class Watch:
    """Shows the days of a demo company as they pass: a line for each new situation, and how far it is."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console, self._quiet = console, quiet
        self._progress = Progress("Days lived")

    def day(self, passed: DemoProgress) -> None:
        for situation in () if self._quiet else passed.opened:
            self._console.note(f"{passed.day:%Y-%m-%d}  {situation.title}")
        self._progress.of(passed.days)
        self._progress.at(passed.done)

    def close(self) -> None:
        self._progress.close()
