"""One cell as a typed value. Faults are InputError sentences that start with the column."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.importing.mapping import CellType, TableFormat
from domain.errors import ConfigError, InputError

_NO_VALUE = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def is_empty(cell: object) -> bool:
    """Whether a cell holds nothing: missing, blank, or NaN."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def is_missing_number(cell: object) -> bool:
    """As `is_empty`, and the usual words for no number (NA, NaN, null, -)."""
    return is_empty(cell) or str(cell).strip().lower() in _NO_VALUE


def as_text(cell: object) -> str:
    """A cell as people read it: whole floats without their point, times as ISO."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def number(cell: object, column: str, form: TableFormat) -> float | int:
    """A finite number written the way `form` says."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        value = cell
    else:
        text = _plain_number(str(cell).strip(), form)
        if not _NUMBER.fullmatch(text):
            raise InputError(f"column {column!r}: {str(cell)!r} is no number. {_number_hint(str(cell), form)}")
        value = float(text) if "." in text or "e" in text.lower() else int(text)
    if not math.isfinite(value):
        raise InputError(f"column {column!r}: {cell!r} is no finite number. Leave the cell empty if there is none.")
    return value


def _plain_number(text: str, form: TableFormat) -> str:
    text = text.replace("\u00a0", " ").replace("\u202f", " ")
    if form.thousands:
        text = text.replace(form.thousands, "")
    if form.decimal == ",":
        return text.replace(",", ".") if "." not in text else "?"
    return text


def _number_hint(text: str, form: TableFormat) -> str:
    if "," in text and form.decimal == ".":
        return 'State `table: {decimal: ","}` or `table: {thousands: ","}` in the mapping.'
    if "." in text and form.decimal == ",":
        return 'State `table: {thousands: "."}` or `table: {decimal: "."}` in the mapping.'
    return "Mend the cell, or leave such rows out with `where`."


def zone(name: str) -> ZoneInfo:
    """The time zone `name`. Raises ConfigError for one that is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"`tz`: {name!r} is no IANA time zone. Write one such as Europe/Paris.") from error


def moment(cell: object, column: str, form: str, tz: str) -> datetime:
    """The aware UTC time in a cell; a naive one is read in `tz`, where a repeated hour means its first pass."""
    try:
        found = _parse_moment(cell, form)
    except (ValueError, OverflowError, OSError) as error:
        wanted = "an ISO time such as 2026-03-04T15:00:00Z" if form == "iso" else f"in the form {form!r}"
        raise InputError(
            f"column {column!r}: {str(cell)!r} is no time, wanted {wanted}. State `format` in the mapping."
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=zone(tz))).astimezone(UTC)


def _parse_moment(cell: object, form: str) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    text = as_text(cell)
    if form in {"epoch", "epoch_ms"}:
        return datetime.fromtimestamp(float(text) / (1000 if form == "epoch_ms" else 1), UTC)
    return datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007 — zone added by the caller


def convert(cell: object, type_: CellType | None, column: str, form: TableFormat, options: Mapping[str, str]) -> object:
    """A cell that is not empty as `type_`; None leaves what Parquet typed and the text of a CSV."""
    match type_:
        case "number":
            return number(cell, column, form)
        case "integer":
            value = number(cell, column, form)
            if value != int(value):
                raise InputError(f"column {column!r}: {str(cell)!r} is no whole number. Use type number.")
            return int(value)
        case "boolean":
            if as_text(cell).lower() not in _BOOLEANS and not isinstance(cell, bool):
                raise InputError(f"column {column!r}: {str(cell)!r} is neither true nor false. Add a `map`.")
            return cell if isinstance(cell, bool) else _BOOLEANS[as_text(cell).lower()]
        case "time":
            return moment(cell, column, options["format"], options["tz"]).isoformat()
        case "list":
            return [part.strip() for part in as_text(cell).split(options["separator"]) if part.strip()]
        case "text":
            return as_text(cell)
        case None:
            return cell.strip() if isinstance(cell, str) else cell
