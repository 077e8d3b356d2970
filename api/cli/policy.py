"""`accord policy check`: whether policy.yaml says what it means."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.command import Command, Group
from api.cli.console import Console, columns
from api.cli.settings import config_option, load


@click.group(cls=Group)
def policy() -> None:
    """Look at the policy."""


@policy.command("check", cls=Command)
@click.argument("path", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@click.pass_obj
def check(console: Console, path: Path | None, config: Path | None) -> None:
    """Check a policy file (else the configured one) and show its rules in order.

    \b
    Example:
      accord policy check policy.yaml
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.policies import DEFAULT_POLICY, load_policy

    chosen = path or load(config).policy
    found = load_policy(chosen) if chosen else DEFAULT_POLICY
    rows = [
        (rule.id, rule.match.kind or "*", rule.match.entity or "*", rule.verdict, " or ".join(rule.roles) or "-")
        for rule in found.rules
    ]
    value = {
        "path": str(chosen) if chosen else None,
        "version": found.version,
        "limits": found.limits.model_dump(mode="json"),
        "rules": [rule.model_dump(mode="json") for rule in found.rules],
    }
    said = f"{chosen or 'No policy file: the default'} holds, version {found.version}. What no rule matches asks."
    console.answer(value, [said, *columns([("RULE", "KIND", "ENTITY", "VERDICT", "ROLES"), *rows])])
