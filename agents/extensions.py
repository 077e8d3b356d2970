"""Loads what other packages add by entry point, and keeps one that fails or hangs from harming the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from itertools import islice
from typing import Any, Literal, TypeVar, cast

from connectors.fence import ExtensionStatus, Unresponsive, call_within
from domain.errors import InputError
from domain.ports import Context, Detector, Specialist, View
from domain.proposals import Candidate
from domain.record import Record
from domain.signals import Signal, SignalData
from domain.situations import Finding, Situation

Group = Literal["accord.detectors", "accord.specialists", "accord.signals", "accord.scorers"]
GROUPS: tuple[Group, ...] = ("accord.detectors", "accord.specialists", "accord.signals", "accord.scorers")
TIME_LIMIT_S = 5.0
MOST_ITEMS = 1000
"""Findings or candidates taken from one call: a generator without end must not fill the memory."""

T = TypeVar("T")
R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class Extensions:
    """What was loaded, and the status of everything that was found."""

    detectors: list[Detector] = field(default_factory=list[Detector])
    specialists: list[Specialist] = field(default_factory=list[Specialist])
    signals: dict[str, type[SignalData]] = field(default_factory=dict[str, type[SignalData]])
    scorers: dict[str, Any] = field(default_factory=dict[str, Any])
    status: list[ExtensionStatus] = field(default_factory=list[ExtensionStatus])


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

    def find(self, view: View) -> Iterable[Finding]:
        work = lambda: _taken(Finding, self._detector.find(view), self._status)  # noqa: E731 — one expression
        found = [] if hung(self._status) else attempt(work, self._status, self._limit_s) or []
        return [finding.model_copy(update={"key": f"{self.name}/{finding.key}"}) for finding in found]


class ContainedSpecialist:
    """A foreign specialist behind the fence; what it says of another situation is dropped."""

    def __init__(self, specialist: Specialist, status: ExtensionStatus, limit_s: float) -> None:
        self.name, self._specialist, self._status, self._limit_s = status.name, specialist, status, limit_s

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        work = lambda: _taken(Candidate, self._specialist.propose(situation, context), self._status)  # noqa: E731
        found = [] if hung(self._status) else attempt(work, self._status, self._limit_s) or []
        own = {"situation": situation.id, "specialist": self.name, "mandatory": False}
        return [candidate.model_copy(update=own) for candidate in found]


def hung(status: ExtensionStatus) -> bool:
    """Whether the extension's newest fault is that it did not come back."""
    return (status.fault or "").startswith(Unresponsive.__name__)


def read_foreign(status: ExtensionStatus, limit_s: float, parse: Callable[[], Signal]) -> Signal:
    """The signal that `parse` reads with a foreign type. Raises InputError, whatever the type's code raised."""
    if not hung(status):
        try:
            return call_within(parse, limit_s, status.name)
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # edge: validators of another package run here, one event at a time
            status.record(f"{type(error).__name__}: {error}")
    raise InputError(f"`type` {status.name!r} of {status.origin!r} failed: {status.fault}. Mend that package.")


def _taken(kind: type[R], found: object, status: ExtensionStatus) -> list[R]:
    """The items of the right type as plain JSON values; a wrong one is a fault of the extension alone."""
    if not isinstance(found, Iterable):
        raise TypeError(f"returned {type(found).__name__!r} where {kind.__name__}s are due")
    kept: list[R] = []
    for item in islice(cast("Iterable[object]", found), MOST_ITEMS):
        if isinstance(item, kind):
            plain = item.model_dump(mode="json", include=set(kind.model_fields))
            kept.append(kind.model_validate_json(json.dumps(plain, allow_nan=False)))
        else:
            status.record(f"returned {type(item).__name__!r} where a {kind.__name__} is due")
    return kept


def load_extensions(
    found: Iterable[EntryPoint] | None = None,
    *,
    limit_s: float = TIME_LIMIT_S,
    taken: Iterable[tuple[str, str]] = (),
) -> Extensions:
    """Every installed extension, each behind its fence, whose code gets `limit_s` seconds a call.

    `taken` names what is built in and stays so; of two packages the first in order of name and module keeps a
    name. `found` replaces the installed entry points in tests.
    """
    extensions = Extensions()
    names = set(taken)
    for point in _installed() if found is None else found:
        status = ExtensionStatus(point.group, point.name, point.value)
        extensions.status.append(status)
        if (point.group, point.name) in names:
            status.record(f"{point.name!r} is taken; choose another name")
            continue
        names.add((point.group, point.name))
        loaded = attempt(point.load, status, limit_s)
        if status.fault is None:
            _register(extensions, loaded, status, limit_s)
    return extensions


def _installed() -> Iterator[EntryPoint]:
    for group in GROUPS:
        yield from sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def _register(extensions: Extensions, loaded: Any, status: ExtensionStatus, limit_s: float) -> None:
    match status.group:
        case "accord.detectors":
            detector = attempt(lambda: _detector(loaded), status, limit_s)
            if detector is not None:
                extensions.detectors.append(ContainedDetector(detector, status, limit_s))
        case "accord.specialists":
            specialist = attempt(lambda: _specialist(loaded), status, limit_s)
            if specialist is not None:
                extensions.specialists.append(ContainedSpecialist(specialist, status, limit_s))
        case "accord.signals":
            if isinstance(loaded, type) and issubclass(loaded, SignalData):
                extensions.signals[status.name] = loaded
            else:
                status.record(f"{loaded!r} is no subclass of domain.signals.SignalData")
        case _:
            if callable(loaded):
                extensions.scorers[status.name] = loaded
            else:
                status.record(f"{loaded!r} cannot be called")


def _detector(factory: Callable[[], object]) -> Detector:
    made = factory()
    if not isinstance(made, Detector):
        raise TypeError(f"made a {type(made).__name__!r}, which is no Detector: it needs `name` and `find`")
    return made


def _specialist(factory: Callable[[], object]) -> Specialist:
    made = factory()
    if not isinstance(made, Specialist):
        raise TypeError(f"made a {type(made).__name__!r}, which is no Specialist: it needs `name` and `propose`")
    return made
