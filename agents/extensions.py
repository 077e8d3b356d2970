"""Loads what other packages add by entry point, and keeps one that fails or hangs from harming the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, TypeVar

from domain.ports import Context, Detector, Specialist, View
from domain.proposals import Candidate
from domain.situations import Finding, Situation

Group = Literal["accord.detectors", "accord.specialists", "accord.signals", "accord.scorers"]
GROUPS: tuple[Group, ...] = ("accord.detectors", "accord.specialists", "accord.signals", "accord.scorers")
TIME_LIMIT_S = 5.0

T = TypeVar("T")


@dataclass(slots=True)
class ExtensionStatus:
    """How one extension fares. `fault` is the newest failure in words; None while it behaves."""

    group: str
    name: str
    origin: str
    fault: str | None = None
    failures: int = 0

    def record(self, fault: str) -> None:
        self.fault, self.failures = fault, self.failures + 1


@dataclass(slots=True)
class Extensions:
    """What was loaded, and the status of everything that was found."""

    detectors: list[Detector] = field(default_factory=list[Detector])
    specialists: list[Specialist] = field(default_factory=list[Specialist])
    signals: dict[str, Any] = field(default_factory=dict[str, Any])
    scorers: dict[str, Any] = field(default_factory=dict[str, Any])
    status: list[ExtensionStatus] = field(default_factory=list[ExtensionStatus])


class Unresponsive(Exception):
    """Extension code did not come back within its time."""


def call_within(work: Callable[[], T], limit_s: float, name: str) -> T:
    """Runs `work` in a thread of its own and waits `limit_s` seconds for it. Raises what it raised, or Unresponsive.

    Python cannot end a thread: one that hangs stays behind as a daemon and does not keep the process alive.
    """
    outcome: list[T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # edge: foreign code, re-raised in the thread that waits
            faults.append(error)

    thread = threading.Thread(target=run, name=f"extension-{name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise Unresponsive(f"did not answer within {limit_s:g} s")
    if faults:
        raise faults[0]
    return outcome[0]


def attempt(work: Callable[[], T], status: ExtensionStatus, limit_s: float) -> T | None:
    """What `work` returns, or None with the fault written to `status`."""
    try:
        return call_within(work, limit_s, status.name)
    except (Exception, SystemExit) as error:  # edge: an extension must never take the round with it
        status.record(f"{type(error).__name__}: {error}")
        return None


class ContainedDetector:
    """A foreign detector behind the fence. After it hung once it is not asked again in this process."""

    def __init__(self, detector: Detector, status: ExtensionStatus, limit_s: float) -> None:
        self.name, self._detector, self._status, self._limit_s = status.name, detector, status, limit_s
        self._hung = False

    def find(self, view: View) -> Iterable[Finding]:
        found = None if self._hung else attempt(lambda: list(self._detector.find(view)), self._status, self._limit_s)
        self._hung = self._hung or _hangs(self._status)
        return _only(Finding, found, self._status, lambda item: item.model_copy(update=self._own(item)))

    def _own(self, finding: Finding) -> dict[str, str]:
        return {"key": f"{self.name}/{finding.key}"}


class ContainedSpecialist:
    """A foreign specialist behind the fence; what it says of another situation is dropped."""

    def __init__(self, specialist: Specialist, status: ExtensionStatus, limit_s: float) -> None:
        self.name, self._specialist, self._status, self._limit_s = status.name, specialist, status, limit_s
        self._hung = False

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        if self._hung:
            return []
        work = lambda: list(self._specialist.propose(situation, context))  # noqa: E731 — one expression, used once
        found = attempt(work, self._status, self._limit_s)
        self._hung = _hangs(self._status)
        own = {"situation": situation.id, "specialist": self.name, "mandatory": False}
        return _only(Candidate, found, self._status, lambda item: item.model_copy(update=own))


def _hangs(status: ExtensionStatus) -> bool:
    return (status.fault or "").startswith(Unresponsive.__name__)


def _only(kind: type[T], found: Sequence[object] | None, status: ExtensionStatus, adopt: Callable[[T], T]) -> list[T]:
    """The items of the right type; a wrong one is a fault of the extension, not of its neighbours."""
    kept: list[T] = []
    for item in found or ():
        if isinstance(item, kind):
            kept.append(adopt(item))
        else:
            status.record(f"returned {type(item).__name__!r} where a {kind.__name__} is due")
    return kept


def load_extensions(found: Iterable[EntryPoint] | None = None, *, limit_s: float = TIME_LIMIT_S) -> Extensions:
    """Every installed extension, each behind its fence. `found` replaces the installed entry points in tests."""
    extensions = Extensions()
    for point in _installed() if found is None else found:
        status = ExtensionStatus(point.group, point.name, point.value)
        extensions.status.append(status)
        loaded = attempt(point.load, status, limit_s)
        if loaded is not None:
            _register(extensions, loaded, status, limit_s)
    return extensions


def _installed() -> Iterator[EntryPoint]:
    for group in GROUPS:
        yield from sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def _register(extensions: Extensions, loaded: Callable[[], object], status: ExtensionStatus, limit_s: float) -> None:
    match status.group:
        case "accord.detectors":
            detector = attempt(loaded, status, limit_s)
            if isinstance(detector, Detector):
                extensions.detectors.append(ContainedDetector(detector, status, limit_s))
            else:
                _refuse(detector, "Detector", status)
        case "accord.specialists":
            specialist = attempt(loaded, status, limit_s)
            if isinstance(specialist, Specialist):
                extensions.specialists.append(ContainedSpecialist(specialist, status, limit_s))
            else:
                _refuse(specialist, "Specialist", status)
        case "accord.signals":
            extensions.signals[status.name] = loaded
        case _:
            extensions.scorers[status.name] = loaded


def _refuse(made: object, port: str, status: ExtensionStatus) -> None:
    """A factory that failed has its fault written already."""
    if made is not None:
        status.record(f"made a {type(made).__name__!r}, which is no {port}: it needs a name and its method")
