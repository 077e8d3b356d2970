"""Whether a row counts: the typed conditions of a mapping's `where`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from api.importing.cell import as_text, is_empty, number
from api.importing.mapping import Condition, TableFormat

_ORDER: dict[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}


def holds(condition: Condition, cells: Mapping[str, Any], form: TableFormat) -> bool:
    """Whether every comparison of `condition` holds; one with an empty cell holds only for `empty` and the negations.

    Raises InputError naming the column when a cell compared with a number is none.
    """
    cell = cells.get(condition.col)
    gone = is_empty(cell)
    given = condition.model_fields_set - {"col"}
    return all(
        _holds_one(name, getattr(condition, name), condition.col, None if gone else cell, form) for name in given
    )


def _holds_one(name: str, operand: Any, column: str, cell: object, form: TableFormat) -> bool:
    match name:
        case "empty":
            return (cell is None) is operand
        case "not_empty":
            return (cell is not None) is operand
        case "not_equals":
            return cell is None or not _equal(cell, operand, column, form)
        case "not_in":
            return cell is None or not any(_equal(cell, option, column, form) for option in operand)
        case _ if cell is None:
            return False
        case "equals":
            return _equal(cell, operand, column, form)
        case "in_":
            return any(_equal(cell, option, column, form) for option in operand)
        case _:
            return _ORDER[name](*_comparable(cell, operand, column, form))


def _equal(cell: object, operand: object, column: str, form: TableFormat) -> bool:
    left, right = _comparable(cell, operand, column, form)
    return left == right


def _comparable(cell: object, operand: object, column: str, form: TableFormat) -> tuple[Any, Any]:
    """Both sides as numbers when the mapping writes a number, else both as text."""
    if isinstance(operand, str):
        return as_text(cell), operand
    return number(cell, column, form), operand
