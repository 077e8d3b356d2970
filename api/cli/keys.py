"""`accord keys`: API keys of people and services."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.command import Command, DefaultGroup
from api.cli.console import Console, columns
from api.cli.settings import config_option, load, person, stored
from domain.audit import Fact

if TYPE_CHECKING:
    from memory.keys import ApiKey

SCOPES = ("read", "signals", "signals-external", "decide", "models", "admin")


@click.group(cls=DefaultGroup)
def keys() -> None:
    """Create, list, rotate and revoke API keys."""


@keys.command("create", cls=Command)
@click.option("--name", required=True, help="What the key is for.")
@click.option("--person", "person_id", required=True, help="Whose key it is: an id of auth.people, or admin.")
@click.option("--scopes", required=True, help=f"What it may do, by comma: {', '.join(SCOPES)}.")
@click.option("--expires-d", type=click.FloatRange(min=0, min_open=True, max=3650), help="Days until it ends.")
@config_option
@click.pass_obj
def create(
    console: Console, name: str, person_id: str, scopes: str, expires_d: float | None, config: Path | None
) -> None:
    """Create a key; its secret is shown once.

    \b
    Example:
      accord keys create --name warehouse --person ana --scopes read,signals --json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    wanted = _scopes(scopes)
    settings = load(config)
    with stored(settings) as store:
        owner = person(settings, store, person_id)
        now = datetime.now(UTC)
        fact = Fact(
            at=now,
            actor="cli",
            verb="key.created",
            subject=name,
            facts={"person": owner.id, "scopes": sorted(wanted)},
        )
        expires_at = None if expires_d is None else now + timedelta(days=expires_d)
        number, secret = store.keys.create(name, owner.id, wanted, now, expires_at=expires_at, facts=[fact])
    console.answer({"id": number, "key": secret}, [f"{number}  {secret}", "Keep it now: it is shown once."])


def _scopes(text: str) -> list[str]:
    wanted = [scope.strip() for scope in text.split(",") if scope.strip()]
    wrong = [scope for scope in wanted if scope not in SCOPES]
    if wrong or not wanted:
        given = f"no scope {wrong[0]!r}" if wrong else "nothing named"
        raise click.BadParameter(f"there is {given}. Choose from {', '.join(SCOPES)}.", param_hint="--scopes")
    return wanted


@keys.command("list", cls=Command)
@config_option
@click.pass_obj
def list_(console: Console, config: Path | None) -> None:
    """List keys without their secrets, newest first."""
    from agents.replay import everything

    with stored(load(config)) as store:
        found: list[ApiKey] = list(everything(store.keys.page))
    rows = [(k.id, k.name, k.person, ",".join(k.scopes), _state(k)) for k in found]
    console.answer({"items": [asdict(key) for key in found]}, columns(rows) or ["There are no keys yet."])


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "live"


@keys.command("rotate", cls=Command)
@click.argument("key_id")
@click.option("--overlap-h", type=click.FloatRange(0, 720), default=0.0, help="Hours in which the old one still works.")
@config_option
@click.pass_obj
def rotate(console: Console, key_id: str, overlap_h: float, config: Path | None) -> None:
    """Put a new key in place of an old one, for the same person and scopes; its secret is shown once."""
    with stored(load(config)) as store:
        now = datetime.now(UTC)
        fact = Fact(at=now, actor="cli", verb="key.rotated", subject=key_id)
        number, secret = store.keys.rotate(key_id, now, timedelta(hours=overlap_h), facts=[fact])
    console.answer({"id": number, "key": secret}, [f"{number}  {secret}", "Keep it now: it is shown once."])


@keys.command("revoke", cls=Command)
@click.argument("key_id")
@config_option
@click.pass_obj
def revoke(console: Console, key_id: str, config: Path | None) -> None:
    """Revoke a key: from now on it opens nothing."""
    with stored(load(config)) as store:
        now = datetime.now(UTC)
        store.keys.revoke(key_id, now, facts=[Fact(at=now, actor="cli", verb="key.revoked", subject=key_id)])
    console.answer({"id": key_id, "revoked": True}, [f"{key_id} is revoked."])
