"""What drives rounds and actions on: one port, two drivers (event time and wall time)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from domain.lifecycle import Move


@dataclass(frozen=True, slots=True)
class Work:
    """The kinds of work, bound to a runtime."""

    listen: Callable[[], None]
    reason: Callable[[], None]
    act: Callable[[str], Move]
    enrich: Callable[[], None]
    """Let a model reword what the rules proposed: slow, never waited for, lost without harm."""
    watch: Callable[[], None]
    """Learn what people's answers say of the model providers, and ask those their canary questions when it is time:
    slow, never waited for.
    """


class Driver(Protocol):
    """Decides when work is done, never what."""

    def start(self, work: Work) -> None:
        """Take up everything that waits, and go on until stopped."""
        ...

    def poke(self) -> None:
        """Something new was heard: a round is wanted soon."""
        ...

    def wake(self, actions: Iterable[str]) -> None:
        """Something happened to these actions: look at them now."""
        ...

    def stop(self) -> None: ...
