"""Reads recorded outcomes from CSV or Parquet in long format: one row for each query and model."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import ConfigError, InputError
from evals.routing.recorded import Matrix, Recorded

Row = Mapping[str, Any]
ONE_TASK = "all"
_TRUE, _FALSE, _NONE = {"true", "yes"}, {"false", "no"}, {"", "na", "nan", "none", "null"}
_FURTHER_CHARS = 1500  # of each further text column, as in the published baselines
_PRICE_WORDS = {"input": {"in", "input", "prompt"}, "output": {"out", "output", "completion"}}


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns. Without `cost` and prices every model costs nothing; without `task` there is one task."""

    id: str
    text: Sequence[str]
    model: str
    score: str
    task: str | None = None
    cost: str | None = None
    input_tokens: str | None = None
    output_tokens: str | None = None


@dataclass(frozen=True, slots=True)
class Questions:
    """Text and task by id; a query without a task is of the one task of those."""

    texts: Mapping[str, str]
    tasks: Mapping[str, str]


@dataclass(slots=True)
class Reading:
    """The matrices, and what a person should know about how they came to be."""

    recorded: Recorded
    notes: list[str] = field(default_factory=list[str])


def read(questions: Path, results: Path, columns: Columns, prices: Path | None = None) -> Reading:
    """Recorded outcomes of the models that have a cost. Scores of a query and model told twice are averaged.

    Raises InputError naming file, column or row, and ConfigError where Parquet needs pyarrow.
    """
    asked, told = table(questions), table(results)
    _require(asked, questions, [columns.id, *columns.text])
    told_needs = [columns.id, columns.model, columns.score, columns.cost]
    if prices is not None:
        told_needs += [columns.input_tokens, columns.output_tokens]
        if columns.input_tokens is None or columns.output_tokens is None:
            raise InputError("`--prices` needs `--input-tokens-col` and `--output-tokens-col`. Name both.")
    _require(told, results, [name for name in told_needs if name is not None])
    notes: list[str] = []
    known = Questions(_texts(asked, columns, notes), _tasks(asked, told, columns, questions))
    rates = None if prices is None else price_table(prices, columns.model)
    costs = _costs(told, columns, rates, results)
    models = _models(told, columns, rates, costs, notes)
    sums = _sums(told, columns, known, (models, costs), notes)
    return Reading(_kept(known, models, sums, notes), notes)


def table(path: Path) -> list[Row]:
    """Rows of a CSV or Parquet file, either also as `.gz`. Raises InputError when it cannot be read or is empty."""
    try:
        content = path.read_bytes()
        name = path.name.lower()
        if name.endswith(".gz"):
            content, name = gzip.decompress(content), name.removesuffix(".gz")
        rows = _parquet(content) if name.endswith((".parquet", ".pq")) else _csv(content)
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise InputError(f"{str(path)!r} cannot be read: {error}. Give a CSV or Parquet file.") from error
    if not rows:
        raise InputError(f"{str(path)!r} has no rows. Give a file with a header and at least one row.")
    return rows


def _csv(content: bytes) -> list[Row]:
    csv.field_size_limit(1 << 27)
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    head = text.read(65536).partition("\n")[0]
    text.seek(0)
    delimiter = max(",;\t", key=head.count)
    return list(csv.DictReader(text, delimiter=delimiter))


def _parquet(content: bytes) -> list[Row]:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")  # ships no types
    except ImportError as error:
        raise ConfigError("Parquet needs pyarrow. Install Accord with the extra `parquet`.") from error
    return parquet.read_table(io.BytesIO(content)).to_pylist()


def _require(rows: Sequence[Row], path: Path, names: Iterable[str | None]) -> None:
    have = [str(name) for name in rows[0]]
    for name in names:
        if name is not None and name not in have:
            near = get_close_matches(name, have, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(map(repr, have))}."
            raise InputError(f"{str(path)!r} has no column {name!r}. {hint}")


