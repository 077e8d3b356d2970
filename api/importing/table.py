"""Tables from outside, row by row: CSV of any delimiter and usual encoding, and Parquet."""

from __future__ import annotations

import codecs
import csv
import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from api.importing.mapping import TableFormat
from domain.errors import ConfigError, InputError

if TYPE_CHECKING:
    import _csv

_CHUNK = 1 << 20
_BATCH_ROWS = 4096
_DELIMITERS = (",", ";", "\t", "|")
_PARQUET_ENDINGS = {".parquet", ".pq"}


class _Batch(Protocol):
    """What we use of pyarrow, which ships no types."""

    def to_pylist(self) -> list[dict[str, Any]]: ...


class _ParquetFile(Protocol):
    def iter_batches(self, *, batch_size: int) -> Iterator[_Batch]: ...


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column; `line` is the line of the file the row starts on (for Parquet its number)."""

    line: int
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read, and why."""

    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class Table:
    """An opened table: its columns, what was found out about its form, and its rows as a stream."""

    path: Path
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    rows: Iterator[Row | BadRow]


def open_table(path: Path, form: TableFormat | None = None) -> Table:
    """The table in `path`, read as it is iterated. Raises InputError when it has no readable header."""
    form = form or TableFormat()
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. Check the path.")
    if path.suffix.lower() in _PARQUET_ENDINGS:
        return _open_parquet(path)
    return _open_csv(path, form)


def _open_csv(path: Path, form: TableFormat) -> Table:
    encoding, notes = (form.encoding, ()) if form.encoding else _guess_encoding(path)
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise ConfigError(f"`table.encoding`: {encoding!r} is unknown. Use utf-8 or latin-1.") from error
    first = _first_line(path, encoding)
    delimiter = form.delimiter or _guess_delimiter(first)
    columns = tuple(cell.strip() for cell in _cells(first, delimiter))
    _refuse_bad_header(path, columns)
    return Table(path, columns, notes, _csv_rows(path, encoding, delimiter, columns))


def _guess_encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """UTF-8 (with or without mark) or UTF-16 when the whole file is; otherwise Latin-1, said."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", ()
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            note = f"{path}: not UTF-8, so read as Latin-1. If letters look wrong, state `table.encoding`."
            return "latin-1", (note,)
    return "utf-8-sig", ()


def _first_line(path: Path, encoding: str) -> str:
    try:
        with path.open(encoding=encoding, newline="") as file:
            return file.readline(_CHUNK).rstrip("\r\n")
    except UnicodeError as error:
        raise InputError(f"{path}: not {encoding} ({error}). Leave `table.encoding` out to have it found.") from error


def _guess_delimiter(header: str) -> str:
    """The mark that parts the header into the most cells."""
    return max(_DELIMITERS, key=lambda mark: len(_cells(header, mark)))


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell for row in csv.reader([line], delimiter=delimiter) for cell in row]


def _refuse_bad_header(path: Path, columns: Sequence[str]) -> None:
    if not any(columns):
        raise InputError(f"{path}:1: there is no header. The first line must name the columns.")
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise InputError(f"{path}:1: column {twice[0]!r} stands there twice. Rename one of them.")


def _csv_rows(path: Path, encoding: str, delimiter: str, columns: Sequence[str]) -> Iterator[Row | BadRow]:
    try:
        with path.open(encoding=encoding, newline="") as file:
            yield from _read_rows(csv.reader(file, delimiter=delimiter), columns)
    except UnicodeError as error:
        raise InputError(f"{path}: not {encoding} ({error}). Leave `table.encoding` out to have it found.") from error


def _read_rows(reader: _csv.Reader, columns: Sequence[str]) -> Iterator[Row | BadRow]:
    next(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, f"{error}. Look for a quote that is not closed.")
            continue
        if not cells:
            continue
        if len(cells) != len(columns):
            yield BadRow(line, f"{len(cells)} cells where the header names {len(columns)}. Quote or mend the row.")
            continue
        yield Row(line, dict(zip(columns, cells, strict=True)))


def _open_parquet(path: Path) -> Table:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigError("Parquet needs pyarrow. Install Accord with the extra `parquet`.") from error
    try:
        file: _ParquetFile = parquet.ParquetFile(path)
        columns = tuple(str(name) for name in parquet.read_schema(path).names)
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: no readable Parquet ({error!s:.200}). Write it anew or export it as CSV.") from error
    return Table(path, columns, (), _parquet_rows(file))


def _parquet_rows(file: _ParquetFile) -> Iterator[Row]:
    number = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS):
        for cells in batch.to_pylist():
            number += 1
            yield Row(number, cells)
