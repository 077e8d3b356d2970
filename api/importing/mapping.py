"""Mapping files: how the columns of a table become signals. `docs/mapping.schema.json` is their JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from domain.errors import ConfigError
from domain.record import Record

CellType = Literal["text", "number", "integer", "boolean", "time", "list"]
Scalar = str | int | float | bool | None


class TableFormat(Record):
    """How a CSV is written; what is not given is found out and said."""

    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None
    """Mark between groups of three digits; without it `1,234` is refused, since it could mean 1.234."""


class TimeColumn(Record):
    """When a signal happened: column `col`, or the constant `at`. Naive times are read in `tz` (IANA name)."""

    col: str | None = None
    at: str | None = None
    format: str = "iso"
    """`iso`, `epoch` (seconds), `epoch_ms`, or strptime directives such as `%d/%m/%Y %H:%M`."""
    tz: str = "UTC"

    @model_validator(mode="after")
    def _one_origin(self) -> TimeColumn:
        if (self.col is None) == (self.at is None):
            raise ValueError("give either `col` (a column) or `at` (a constant time)")
        return self


class Column(Record):
    """The value of one column. The type defaults to what the signal's field holds, else to text."""

    col: str
    type: CellType | None = None
    map: dict[str, Scalar] | None = None
    """Replaces a cell's text by another value; a text it lacks takes `default`, else the row is reported."""
    default: Scalar = None
    """Stands in for an empty cell. Without it the field is left out."""
    scale: float | None = None
    times: str | None = None
    """Another column to multiply by, such as revenue per conversion times conversions."""
    separator: str = ";"
    format: str = "iso"
    tz: str = "UTC"


def _as_list(value: object) -> object:
    return [cast("object", value)] if isinstance(value, dict) else value


def _as_text(value: object) -> object:
    """YAML reads 2021-01-01 as a date; conditions compare it as the text of the file."""
    return value.isoformat() if isinstance(value, date) else value


Operand = Annotated[str | float, BeforeValidator(_as_text)]


class Condition(Record):
    """Whether a row counts. Numbers compare as numbers, text as text (ISO dates sort right)."""

    col: str
    equals: Operand | None = None
    not_equals: Operand | None = None
    in_: list[Operand] | None = Field(default=None, alias="in")
    not_in: list[Operand] | None = None
    empty: bool | None = None
    not_empty: bool | None = None
    gt: Operand | None = None
    gte: Operand | None = None
    lt: Operand | None = None
    lte: Operand | None = None

    @model_validator(mode="after")
    def _compares(self) -> Condition:
        if self.model_fields_set <= {"col"}:
            raise ValueError("add one of equals, not_equals, in, not_in, empty, not_empty, gt, gte, lt, lte")
        return self


class SignalSpec(Record):
    """One signal made of each row that fits.

    Text in `data`, `id` and `subject` is a template: `{Column}` stands for the cell, `{_file}` for the file's
    name without ending, `{_row}` for the row's number. In an entity id (`region:{geo}`) values become slugs.
    """

    type: str
    files: str = "*"
    """Glob on the file's name: a mapping may serve several tables."""
    time: TimeColumn
    data: dict[str, Any]
    id: str | None = None
    """Template; without it the id is a digest of source, signal and row: importing a file twice adds nothing."""
    subject: str | None = None
    once_per: str | None = None
    """Template; only the first row of each of its values makes the signal, such as an entity's declaration."""
    where: Annotated[list[Condition], BeforeValidator(_as_list)] = Field(default_factory=list[Condition])


class MappingFile(BaseModel):
    """How tables become signals of one source."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Accord mapping")

    source: str = Field(min_length=1, max_length=300)
    table: TableFormat = TableFormat()
    signals: list[SignalSpec] = Field(min_length=1)


def mapping_schema() -> dict[str, Any]:
    """The JSON Schema of a mapping file, with the column form that may stand anywhere inside `data`."""
    schema = MappingFile.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    column = Column.model_json_schema()
    schema["$defs"]["Column"] = column
    schema["$defs"]["Value"] = {
        "description": "A constant, a text template, a column, or a list or mapping of these.",
        "anyOf": [
            {"$ref": "#/$defs/Column"},
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": {"$ref": "#/$defs/Value"}},
            {"type": "object", "not": {"required": ["col"]}, "additionalProperties": {"$ref": "#/$defs/Value"}},
        ],
    }
    schema["$defs"]["SignalSpec"]["properties"]["data"]["additionalProperties"] = {"$ref": "#/$defs/Value"}
    where = schema["$defs"]["SignalSpec"]["properties"]["where"]
    schema["$defs"]["SignalSpec"]["properties"]["where"] = {
        "title": where["title"],
        "anyOf": [{"$ref": "#/$defs/Condition"}, {"type": "array", "items": {"$ref": "#/$defs/Condition"}}],
    }
    return schema


def load_mapping(path: Path) -> MappingFile:
    """The mapping in `path`. Raises ConfigError that names the key, what is wrong, and the nearest valid key."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}. Give the path of a mapping file.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}. Mend the YAML at that place.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a mapping file has the keys `source` and `signals`. See docs/mappings.")
    try:
        return MappingFile.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: " + " ".join(faults(error, MappingFile))) from error


def faults(error: ValidationError, model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Each fault of `error` in a sentence: where, what, and for an unknown key the nearest valid one."""
    for fault in error.errors(include_url=False)[:5]:
        field = prefix + _dotted(fault["loc"])
        if fault["type"] == "extra_forbidden":
            yield f"`{field}` is no key here. " + nearest(str(fault["loc"][-1]), _keys_at(model, fault["loc"][:-1]))
        elif fault["type"] == "missing":
            yield f"`{field}` is missing. Add it."
        else:
            yield f"`{field or 'mapping'}`: {fault['msg']} (got {str(fault['input'])[:80]!r})."


def nearest(name: str, valid: Sequence[str]) -> str:
    """A question with the nearest of `valid`, or the list of them."""
    near = get_close_matches(name, valid, n=1, cutoff=0.5)
    if not near:
        folded = {option.casefold(): option for option in valid}
        near = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
        near = [folded[match] for match in near]
    return f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(repr(v) for v in valid)}."


def _dotted(location: Sequence[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _keys_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The keys that the model at `location` below `model` has, as they are written in a file."""
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
