"""Replay: recorded signals in event time, without any outside effect. What would Accord have done?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Any

from agents.clock import ManualClock
from agents.intake import Accepted, Refused, accept
from agents.parts import Runtime
from agents.reason import run_round
from agents.runtime import build_event_time
from agents.settings import ConnectorSettings, Settings
from domain.errors import InputError
from domain.proposals import Proposal, ProposalStatus
from domain.record import Moment, Record
from domain.situations import Situation


class ReplaySummary(Record):
    """Counts and the span of a replay; `finding` says in words when nothing was found."""

    signals: int
    duplicates: int
    rejected: int
    first: Moment | None
    last: Moment | None
    rounds: int
    situations: int
    proposals: int
    by_kind: dict[str, int]
    by_verdict: dict[str, int]
    finding: str
    errors: tuple[Refused, ...] = ()
    """The first rejected events and why."""


class Replayed(Record):
    """What Accord would have seen and proposed, oldest first."""

    summary: ReplaySummary
    situations: tuple[Situation, ...]
    proposals: tuple[Proposal, ...]


class Progress(Record):
    """How far a replay is."""

    day: Moment
    done: int
    total: int
    situations: int
    proposals: int


def replay(
    settings: Settings,
    events: Iterable[Mapping[str, Any]],
    *,
    progress: Callable[[Progress], None] | None = None,
) -> Replayed:
    """Hear `events` day by day and think after each day.

    Events are sorted by `time` and held in memory. Nothing is executed; an answer that would have been
    asked for lapses at its time. Raises InputError when an event has no readable time.
    """
    timed = sorted(((_time_of(event), place, event) for place, event in enumerate(events)), key=lambda row: row[:2])
    first = timed[0][0] if timed else datetime.now(UTC)
    clock = ManualClock(first)
    runtime = build_event_time(_in_memory(settings), clock, in_memory=True)
    try:
        return _played(runtime, clock, timed, progress)
    finally:
        runtime.close()


def _played(
    runtime: Runtime,
    clock: ManualClock,
    timed: Sequence[tuple[datetime, int, Mapping[str, Any]]],
    progress: Callable[[Progress], None] | None,
) -> Replayed:
    heard, rounds, done = Accepted(), 0, 0
    for day, rows in groupby(timed, key=lambda row: row[0].date()):
        batch = [event for _, _, event in rows]
        clock.set(datetime.combine(day, time.min, UTC) + timedelta(days=1))
        heard += accept(runtime, batch, trust="internal")
        run_round(runtime)
        _lapse(runtime)
        rounds, done = rounds + 1, done + len(batch)
        if progress is not None:
            found = len(runtime.store.situations.digests())
            progress(Progress(day=clock.now(), done=done, total=len(timed), situations=found, proposals=rounds))
    situations = list(everything(runtime.store.situations.page))
    proposals = list(everything(runtime.store.proposals.page))
    return Replayed(
        summary=_summary(heard, timed, rounds, situations, proposals),
        situations=tuple(reversed(situations)),
        proposals=tuple(reversed(proposals)),
    )


def _in_memory(settings: Settings) -> Settings:
    """The same company with sandbox tools that only exist here, so that nothing outside can be touched."""
    connectors = {name: ConnectorSettings(kind="sandbox") for name in ("ads", "crm", "content", "finance")}
    sandbox = settings.sandbox.model_copy(update={"world": "empty"})
    return settings.model_copy(update={"connectors": connectors, "sandbox": sandbox})


def _time_of(event: Mapping[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(event["time"]))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"event {str(event.get('id'))!r} has no readable `time` ({event.get('time')!r}). "
            "Write ISO 8601 with a zone."
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lapse(runtime: Runtime) -> None:
    """What nobody answered in time expires; nothing else is carried out."""
    for proposal in runtime.store.proposals.pending():
        if runtime.clock.now() >= proposal.expires_at:
            runtime.store.proposals.move(
                proposal.id, ProposalStatus.PENDING, ProposalStatus.EXPIRED, detail="nobody answers in a replay"
            )


def everything(page: Callable[..., Any]) -> Iterator[Any]:
    """Every item of a paged list, newest first."""
    cursor: str | None = None
    while True:
        found = page(limit=200, cursor=cursor)
        yield from found.items
        cursor = found.next
        if cursor is None:
            return


def _summary(
    heard: Accepted,
    timed: Sequence[tuple[datetime, int, Mapping[str, Any]]],
    rounds: int,
    situations: Sequence[Situation],
    proposals: Sequence[Proposal],
) -> ReplaySummary:
    kinds: dict[str, int] = {}
    verdicts: dict[str, int] = {}
    for situation in situations:
        kinds[situation.kind] = kinds.get(situation.kind, 0) + 1
    for proposal in proposals:
        verdicts[proposal.verdict.kind] = verdicts.get(proposal.verdict.kind, 0) + 1
    found = f"{len(situations)} situations, {len(proposals)} proposals"
    nothing = f"nothing found: {heard.accepted} signals over {rounds} days show no situation"
    return ReplaySummary(
        signals=heard.accepted,
        duplicates=heard.duplicate,
        rejected=len(heard.rejected),
        first=timed[0][0] if timed else None,
        last=timed[-1][0] if timed else None,
        rounds=rounds,
        situations=len(situations),
        proposals=len(proposals),
        by_kind=dict(sorted(kinds.items())),
        by_verdict=dict(sorted(verdicts.items())),
        finding=found if situations else nothing,
        errors=heard.rejected[:20],
    )
