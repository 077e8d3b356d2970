"""What a connector is: a source that reads signals, an actuator that writes actions, a manifest that says what it may.

An optional part is a Protocol of its own: an actuator that cannot undo does not have `compensate` at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from connectors.manifest import Manifest
from domain.actions import ActionSpec, Receipt


@dataclass(frozen=True, slots=True)
class Batch:
    """CloudEvents and where to go on; a cursor equal to the one given says that nothing is left for now."""

    events: list[dict[str, Any]]
    cursor: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What an action would change. Money in minor units; `drifted` when `before` is not what the action expects."""

    kind: str
    entity: str | None
    before: Any
    after: Any
    currency: str | None
    drifted: bool


@dataclass(frozen=True, slots=True)
class Compensation:
    """Whether an effect was taken back, what the tool shows now, and if not, why not."""

    done: bool
    state: dict[str, Any] = field(default_factory=dict[str, Any])
    why_not: str | None = None


class Source(Protocol):
    """Reads a tool's signals in order, page by page."""

    def read(self, cursor: str | None) -> Batch:
        """Events after `cursor` (None: from the start). The same cursor gives the same events with the same ids.

        Raises TransientError when it is worth another try, TerminalError when not.
        """
        ...


class Actuator(Protocol):
    """Writes actions into a tool; only execution calls `apply`."""

    def preview(self, action: ActionSpec) -> Diff:
        """What `apply` would change now; touches nothing."""
        ...

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        """Bring about the state `action` asks for; with a known key, only report what was done before.

        Raises Conflict (facts: `state`) when the state drifted from `expect`; TerminalError when the tool
        refuses; TransientError when nothing was written, or with the fact `outcome="unknown"` when it may have been.
        """
        ...

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        """State of the action's entity as the tool shows it: by action kind, money in minor units."""
        ...


@runtime_checkable
class Validates(Protocol):
    def validate(self, action: ActionSpec) -> None:
        """The tool's own dry run. Raises TerminalError that says what it would refuse."""
        ...


@runtime_checkable
class Compensates(Protocol):
    def compensate(self, receipt: Receipt) -> Compensation:
        """Restore what was recorded before the effect of `receipt`, unless somebody changed it since."""
        ...


@dataclass(frozen=True, slots=True)
class Connector:
    """A configured connector. A tool that cannot be read, or not be written, lacks that part."""

    name: str
    manifest: Manifest
    source: Source | None = None
    actuator: Actuator | None = None
    unlock: Callable[[Mapping[str, str]], Actuator] | None = None
    """Makes the actuator that may write, from secrets released for one call; `actuator` then needs to read only."""
