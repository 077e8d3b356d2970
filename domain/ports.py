"""What extensions and agents may rely on: the read-only view of the company, detectors and specialists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from domain.entities import EntityTree
from domain.guidance import Guidance
from domain.limits import ActiveLimit
from domain.objective import Objective
from domain.outcomes import Lesson
from domain.policy import Limits
from domain.proposals import Candidate
from domain.signals import AssetChanged, ContentEngaged, DealChanged, Note, Trust
from domain.situations import Finding, Situation

D = TypeVar("D")


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """Identity of a series: a metric of an entity, split by `dims` (sorted pairs)."""

    metric: str
    entity: str
    dims: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """Points in time order: `times` in epoch seconds (UTC), `values` in `unit`."""

    key: SeriesKey
    unit: str
    grain_s: int | None
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Point:
    """One point as it arrived; `seq` grows with arrival, so late points come late."""

    seq: int
    key: SeriesKey
    unit: str
    at_s: float
    value: float


@dataclass(frozen=True, slots=True)
class Told(Generic[D]):
    """A typed payload with when it happened, who may be trusted with it, and the signal it came from."""

    at: datetime
    signal: str
    trust: Trust
    data: D


class View(Protocol):
    """The company as known at `now`. Everything is read, nothing is written."""

    @property
    def now(self) -> datetime: ...
    @property
    def as_of(self) -> datetime:
        """Time of the newest signal, never later than `now`: what "today" means for the data."""
        ...

    @property
    def tree(self) -> EntityTree: ...
    def keys(self, metric: str | None = None) -> Sequence[SeriesKey]: ...
    def series(self, key: SeriesKey, since: datetime | None = None) -> Series: ...
    def points_after(self, seq: int) -> Iterable[Point]:
        """Every stored point that arrived after `seq`, in order of arrival."""
        ...

    def deals(self, since: datetime | None = None) -> Sequence[Told[DealChanged]]:
        """Every change of every deal, in order of event time."""
        ...

    def engagements(self, since: datetime | None = None) -> Sequence[Told[ContentEngaged]]: ...
    def assets(self) -> Sequence[Told[AssetChanged]]:
        """The newest state of every asset."""
        ...

    def limits(self) -> Sequence[ActiveLimit]:
        """Every finance limit ever told and not superseded; ask `in_force` and `binds`."""
        ...

    def notes(self, since: datetime | None = None) -> Sequence[Told[Note]]: ...
    def signals(self, type_: str, since: datetime | None = None) -> Sequence[Told[Mapping[str, Any]]]:
        """Payloads of any signal type, also of extensions."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a specialist may use to propose: the view, the objective, bounds, notes and lessons."""

    view: View
    objective: Objective
    limits: Limits
    """Hard limits of the policy, so that no candidate is computed beyond them."""
    state: Mapping[str, Mapping[str, Any]]
    """State of each entity as its tool shows it now, by action kind; money in minor units."""
    guidance: Sequence[Guidance] = ()
    lessons: Mapping[str, Lesson] = field(default_factory=dict[str, Lesson])
    """The newest lesson by what it is about."""


@runtime_checkable
class Detector(Protocol):
    """Looks at the company and reports findings. Entry point group `accord.detectors`: a factory without arguments."""

    name: str

    def find(self, view: View) -> Iterable[Finding]: ...


@runtime_checkable
class Specialist(Protocol):
    """Turns a situation into computed candidates. Entry point group `accord.specialists`."""

    name: str

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]: ...
