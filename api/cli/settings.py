"""How a command gets its settings, the runtime built from them, and the person it acts for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from domain.errors import NotFound

if TYPE_CHECKING:
    from agents.parts import Runtime
    from agents.settings import Settings
    from domain.decisions import Person
    from memory.store import Store

P = ParamSpec("P")
R = TypeVar("R")
DEMO = "demo.json"
"""`agents.demo.ORIGIN`, known here since importing that takes a second."""


def config_option(command: Callable[P, R]) -> Callable[P, R]:
    """Adds `--config`, passed on as a path or None."""
    return click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Configuration file (else ACCORD_CONFIG, else ./accord.yaml).",
    )(command)


def person_option(command: Callable[P, R]) -> Callable[P, R]:
    """Adds `--as`: the person on whose behalf the command acts."""
    return click.option(
        "--as", "person_id", required=True, envvar="ACCORD_AS", metavar="PERSON", help="Who acts: an id of auth.people."
    )(command)


def load(config: Path | None) -> Settings:
    """The settings; on the home of a served demo company those that it is served with."""
    from agents.settings import load_settings

    settings = load_settings(config)
    if not (settings.home / DEMO).exists():
        return settings
    from agents.demo import as_served

    return as_served(settings)


@contextlib.contextmanager
def stored(settings: Settings) -> Generator[Store]:
    """The store of `settings` alone: for what needs no tools, models or rules."""
    from agents.runtime import audit_key
    from memory.store import Store

    settings.home.mkdir(parents=True, exist_ok=True)
    with Store.open(settings.storage_url, audit_key=audit_key(settings)) as store:
        yield store


@contextlib.contextmanager
def opened(settings: Settings) -> Generator[Runtime]:
    """The runtime of `settings` without its driver started: for one question or one change, also beside a server."""
    from agents.runtime import Overrides, build

    runtime = build(settings, Overrides(beside=True))
    try:
        yield runtime
    finally:
        runtime.close()


def person(settings: Settings, store: Store, person_id: str) -> Person:
    """The person called `person_id`. Raises NotFound naming those who are known."""
    known = {one.id: one for one in (*store.people.all(), *settings.auth.people)}
    if person_id not in known:
        names = ", ".join(sorted(known)) or "nobody yet"
        raise NotFound(f"There is no person {person_id!r} (known: {names}). Add them to `auth.people` in accord.yaml.")
    return known[person_id]
