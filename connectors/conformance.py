"""The conformance kit: drives any connector through the faults of real tools and tells what it does about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.contract import Actuator, Batch, Compensates, Connector, Source, Validates
from connectors.sandbox.faults import Fault, with_faults
from domain.actions import ActionSpec, Receipt
from domain.errors import Conflict, TransientError

Status = Literal["pass", "fail", "absent"]
_READS = 100
_NO_STATE = "this kind makes something, it sets no state"


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the result. `absent`: the connector does not claim the ability that the check is about."""

    name: str
    status: Status
    detail: str


class NotConformant(AssertionError):
    """What a check found wrong."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An actuator with an action that it can carry out once now, and the same action with an `expect` that is wrong.

    `drifted` is None for kinds that make something rather than set a state.
    `writes` counts what reached the tool, where that can be counted.
    """

    actuator: Actuator
    action: ActionSpec
    drifted: ActionSpec | None
    writes: Callable[[], int] | None = None

    def key(self, name: str) -> str:
        """A key of its own for each entity and purpose, so that one tool can serve all trials."""
        return f"conformance/{self.action.entity}/{name}"


def check_connector(connector: Connector, make: Callable[[], Trial] | None) -> list[Check]:
    """All checks; `make` gives a fresh trial (a fresh tool, or an entity not yet touched) for each check."""
    rows: list[Check] = []
    if connector.source is None:
        rows.append(Check("source", "absent", "the connector cannot be read"))
    else:
        rows += _run_source(connector.source)
    if connector.actuator is None or make is None:
        rows.append(Check("actuator", "absent", "the connector cannot be written"))
    else:
        rows += _run_actuator(make)
        rows.append(_row("undo as stated", lambda: _undo_as_stated(connector)))
    return rows


def _run_actuator(make: Callable[[], Trial]) -> list[Check]:
    return [_row(name, lambda check=check: check(make())) for name, check in ACTUATOR_CHECKS.items()]


def _run_source(source: Source) -> list[Check]:
    return [_row(name, lambda check=check: check(source)) for name, check in SOURCE_CHECKS.items()]


def _row(name: str, check: Callable[[], str | None]) -> Check:
    """A check returns None when passed, or says what ability is absent."""
    try:
        absent = check()
    except NotConformant as error:
        return Check(name, "fail", str(error))
    except Exception as error:  # edge: a foreign connector may raise anything; that is a result, not our fault
        return Check(name, "fail", f"raised {error!r}")
    return Check(name, "absent", absent) if absent else Check(name, "pass", "")


def _must(holds: object, why: str) -> None:
    if not holds:
        raise NotConformant(why)


def _redelivers(source: Source) -> None:
    first, again = source.read(None), source.read(None)
    _must(_ids(first) == _ids(again), "the same cursor gave other events; a crash would lose or double signals")
    following = source.read(first.cursor)
    _must(
        following.cursor == first.cursor or set(_ids(following)) != set(_ids(first)) or not first.events,
        "the next cursor gives the same events again",
    )


def _ends(source: Source) -> None:
    cursor: str | None = None
    for _ in range(_READS):
        batch = source.read(cursor)
        if batch.cursor == cursor:
            _must(not batch.events, "a batch with an unmoved cursor holds events; they would be read for ever")
            return
        cursor = batch.cursor
    raise NotConformant(f"the source did not come to an end within {_READS} reads")


def _speaks_cloud_events(source: Source) -> None:
    for event in source.read(None).events:
        lacking = [name for name in ("specversion", "id", "source", "type", "time") if not event.get(name)]
        _must(not lacking, f"event {event.get('id')!r} lacks {', '.join(lacking)}")


def _ids(batch: Batch) -> list[tuple[object, object]]:
    return [(event.get("source"), event.get("id")) for event in batch.events]


def _previews(trial: Trial) -> None:
    before = trial.actuator.read_back(trial.action)
    diff = trial.actuator.preview(trial.action)
    _must(diff.after == _wanted(trial.action), f"preview shows {diff.after!r}, not what is asked for")
    _must(not diff.drifted, "preview calls a sound action drifted")
    if trial.drifted is not None:
        _must(trial.actuator.preview(trial.drifted).drifted, "preview does not show the drift")
    _must(trial.actuator.read_back(trial.action) == before, "preview changed the state")


def _validates(trial: Trial) -> str | None:
    if not isinstance(trial.actuator, Validates):
        return "no dry run"
    before = trial.actuator.read_back(trial.action)
    trial.actuator.validate(trial.action)
    _must(trial.actuator.read_back(trial.action) == before, "the dry run changed the state")
    return None


def _reads_back(trial: Trial) -> None:
    receipt = trial.actuator.apply(trial.action, trial.key("read-back"))
    state = trial.actuator.read_back(trial.action)
    _must(_shown(state, trial.action) == 1, f"after apply the tool shows {state!r}")
    _must(receipt.idempotency_key == trial.key("read-back"), "the receipt bears another key")


def _acts_once(trial: Trial) -> None:
    _written_once(trial, lambda: [trial.actuator.apply(trial.action, trial.key("twice")) for _ in range(2)])


