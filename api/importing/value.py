"""What stands in a mapping's `data`: constants, templates and columns, compiled once and read for each row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, cast, get_args

from pydantic import BaseModel, ValidationError

from api.importing.cell import as_text, convert, is_empty, is_missing_number, number
from api.importing.mapping import CellType, Column, TableFormat, faults
from domain.entities import ENTITY_KINDS, slug
from domain.errors import ConfigError, InputError
from domain.ids import digest

FILE, ROW = "_file", "_row"
"""Columns every table has: the file's name without ending, and the row's number."""

_TYPES_OF_FIELDS: tuple[tuple[str, CellType], ...] = (
    ("int", "integer"),
    ("float", "number"),
    ("Decimal", "number"),
    ("list", "list"),
    ("str", "text"),
)
_PART = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_ENTITY = re.compile(rf"({'|'.join(sorted(ENTITY_KINDS))}):")


class Value(Protocol):
    """Something that reads a row. `columns` are the ones it needs; `of` raises InputError naming the column."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    def of(self, cells: Mapping[str, Any]) -> object: ...


@dataclass(frozen=True, slots=True)
class Constant:
    value: object
    columns: tuple[str, ...] = ()

    def of(self, cells: Mapping[str, Any]) -> object:
        return self.value


@dataclass(frozen=True, slots=True)
class Template:
    """Text around cells. Empty cells leave out an entity id, and any text that consists of nothing else."""

    parts: tuple[tuple[str, str | None], ...]
    """(literal text, the column that follows it)."""
    entity: bool

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for _, column in self.parts if column is not None)

    def of(self, cells: Mapping[str, Any]) -> str | None:
        found = [cells.get(column) for column in self.columns]
        empty = [is_empty(cell) for cell in found]
        if (self.entity and any(empty)) or (empty and all(empty)):
            return None
        written = iter("" if gone else self._write(cell) for cell, gone in zip(found, empty, strict=True))
        return "".join(text + (next(written) if column is not None else "") for text, column in self.parts)

    def _write(self, cell: object) -> str:
        text = as_text(cell)
        return entity_name(text) if self.entity else text


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A typed cell, replaced by `map`, multiplied by `scale` and by the column `times`."""

    spec: Column
    type: CellType | None
    form: TableFormat

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.spec.col,) if self.spec.times is None else (self.spec.col, self.spec.times)

    def of(self, cells: Mapping[str, Any]) -> object:
        cell = cells.get(self.spec.col)
        numeric = self.type in {"number", "integer"}
        if is_missing_number(cell) if numeric else is_empty(cell):
            return self.spec.default
        if self.spec.map is not None:
            return self._mapped(as_text(cell))
        value = convert(
            cell,
            self.type,
            self.spec.col,
            self.form,
            {"format": self.spec.format, "tz": self.spec.tz, "separator": self.spec.separator},
        )
        return self._scaled(value, cells)

    def _mapped(self, text: str) -> object:
        known = self.spec.map or {}
        if text not in known and self.spec.default is None:
            raise InputError(f"column {self.spec.col!r}: {text!r} is not in its `map`. Add it, or add a `default`.")
        return known.get(text, self.spec.default)

    def _scaled(self, value: object, cells: Mapping[str, Any]) -> object:
        if not isinstance(value, int | float):
            return value
        if self.spec.times is not None:
            if is_missing_number(cells.get(self.spec.times)):
                return self.spec.default
            value = value * number(cells[self.spec.times], self.spec.times, self.form)
        return value if self.spec.scale is None else value * self.spec.scale


@dataclass(frozen=True, slots=True)
class Several:
    """A list or mapping of values; what is left out of it does not appear."""

    parts: Mapping[str, Value] | tuple[Value, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        members = self.parts.values() if isinstance(self.parts, Mapping) else self.parts
        return tuple(column for member in members for column in member.columns)

    def of(self, cells: Mapping[str, Any]) -> object:
        if isinstance(self.parts, Mapping):
            read = {name: part.of(cells) for name, part in self.parts.items()}
            return {name: value for name, value in read.items() if value is not None}
        return [value for part in self.parts if (value := part.of(cells)) is not None]


def entity_name(text: str) -> str:
    """The slug of a cell; a text without Latin letters or digits, such as 東京, gets a digest of its own."""
    name = slug(text)
    return name if name != "unnamed" or text.lower() == "unnamed" else f"x{digest(text)[:10]}"


def compile_text(text: str) -> Template | Constant:
    """`text` as a template. `{{` and `}}` stand for braces."""
    parts: list[tuple[str, str | None]] = []
    literal, at = "", 0
    for match in _PART.finditer(text):
        literal += text[at : match.start()]
        at = match.end()
        if match.group(1) is None:
            literal += match.group()[0]
            continue
        parts.append((literal, match.group(1).strip()))
        literal = ""
    literal += text[at:]
    if not parts:
        return Constant(literal)
    return Template((*parts, (literal, None)), entity=_ENTITY.match(text) is not None)


def compile_value(node: object, where: str, form: TableFormat, type_: CellType | None = None) -> Value:
    """What `node` of a mapping's `data` means. Raises ConfigError naming `where` it stands."""
    if isinstance(node, str):
        return compile_text(node)
    if isinstance(node, list):
        items = cast("list[object]", node)
        return Several(tuple(compile_value(part, f"{where}[{i}]", form) for i, part in enumerate(items)))
    if not isinstance(node, dict):
        return Constant(node.isoformat() if isinstance(node, date) else node)
    members = cast("dict[object, object]", node)
    if "col" not in members:
        return Several({str(name): compile_value(part, f"{where}.{name}", form) for name, part in members.items()})
    try:
        column = Column.model_validate(node)
    except ValidationError as error:
        raise ConfigError(" ".join(faults(error, Column, f"{where}."))) from error
    multiplied = column.scale is not None or column.times is not None
    return ColumnValue(column, column.type or ("number" if multiplied else type_), form)


def field_type(model: type[BaseModel] | None, field: str) -> CellType | None:
    """The cell type that `field` of a signal's payload asks for; None when any will do."""
    if model is None or field not in model.model_fields:
        return None
    annotation = model.model_fields[field].annotation
    names = {getattr(part, "__name__", "") for part in (annotation, *get_args(annotation))}
    return next((type_ for name, type_ in _TYPES_OF_FIELDS if name in names), None)
