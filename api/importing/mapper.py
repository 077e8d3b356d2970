"""Rows into CloudEvents: each row makes the signals that fit it, and a bad one harms no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.importing.cell import is_empty, moment, zone
from api.importing.condition import holds
from api.importing.mapping import MappingFile, SignalSpec, nearest
from api.importing.table import BadRow, Row, Table, open_table
from api.importing.value import FILE, ROW, Constant, Template, Value, compile_text, compile_value, field_type
from domain.errors import ConfigError, InputError
from domain.ids import digest
from domain.signals import BUILT_IN_TYPES, parse_event

_MAIN_ENTITY = ("entity", "id", "deal", "asset", "person", "scope")
"""Fields of a payload that name its main entity, which `subject` repeats."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """An event and the row it came from."""

    file: Path
    line: int
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row, or one signal of a row, that could not be used, and what to do about it."""

    file: Path
    line: int
    detail: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.detail}"


@dataclass(slots=True)
class Tally:
    """What became of the rows read so far."""

    rows: int = 0
    signals: int = 0
    unmatched: int = 0
    """Rows whose every signal was ruled out by `where`, or whose `once_per` was seen before."""
    faults: int = 0
    notes: list[str] = field(default_factory=list[str])

    def refuse(self) -> None:
        """One mapped signal was refused where it was to go."""
        self.faults += 1


@dataclass(slots=True)
class _Signal:
    """One compiled entry of `signals`."""

    spec: SignalSpec
    data: dict[str, Value]
    id: Template | Constant | None
    subject: Template | Constant | None
    once_per: Template | Constant | None
    seen: set[str] = field(default_factory=set[str])

    def columns(self) -> Iterator[tuple[str, str]]:
        """(where it stands in the mapping, column)."""
        for name, value in self.data.items():
            yield from ((f"data.{name}", column) for column in value.columns)
        for name, text in (("id", self.id), ("subject", self.subject), ("once_per", self.once_per)):
            yield from ((name, column) for column in (text.columns if text else ()))
        if self.spec.time.col is not None:
            yield "time", self.spec.time.col
        yield from (("where", condition.col) for condition in self.spec.where)


