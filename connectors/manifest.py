"""The manifest of a connector: scopes, limits, owner, what it acts on and what it can undo."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, ValidationError

from domain.errors import ConfigError
from domain.record import Record


class CallLimits(Record):
    """What the tool lets us do; absent means not stated."""

    calls_per_minute: int | None = Field(default=None, gt=0)
    page_events: int | None = Field(default=None, gt=0)


class Manifest(Record):
    """Read from `manifest.toml`. `idempotency` says how a repeated write is kept from acting twice."""

    name: str
    owner: str
    scopes: tuple[str, ...] = ()
    """Rights asked of the tool, in the tool's own words."""
    limits: CallLimits = CallLimits()
    reads: tuple[str, ...] = ()
    """Streams of the tool that the source delivers."""
    kinds: tuple[str, ...] = ()
    """Action kinds the actuator accepts."""
    undo: tuple[str, ...] = ()
    """The part of `kinds` that `compensate` can take back."""
    idempotency: Literal["native", "read_before_write", "none"] = "none"

    def can_undo(self, kind: str) -> bool:
        return kind in self.undo


def read_manifest(path: Path, part: str | None = None) -> Manifest:
    """The manifest at `path`; with `part`, the table `[parts.<part>]` laid over the top level.

    Raises ConfigError that names the file and the field.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path.name!r} of {path.parent.name!r} cannot be read: {error}. Mend the file.") from error
    parts = cast("dict[str, dict[str, Any]]", raw.pop("parts", {}))
    if part is not None and part not in parts:
        known = ", ".join(sorted(parts))
        raise ConfigError(f"{raw.get('name')!r} has no part {part!r}. Name the connector one of {known}.")
    merged = {**raw, **(parts[part] if part is not None else {})}
    try:
        return Manifest.model_validate(merged)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(step) for step in fault["loc"])
        raise ConfigError(f"`{field}` in {path.parent.name!r}/{path.name}: {fault['msg']}. Mend the field.") from error
