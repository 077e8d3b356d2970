"""`accord policy`: what the rules say, of a file, of one action, of the last weeks, and in former versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.command import Command, Group
from api.cli.console import Console, columns
from api.cli.settings import config_option, load, opened
from domain.errors import InputError

if TYPE_CHECKING:
    from agents.hindsight import Hindsight
    from agents.parts import Runtime
    from domain.actions import ActionSpec
    from domain.explain import Explanation
    from domain.policy import Policy

_VERDICTS = {"auto": "runs by itself", "ask": "asks a person", "deny": "is denied"}


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
    value = {"path": str(chosen) if chosen else None, **_shown(found)}
    said = f"{chosen or 'No policy file: the default'} holds, version {found.version}. What no rule matches asks."
    console.answer(value, [said, *_rules(found)])


@policy.command("explain", cls=Command)
@click.argument("proposal", required=False)
@click.option("--kind", help="Kind of the action, such as ads.budget.set.")
@click.option("--entity", help="What it acts on, such as budget:search-brand.")
@click.option("--value", help="The state it would set; money in minor units, else JSON or plain text.")
@click.option("--expect", help="The state it takes for granted now.")
@click.option("--currency", help="ISO code, for money.")
@config_option
@click.pass_obj
def explain_(console: Console, proposal: str | None, config: Path | None, **described: str | None) -> None:
    """Say why the policy in force lets an action run, asks or denies: of a proposal, or of one you describe.

    \b
    Examples:
      accord policy explain prop_9c2d7e4f315b1f0a
      accord policy explain --kind ads.budget.set --entity budget:ctv --value 13000 --expect 12000 --currency EUR
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    with opened(load(config)) as runtime:
        if proposal is not None:
            found = runtime.store.proposals.get(proposal)
            specs = [action.spec for action in found.actions if action.undo_of is None]
            readings = [_explained(runtime, spec, tainted=found.tainted, demanded=found.mandatory) for spec in specs]
        elif described["kind"] is not None:
            specs = [_spec(described)]
            readings = [_explained(runtime, specs[0])]
        else:
            raise click.UsageError("Name a proposal, or describe an action with --kind, --entity, --value, --expect.")
    pairs = list(zip(specs, readings, strict=True))
    items = [{"action": spec.model_dump(mode="json"), **read.model_dump(mode="json")} for spec, read in pairs]
    console.answer({"items": items}, (line for spec, read in pairs for line in _reading_lines(spec, read)))


@policy.command("simulate", cls=Command)
@click.argument("path", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--days", type=click.IntRange(1, 730), default=90, show_default=True, help="How far to look back.")
@config_option
@click.pass_obj
def simulate(console: Console, path: Path | None, days: int, config: Path | None) -> None:
    """Judge the last weeks' proposals by a policy file (else the one in force): what would it have let run?

    Nothing is changed. Compare before you put a new policy in force.

    \b
    Example:
      accord policy simulate bolder.yaml --days 30
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.hindsight import look_back
    from agents.policies import load_policy

    with opened(load(config)) as runtime:
        found = look_back(runtime, load_policy(path) if path else runtime.policies.current(), days)
    console.answer(found.model_dump(mode="json"), _hindsight_lines(found))


@policy.command("history", cls=Command)
@config_option
@click.pass_obj
def history(console: Console, config: Path | None) -> None:
    """List every version that was in force, newest first."""
    with opened(load(config)) as runtime:
        in_force = runtime.policies.current().version
        kept = runtime.policy_history.all()
    items = [{"version": each.version, "since": each.since, "in_force": each.version == in_force} for each in kept]
    rows = [(i["version"], f"{i['since']:%Y-%m-%d %H:%M} UTC", "in force" if i["in_force"] else "") for i in items]
    console.answer({"items": items}, columns([("VERSION", "FIRST IN FORCE", ""), *rows]))


@policy.command("show", cls=Command)
@click.argument("version", required=False)
@config_option
@click.pass_obj
def show(console: Console, version: str | None, config: Path | None) -> None:
    """Show the rules in force, or those of a former version, and where each rule with bounds of trust stands."""
    with opened(load(config)) as runtime:
        found = runtime.policy_history.get(version).policy if version else runtime.policies.current()
        standings = runtime.track_record.standings(found)
    trust = {rule: {"level": s.level, "because": s.because, "since": s.since} for rule, s in standings.items()}
    lines = [f"Version {found.version}", *_rules(found)]
    lines += [f"Trust in {rule}: {s.level} ({s.because})" for rule, s in standings.items()]
    console.answer({**_shown(found), "trust": trust}, lines)


def _shown(found: Policy) -> dict[str, Any]:
    return {
        "version": found.version,
        "limits": found.limits.model_dump(mode="json"),
        "rules": [rule.model_dump(mode="json") for rule in found.rules],
    }


def _rules(found: Policy) -> list[str]:
    rows = [
        (rule.id, rule.match.kind or "*", rule.match.entity or "*", rule.verdict, " or ".join(rule.roles) or "-")
        for rule in found.rules
    ]
    return columns([("RULE", "KIND", "ENTITY", "VERDICT", "ROLES"), *rows])


def _explained(runtime: Runtime, spec: ActionSpec, *, tainted: bool = False, demanded: bool = False) -> Explanation:
    from agents.judgement import explain_now

    return explain_now(runtime, spec, tainted=tainted, demanded=demanded)


def _json(text: str | None) -> Any:
    """`text` as JSON where it is some, so that 120 is a number and paused a word."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _spec(described: dict[str, str | None]) -> ActionSpec:
    from pydantic import ValidationError

    from domain.actions import ActionSpec

    try:
        read = {"value": _json(described["value"]), "expect": _json(described["expect"])}
        return ActionSpec.model_validate({**described, **read})
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"This is no action: {said}. Mend the options and ask again.") from error


def _reading_lines(spec: ActionSpec, found: Explanation) -> Iterator[str]:
    verdict = found.verdict
    yield f"{spec.kind} {spec.entity or ''} {_VERDICTS[verdict.kind]}: {verdict.reason} ({verdict.rule})"
    if verdict.kind == "ask" and verdict.roles:
        yield f"  asked: {verdict.quorum} of {' or '.join(verdict.roles)}, within {verdict.expires_h:g} hours"
    yield from (f"  {'>' if r.speaks else ' '} {r.rule} ({r.says}): {r.because}" for r in found.rules)
    limits = (check for check in verdict.checks if not check.name.startswith("rule "))
    yield from (f"  {'ok' if check.passed else 'no'} {check.name}: {check.detail}" for check in limits)


def _hindsight_lines(found: Hindsight) -> Iterator[str]:
    from domain.money import money_text

    yield f"{found.proposals} proposals since {found.since:%Y-%m-%d}, judged by version {found.policy_version}:"
    rows = [(kind, found.was[kind], found.would_be[kind]) for kind in found.was]
    yield from columns([("", "WAS", "WOULD BE"), *rows])
    moved, most = (money_text(m, found.currency) for m in (found.moved_by_itself_minor, found.most_in_a_day_minor))
    yield f"Budgets moved by themselves: {moved} a day in all, {most} at most within 24 hours."
    if not found.changed:
        yield "No proposal would have been judged otherwise."
    for reading in found.changed[-20:]:
        yield f"  {reading.was} → {reading.would_be}  {reading.proposal}  {reading.title} ({reading.rule})"
    if len(found.changed) > 20:
        yield f"  … and {len(found.changed) - 20} older ones: --json lists all."
