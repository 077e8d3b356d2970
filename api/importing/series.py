"""One series from a CSV: times as they are written, times as seconds, values with gaps as NaN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from api.importing.cell import as_text, is_empty, is_missing_number, moment, number
from api.importing.mapping import TableFormat, nearest
from api.importing.table import BadRow, Table, open_table
from domain.errors import InputError

_EPOCH_MS = 1e11
"""Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5000."""


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """Points in the order of the file, which is time order. `stamps` are the file's own words."""

    stamps: list[str]
    times_s: list[float]
    values: list[float]


def read_series(path: Path, time_col: str, value_col: str, form: TableFormat | None = None) -> SeriesFile:
    """The series in `path`. Empty values become NaN. Raises InputError naming line and column, also when unsorted."""
    form = form or TableFormat()
    table = open_table(path, form)
    require_columns(table, time_col, value_col)
    series = SeriesFile([], [], [])
    for row in table.rows:
        if isinstance(row, BadRow):
            raise InputError(f"{path}:{row.line}: {row.detail}")
        try:
            at_s = seconds(row.cells[time_col], time_col)
            cell = row.cells[value_col]
            value = math.nan if is_missing_number(cell) else float(number(cell, value_col, form))
        except InputError as error:
            raise InputError(f"{path}:{row.line}: {error.detail}") from error
        stamp = as_text(row.cells[time_col]) if not isinstance(row.cells[time_col], str) else row.cells[time_col]
        if series.times_s and at_s < series.times_s[-1]:
            above = series.stamps[-1]
            raise InputError(f"{path}:{row.line}: {stamp!r} lies before {above!r} above it. Sort the file by time.")
        series.stamps.append(stamp)
        series.times_s.append(at_s)
        series.values.append(value)
    return series


def seconds(cell: object, column: str) -> float:
    """Epoch seconds of a time cell: ISO with blank or T, naive read as UTC, or an epoch number (s or ms)."""
    if is_empty(cell):
        raise InputError(f"column {column!r}: there is no time. Fill the cell or drop the row.")
    try:
        epoch = float(as_text(cell))
    except ValueError:
        return moment(cell, column, "iso", "UTC").timestamp()
    if not math.isfinite(epoch):
        raise InputError(f"column {column!r}: {cell!r} is no time. Write ISO times or epoch seconds.")
    return epoch / 1000 if abs(epoch) >= _EPOCH_MS else epoch


def require_columns(table: Table, *names: str) -> None:
    """Raises InputError with the nearest column for the first of `names` that `table` lacks."""
    for name in names:
        if name not in table.columns:
            raise InputError(f"{table.path} has no column {name!r}. {nearest(name, table.columns)}")