def _survives_duplicate(trial: Trial) -> None:
    _written_once(
        trial, lambda: [with_faults(trial.actuator, Fault.DUPLICATE).apply(trial.action, trial.key("doubled"))]
    )


def _survives_timeout(trial: Trial) -> None:
    faulty = with_faults(trial.actuator, Fault.TIMEOUT_AFTER_WRITE)
    _written_once(trial, lambda: [_retried(faulty, trial.action, trial.key("timeout"))])


def _survives_429(trial: Trial) -> None:
    faulty = with_faults(trial.actuator, Fault.TOO_MANY_REQUESTS, Fault.TIMEOUT_BEFORE_WRITE)
    _written_once(trial, lambda: [_retried(faulty, trial.action, trial.key("busy"))])


def _retried(actuator: Actuator, action: ActionSpec, key: str) -> Receipt:
    for _ in range(3):
        try:
            return actuator.apply(action, key)
        except TransientError:
            continue
    raise NotConformant("three tries with one key did not end")


def _written_once(trial: Trial, act: Callable[[], list[Receipt]]) -> None:
    before = trial.writes() if trial.writes else 0
    receipts = act()
    state = trial.actuator.read_back(trial.action)
    _must(_shown(state, trial.action) == 1, f"the tool shows {state!r}")
    _must(len({receipt.vendor_id for receipt in receipts}) == 1, "two receipts name two effects")
    if trial.writes:
        _must(trial.writes() - before == 1, f"the tool was written {trial.writes() - before} times")


def _refuses_drift(trial: Trial) -> str | None:
    if trial.drifted is None:
        return _NO_STATE
    before = trial.actuator.read_back(trial.drifted)
    try:
        trial.actuator.apply(trial.drifted, trial.key("drifted"))
    except Conflict:
        _must(trial.actuator.read_back(trial.drifted) == before, "the drifted action changed the state")
        return None
    raise NotConformant("an action whose `expect` does not hold was applied")


def _compensates(trial: Trial) -> str | None:
    if trial.drifted is None:
        return _NO_STATE
    if not isinstance(trial.actuator, Compensates):
        return "nothing can be undone"
    before = trial.actuator.read_back(trial.action)
    receipt = trial.actuator.apply(trial.action, trial.key("undo"))
    undone = trial.actuator.compensate(receipt)
    _must(undone.done, f"not undone: {undone.why_not}")
    _must(trial.actuator.read_back(trial.action) == before, "the state is not what it was before")
    _must(trial.actuator.compensate(receipt).done, "undoing twice is not harmless")
    return None


def _refuses_stale_undo(trial: Trial) -> str | None:
    if trial.drifted is None:
        return _NO_STATE
    if not isinstance(trial.actuator, Compensates):
        return "nothing can be undone"
    receipt = trial.actuator.apply(trial.action, trial.key("first"))
    later = trial.action.model_copy(update={"value": trial.action.expect, "expect": trial.action.value})
    trial.actuator.apply(later, trial.key("second"))
    undone = trial.actuator.compensate(receipt)
    _must(not undone.done and undone.why_not, "a state that somebody changed since was overwritten without a word")
    return None


def _undo_as_stated(connector: Connector) -> str | None:
    stated, able = bool(connector.manifest.undo), isinstance(connector.actuator, Compensates)
    _must(able or not stated, "the manifest promises an undo that the actuator lacks")
    unknown = set(connector.manifest.undo) - set(connector.manifest.kinds)
    _must(not unknown, f"the manifest promises to undo {sorted(unknown)}, which are none of its kinds")
    return None if stated else "no undo stated"


def _shown(state: Mapping[str, object], action: ActionSpec) -> int:
    """How often the tool shows what was wanted: a state holds it or not, a list of things made may hold it twice."""
    shown = state.get(action.kind)
    return shown.count(_wanted(action)) if isinstance(shown, list) else int(shown == _wanted(action))


def _wanted(action: ActionSpec) -> object:
    return action.model_dump(mode="json")["value"]


SOURCE_CHECKS: dict[str, Callable[[Source], str | None]] = {
    "same cursor, same events": _redelivers,
    "comes to an end, then empty": _ends,
    "speaks CloudEvents": _speaks_cloud_events,
}
ACTUATOR_CHECKS: dict[str, Callable[[Trial], str | None]] = {
    "preview touches nothing": _previews,
    "dry run touches nothing": _validates,
    "reads back what it wrote": _reads_back,
    "same key acts once": _acts_once,
    "duplicate delivery acts once": _survives_duplicate,
    "timeout after the write": _survives_timeout,
    "429, then timeout before the write": _survives_429,
    "drift is refused": _refuses_drift,
    "undo restores": _compensates,
    "undo spares later changes": _refuses_stale_undo,
}


def table(rows: list[Check]) -> str:
    """The rows as text, one a line, for the terminal."""
    width = max((len(row.name) for row in rows), default=0)
    return "\n".join(f"{row.name.ljust(width)}  {row.status:6}  {row.detail}".rstrip() for row in rows)