def key(value: object) -> str:
    """An id as text, the same from every format: 7, 7.0 and "7" are one."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _in_order(ids: Iterable[str]) -> list[str]:
    known = list(ids)
    return sorted(known, key=int) if all(id_.isdigit() for id_ in known) else sorted(known)


def _texts(rows: Sequence[Row], columns: Columns, notes: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    twice = 0
    for row in rows:
        first, *further = (str(row[name] or "") for name in columns.text)
        text = " || ".join([first, *(part[:_FURTHER_CHARS] for part in further)])
        twice += key(row[columns.id]) in texts
        texts.setdefault(key(row[columns.id]), text)
    if twice:
        notes.append(f"{twice} questions repeat an id; the first of each counts.")
    return texts


def _tasks(asked: Sequence[Row], told: Sequence[Row], columns: Columns, questions: Path) -> dict[str, str]:
    if columns.task is None:
        return {}
    rows = next((rows for rows in (asked, told) if columns.task in rows[0]), None)
    if rows is None:
        _require(asked, questions, [columns.task])
        return {}
    return {key(row[columns.id]): key(row[columns.task]) for row in rows if row[columns.task] is not None}


def number(value: object, where: str) -> float | None:
    """A finite number, a truth value as 0 or 1, or None for a missing one. Raises InputError for anything else."""
    text = str(value).strip().lower()
    if value is None or text in _NONE:
        return None
    if text in _TRUE or text in _FALSE:
        return float(text in _TRUE)
    try:
        found = float(text)
    except ValueError as error:
        raise InputError(f"{where} is {value!r}, which is no number. Mend or drop that row.") from error
    if not math.isfinite(found):
        raise InputError(f"{where} is {value!r}. Mend or drop that row.")
    return found


def price_table(path: Path, model_column: str) -> dict[str, tuple[float, float]]:
    """Price per million input and output tokens by model, in the order of the file.

    Columns: the model's (`model_column` or `model`), one named for input, one for output (`usd_per_mtok_in`, `output`).
    """
    rows = table(path)
    names = [str(name) for name in rows[0]]
    model = next((name for name in (model_column, "model") if name in names), None)
    sides = {side: [n for n in names if words & set(n.lower().split("_"))] for side, words in _PRICE_WORDS.items()}
    if model is None or any(len(found) != 1 for found in sides.values()):
        raise InputError(
            f"{str(path)!r} needs a column {model_column!r}, one for the price of input and one for that of output, "
            f"per million tokens, such as `model,input,output`; it has {', '.join(map(repr, names))}. Rename them."
        )
    found: dict[str, tuple[float, float]] = {}
    for place, row in enumerate(rows, start=2):
        pair = [number(row[sides[side][0]], f"{path.name}, row {place}, the price of {side}") for side in sides]
        if pair[0] is not None and pair[1] is not None:
            found[key(row[model])] = (pair[0], pair[1])
    return found


def _costs(
    rows: Sequence[Row], columns: Columns, rates: Mapping[str, tuple[float, float]] | None, path: Path
) -> list[float | None]:
    """Cost of each row: as told, else tokens by price; all zero where neither is known."""
    if columns.cost is None and rates is None:
        return [0.0] * len(rows)
    found: list[float | None] = []
    for place, row in enumerate(rows, start=2):
        where = f"{path.name}, row {place}"
        cost = number(row[columns.cost], f"{where}, `{columns.cost}`") if columns.cost else None
        if cost is None and rates is not None and (rate := rates.get(key(row[columns.model]))) is not None:
            tokens = [
                number(row[name], f"{where}, `{name}`")
                for name in (columns.input_tokens, columns.output_tokens)
                if name is not None
            ]
            counts = [count for count in tokens if count is not None]
            cost = sum(c * price for c, price in zip(counts, rate, strict=True)) / 1e6 if len(counts) == 2 else None
        if cost is not None and cost < 0:
            raise InputError(f"{where}: a cost of {cost!r} is below 0. Mend or drop that row.")
        found.append(cost)
    return found


def _models(
    rows: Sequence[Row],
    columns: Columns,
    rates: Mapping[str, tuple[float, float]] | None,
    costs: Sequence[float | None],
    notes: list[str],
) -> list[str]:
    named = [key(row[columns.model]) for row in rows]
    costed = {model for model, cost in zip(named, costs, strict=True) if cost is not None}
    order = sorted(costed) if rates is None else [m for m in rates if m in costed] + sorted(costed - set(rates))
    dropped = sorted(set(named) - costed)
    if dropped:
        listed = ", ".join(dropped[:5]) + (" …" if len(dropped) > 5 else "")
        notes.append(f"{len(dropped)} of {len(set(named))} models have no cost and are left out: {listed}")
    if len(order) < 2:
        raise InputError(f"Routing needs two models with a cost; here is {len(order)}. Give costs or prices.")
    return order


def _sums(
    rows: Sequence[Row],
    columns: Columns,
    known: Questions,
    priced: tuple[Sequence[str], Sequence[float | None]],
    notes: list[str],
) -> Matrix:
    """Sum of scores, their number, sum of costs, their number: each by query and model."""
    models, costs = priced
    place_of = {id_: place for place, id_ in enumerate(_in_order(known.texts))}
    column_of = {model: place for place, model in enumerate(models)}
    sums = np.zeros((4, len(place_of), len(models)))  # score, how many, cost, how many
    unknown: Counter[str] = Counter()
    for line, (row, cost) in enumerate(zip(rows, costs, strict=True), start=2):
        query, model = key(row[columns.id]), key(row[columns.model])
        if query not in place_of:
            unknown[query] += 1
        if query not in place_of or model not in column_of:
            continue
        score = number(row[columns.score], f"The results' row {line}, `{columns.score}`,")
        if score is not None and not 0 <= score <= 1:
            raise InputError(f"The results' row {line}: the score {score!r} is not within 0 and 1. Rescale the scores.")
        at = (place_of[query], column_of[model])
        for offset, value in ((0, score), (2, cost)):
            if value is not None:
                sums[offset][at] += value
                sums[offset + 1][at] += 1
    if unknown:
        notes.append(f"{sum(unknown.values())} results of {len(unknown)} queries without a question are left out.")
    return sums


def _kept(known: Questions, models: Sequence[str], sums: Matrix, notes: list[str]) -> Recorded:
    """The queries with at least one score; a missing cost is the mean of its model."""
    with np.errstate(invalid="ignore"):
        scores: Matrix = sums[0] / sums[1]
        costs: Matrix = sums[2] / sums[3]
    typical = sums[2].sum(axis=0) / np.maximum(sums[3].sum(axis=0), 1)
    costs = np.where(np.isnan(costs), typical, costs)
    ids = np.array(_in_order(known.texts))
    keep = np.flatnonzero((sums[1] > 0).any(axis=1))
    if len(keep) < len(ids):
        notes.append(f"{len(ids) - len(keep)} questions without any score are left out.")
    missing = int((sums[1][keep] == 0).sum())
    if missing:
        notes.append(
            f"{missing:,} of {len(keep) * len(models):,} scores are missing: a router is judged on the others."
        )
    if len(keep) < 4:
        raise InputError(f"{len(keep)} queries with scores cannot be split into train and test. Give at least 4.")
    kept = [str(id_) for id_ in ids[keep]]
    return Recorded(
        ids=tuple(kept),
        texts=tuple(known.texts[id_] for id_ in kept),
        tasks=tuple(known.tasks.get(id_, ONE_TASK) for id_ in kept),
        models=tuple(models),
        scores=scores[keep],
        costs=costs[keep],
    )