class Mapper:
    """A mapping made ready. Raises ConfigError when it speaks of fields or zones that do not exist."""

    def __init__(self, mapping: MappingFile, *, now: datetime) -> None:
        self._mapping, self._now = mapping, now
        self._source = compile_text(mapping.source)
        self._signals = [self._compile(spec, f"signals[{i}]") for i, spec in enumerate(mapping.signals)]
        self.tally = Tally()

    def _compile(self, spec: SignalSpec, where: str) -> _Signal:
        model = _model_of(spec.type, where)
        if model is not None:
            _refuse_wrong_fields(spec, model, where)
        zone(spec.time.tz)
        form = self._mapping.table
        return _Signal(
            spec,
            {
                name: compile_value(node, f"{where}.data.{name}", form, field_type(model, name))
                for name, node in spec.data.items()
            },
            id=compile_text(spec.id) if spec.id else None,
            subject=compile_text(spec.subject) if spec.subject else None,
            once_per=compile_text(spec.once_per) if spec.once_per else None,
        )

    def read(self, path: Path, limit: int | None = None) -> Iterator[Mapped | Fault]:
        """Every signal of the rows of `path`, and a fault for what could not be used, in the order of rows.

        With `limit` it ends once that many rows were read in all. Raises InputError for a table that cannot be
        opened, ConfigError when it lacks a column of the mapping.
        """
        signals = [signal for signal in self._signals if fnmatch(path.name, signal.spec.files)]
        if not signals:
            wanted = ", ".join(sorted({signal.spec.files for signal in self._signals}))
            raise InputError(f"{path}: no signal of the mapping is for this file (`files`: {wanted}). Widen the glob.")
        table = open_table(path, self._mapping.table)
        self.tally.notes.extend(table.notes)
        for signal in signals:
            self._refuse_missing_columns(signal, table)
        for row in table.rows:
            if limit is not None and self.tally.rows >= limit:
                return
            self.tally.rows += 1
            yield from self._of_row(path, row, signals)

    def _refuse_missing_columns(self, signal: _Signal, table: Table) -> None:
        known = {*table.columns, FILE, ROW}
        for where, column in (*signal.columns(), *(("source", column) for column in self._source.columns)):
            if column not in known:
                raise ConfigError(
                    f"{table.path} has no column {column!r}, named in `{where}` of {signal.spec.type}. "
                    + nearest(column, table.columns)
                )

    def _of_row(self, path: Path, row: Row | BadRow, signals: Sequence[_Signal]) -> Iterator[Mapped | Fault]:
        if isinstance(row, BadRow):
            yield self._fault(path, row.line, row.detail)
            return
        cells = {**row.cells, FILE: path.stem, ROW: self.tally.rows}
        used = False
        for signal in signals:
            try:
                event = self._event(signal, row, cells)
            except InputError as error:
                used = True
                yield self._fault(path, row.line, error.detail)
                continue
            if event is not None:
                used = True
                self.tally.signals += 1
                yield Mapped(path, row.line, event)
        self.tally.unmatched += not used

    def _fault(self, path: Path, line: int, detail: str) -> Fault:
        self.tally.faults += 1
        return Fault(path, line, detail)

    def _event(self, signal: _Signal, row: Row, cells: Mapping[str, Any]) -> dict[str, Any] | None:
        spec = signal.spec
        if not all(holds(condition, cells, self._mapping.table) for condition in spec.where):
            return None
        once = signal.once_per.of(cells) if signal.once_per else None
        if signal.once_per and (once is None or once in signal.seen):
            return None
        read = {name: value.of(cells) for name, value in signal.data.items()}
        data = {name: value for name, value in read.items() if value is not None}
        source = str(self._source.of(cells) or "")
        time = _time_of(spec, cells)
        content = [source, spec.type, time, data, once if signal.once_per else dict(row.cells)]
        event = {
            "specversion": "1.0",
            "id": str(signal.id.of(cells) or "") if signal.id else digest(content)[:32],
            "source": source,
            "type": spec.type,
            "time": time,
            "subject": signal.subject.of(cells) if signal.subject else _main_entity(data),
            "data": data,
        }
        self._validate(signal, event)
        if once is not None:
            signal.seen.add(str(once))
        return event

    def _validate(self, signal: _Signal, event: Mapping[str, Any]) -> None:
        try:
            parse_event(event, received_at=self._now)
        except InputError as error:
            cause = error.__cause__
            if not isinstance(cause, ValidationError):
                raise
            raise InputError(" ".join(_in_columns(fault, signal) for fault in cause.errors()[:3])) from error


def _in_columns(fault: ErrorDetails, signal: _Signal) -> str:
    """A fault of the payload, told by the columns that the field was read from."""
    name = str(fault["loc"][0]) if fault["loc"] else "event"
    columns = signal.data[name].columns if name in signal.data else ()
    origin = f"column {columns[0]!r}: " if columns else ""
    field_of = f"`{name}` of {signal.spec.type}"
    if fault["type"] == "missing":
        return f"{origin}{field_of} is empty. Add a `default`, or leave such rows out with `where`."
    return f"{origin}{field_of}: {fault['msg']} (got {str(fault['input'])[:80]!r}). Mend the cell or the mapping."


def _time_of(spec: SignalSpec, cells: Mapping[str, Any]) -> str:
    column, cell = spec.time.col, spec.time.at
    if column is not None:
        cell = cells.get(column)
        if is_empty(cell):
            raise InputError(f"column {column!r}: there is no time. Leave such rows out with `where`.")
    return moment(cell, column or "time.at", spec.time.format, spec.time.tz).isoformat()


def _main_entity(data: Mapping[str, Any]) -> str | None:
    return next((data[name] for name in _MAIN_ENTITY if isinstance(data.get(name), str)), None)


def _model_of(type_: str, where: str) -> type[BaseModel] | None:
    """The payload of a built-in type; None for a foreign one, whose extension judges it."""
    model = BUILT_IN_TYPES.get(type_)
    if model is None and type_.startswith("accord."):
        raise ConfigError(f"`{where}.type`: {type_!r} is no type of Accord. {nearest(type_, list(BUILT_IN_TYPES))}")
    return model


def _refuse_wrong_fields(spec: SignalSpec, model: type[BaseModel], where: str) -> None:
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    for name in spec.data:
        if name not in fields:
            raise ConfigError(f"`{where}.data.{name}` is no field of {spec.type}. {nearest(name, list(fields))}")
    for name, info in fields.items():
        if info.is_required() and name not in spec.data:
            raise ConfigError(f"`{where}.data.{name}` is missing: {spec.type} needs it. Add it.")
