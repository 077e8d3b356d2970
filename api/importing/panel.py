"""A panel from long format: one row per unit and time becomes a matrix of units by times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.importing.cell import as_text, is_empty, is_missing_number, moment, number
from api.importing.mapping import TableFormat, nearest
from api.importing.series import require_columns
from api.importing.table import BadRow, Row, open_table
from domain.errors import InputError


@dataclass(frozen=True, slots=True)
class PanelColumns:
    """Which columns hold what. Without `unit` the file is a single series."""

    unit: str | None
    time: str
    value: str
    covariates: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*((self.unit,) if self.unit else ()), self.time, self.value, *self.covariates)


@dataclass(frozen=True, slots=True)
class Panel:
    """`values[unit][time]`, NaN where a unit has no row; `covariates[name][time]` of a single series."""

    units: list[str]
    times: list[float]
    values: list[list[float]]
    covariates: list[list[float]]

    def period(self, text: str, option: str) -> int:
        """Index of the first period at or after `text`. Raises InputError when it lies outside the data."""
        try:
            at = time_key(text, option)
        except InputError as error:
            raise InputError(f"{option}: {text!r} is no time. Copy one from the data.") from error
        if not self.times[0] <= at <= self.times[-1]:
            raise InputError(f"{option}: {text!r} lies outside the data. Give a time the file holds.")
        return next(index for index, time in enumerate(self.times) if time >= at)

    def rows_of(self, names: Sequence[str]) -> list[int]:
        """Rows of the units called `names`, as written or in another case."""
        folded = {unit.casefold(): index for index, unit in enumerate(self.units)}
        for name in names:
            if name.casefold() not in folded:
                raise InputError(f"--treated: there is no unit {name!r}. {nearest(name, self.units[:200])}")
        return [folded[name.casefold()] for name in names]


def read_panel(path: Path, columns: PanelColumns, form: TableFormat | None = None) -> Panel:
    """The panel in `path`. Raises InputError naming line and column, also for two rows of one unit and time."""
    form = form or TableFormat()
    table = open_table(path, form)
    require_columns(table, *columns.names)
    cells: dict[str, dict[float, list[float]]] = {}
    for row in table.rows:
        if isinstance(row, BadRow):
            raise InputError(f"{path}:{row.line}: {row.detail}")
        try:
            unit, at, numbers = _point(row, columns, form)
        except InputError as error:
            raise InputError(f"{path}:{row.line}: {error.detail}") from error
        of_unit = cells.setdefault(unit, {})
        if at in of_unit:
            raise InputError(
                f"{path}:{row.line}: {unit or 'the series'!r} has a second row for "
                f"{as_text(row.cells[columns.time])!r}. Sum or drop the extra rows first."
            )
        of_unit[at] = numbers
    if not cells:
        raise InputError(f"{path}: there are no rows below the header. Give a file with data.")
    return _pivot(cells, len(columns.covariates))


def _point(row: Row, columns: PanelColumns, form: TableFormat) -> tuple[str, float, list[float]]:
    unit = as_text(row.cells[columns.unit]) if columns.unit else ""
    values = [
        math.nan if is_missing_number(row.cells[name]) else float(number(row.cells[name], name, form))
        for name in (columns.value, *columns.covariates)
    ]
    return unit, time_key(row.cells[columns.time], columns.time), values


def time_key(cell: object, column: str) -> float:
    """A number that orders times: period numbers as they are, dates as epoch seconds."""
    if is_empty(cell):
        raise InputError(f"column {column!r}: there is no time. Fill the cell or drop the row.")
    try:
        return float(as_text(cell))
    except ValueError:
        return moment(cell, column, "iso", "UTC").timestamp()


def _pivot(cells: dict[str, dict[float, list[float]]], covariates: int) -> Panel:
    times = sorted({at for of_unit in cells.values() for at in of_unit})
    units = sorted(cells)
    gap = [math.nan] * (1 + covariates)
    first = cells[units[0]]
    return Panel(
        units,
        times,
        [[cells[unit].get(at, gap)[0] for at in times] for unit in units],
        [[first.get(at, gap)[1 + index] for at in times] for index in range(covariates)],
    )
