"""`accord eval routing`: ways to choose a model compared on recorded outcomes of any set of queries."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from evals.routing.reading import Columns

_FILE = click.Path(path_type=Path, dir_okay=False)
_QUESTION_HELP = "CSV or Parquet (also .gz): one row for each query."
_RESULT_HELP = "CSV or Parquet (also .gz): one row for each query and model."


@click.command()
@click.option("--questions", required=True, type=_FILE, help=_QUESTION_HELP)
@click.option("--results", required=True, type=_FILE, help=_RESULT_HELP)
@click.option("--id-col", required=True, help="Id of the query, in both files.")
@click.option("--text-col", "text_cols", required=True, multiple=True, help="Text of the query; may be given again.")
@click.option("--task-col", help="The known task; without it all queries are one task.")
@click.option("--model-col", default="model", show_default=True, help="The model, in the results.")
@click.option("--score-col", default="score", show_default=True, help="0 to 1, or true and false.")
@click.option("--cost-col", help="Cost of the call.")
@click.option("--prices", type=_FILE, help="Price of input and output per million tokens, by model.")
@click.option("--input-tokens-col", help="With --prices.")
@click.option("--output-tokens-col", help="With --prices.")
@click.option("--seeds", "count", default=5, show_default=True, type=click.IntRange(1, 100), help="Splits 70/30.")
@click.option(
    "--accuracy-share",
    "share",
    default=0.99,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the best single model's accuracy to keep while saving.",
)
@click.option("--robustness", is_flag=True, help="Also: share of picks unchanged by spacing, case and typing errors.")
@click.option("--curves", "with_curves", is_flag=True, help="Also: cost and quality along each hull, first seed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout and nothing else there.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the stack trace of a failure.")
def routing(as_json: bool, **given: Any) -> None:  # noqa: FBT001 — click passes flags by name
    """Compare ways to choose a model on recorded outcomes.

    \b
    accord        task prior, text and predicted cost: what the product uses
    label         mean score of each model on the known task
    zero          random mixes of single models
    best_single   the best model on train, mixed with the cheapest
    knn, lr       text alone: 100 neighbours, logistic regression
    oracle        knows every score
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from evals.routing.report import lines

    body = _measured(**given)
    click.echo(json.dumps(body, ensure_ascii=False) if as_json else "\n".join(lines(body)))


def _measured(  # noqa: PLR0913 — the options of the command
    *,
    questions: Path,
    results: Path,
    count: int,
    share: float,
    robustness: bool,
    with_curves: bool,
    prices: Path | None,
    **columns: Any,
) -> dict[str, Any]:
    from evals.routing.compare import METHODS, compare
    from evals.routing.noise import unchanged_share
    from evals.routing.reading import read
    from evals.routing.report import curves, summary

    _note(f"reading {questions.name} and {results.name}")
    reading = read(questions, results, _columns(columns), prices)
    for note in reading.notes:
        _note(note)
    steps = count * len(METHODS)
    found = compare(reading.recorded, count, share=share, told=lambda done: _progress(done, steps))
    found.notes = reading.notes
    body = summary(found, share)
    if robustness:
        _note("typing errors")
        body["robustness"] = unchanged_share(reading.recorded, found.seeds[0])
    if with_curves:
        body["curves"] = curves(found)
    return body


def _columns(given: Mapping[str, Any]) -> Columns:
    from evals.routing.reading import Columns

    return Columns(
        id=given["id_col"],
        text=given["text_cols"],
        model=given["model_col"],
        score=given["score_col"],
        task=given["task_col"],
        cost=given["cost_col"],
        input_tokens=given["input_tokens_col"],
        output_tokens=given["output_tokens_col"],
    )


def _progress(done: int, steps: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {steps} fits", nl=done == steps, err=True)
    elif done * 5 % steps < 5:
        _note(f"{done} of {steps} fits")


def _note(text: str) -> None:
    click.echo(text, err=True)
