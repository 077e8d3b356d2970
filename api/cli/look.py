"""`accord detect` and `accord lift`: the analyses on files from outside, without a store."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import click

from api.cli.command import Command
from api.cli.console import Console, columns

if TYPE_CHECKING:
    from analysis.lift import Lift
    from api.importing.panel import Panel

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=Command)
@click.option("--series", "path", required=True, type=_FILE, help="CSV or Parquet in time order.")
@click.option("--time-col", default="timestamp", show_default=True, help="Column of times (ISO or epoch).")
@click.option("--value-col", default="value", show_default=True, help="Column of values; empty ones are gaps.")
@click.option("--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="Decimal sign.")
@click.pass_obj
def detect(console: Console, path: Path, time_col: str, value_col: str, decimal: Literal[".", ","]) -> None:
    """Find anomalies in one series, as a stream would have raised them.

    Strictly causal: more rows at the end never change the alarms before them.

    \b
    Example:
      accord detect --series exchange-2_cpc_results.csv --json
      {"points": 1624, "anomalies": [{"time": "2011-07-05 19:00:01", "value": 0.9, "score": 4.1, "kind": "spike"}]}
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from analysis.detect import Detector
    from api.importing.mapping import TableFormat
    from api.importing.series import read_series

    series = read_series(path, time_col, value_col, TableFormat(decimal=decimal))
    detector = Detector()
    with console.progress("Points", len(series.values)) as at:
        found: list[dict[str, Any]] = []
        for index, (at_s, value) in enumerate(zip(series.times_s, series.values, strict=True)):
            alarm = detector.update(at_s, value)
            if alarm is not None:
                found.append(
                    {"time": series.stamps[index], "value": value, "score": round(alarm.score, 3), "kind": alarm.kind}
                )
            at(index)
    if console.as_json:
        console.data({"points": len(series.values), "anomalies": found})
        return
    console.say(f"{len(series.values):,} points, {len(found)} anomalies" + ("." if found else ": nothing found."))
    rows = [(alarm["time"], alarm["kind"], f"{alarm['value']:g}", f"score {alarm['score']:.1f}") for alarm in found]
    for line in columns(rows):
        console.say(line)


class LiftOptions(TypedDict):
    """The options of `accord lift` as click passes them."""

    path: Path
    unit_col: str | None
    time_col: str
    value_col: str
    treated: str | None
    start: str
    end: str | None
    alpha: float
    min_effect_rate: float
    covariates: str | None
    decimal: Literal[".", ","]


@click.command(cls=Command)
@click.option("--data", "path", required=True, type=_FILE, help="CSV or Parquet, one row per unit and time.")
@click.option("--unit-col", help="Column of units; leave out for a single series with --covariates.")
@click.option("--time-col", required=True, help="Column of times: dates, ISO times, or period numbers.")
@click.option("--value-col", required=True, help="Column of the outcome.")
@click.option("--treated", help="Units that were acted on, by comma.")
@click.option("--start", required=True, help="First time of the action, as the data writes it.")
@click.option("--end", help="Last time of the action (included); the data's end when left out.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Error rate of the interval.")
@click.option("--min-effect-rate", type=float, default=0.02, show_default=True, help="Smallest effect that matters.")
@click.option("--covariates", help="Columns the action cannot have touched, by comma (single series).")
@click.option("--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="Decimal sign.")
@click.pass_obj
def lift(console: Console, **options: Unpack[LiftOptions]) -> None:
    """Measure what an action changed, against what would have happened without it.

    Synthetic control from the untreated units, with a conformal interval. The verdict is worked, no_effect,
    harmful, or unknowable.

    \b
    Example:
      accord lift --data geolift_test.csv --unit-col location --time-col date --value-col Y \\
                  --treated chicago,portland --start 2021-04-01
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from api.importing.mapping import TableFormat
    from api.importing.panel import PanelColumns, read_panel

    covariates = _names(options["covariates"])
    _refuse_mixed_forms(options, covariates)
    panel = read_panel(
        options["path"],
        PanelColumns(options["unit_col"], options["time_col"], options["value_col"], covariates),
        TableFormat(decimal=options["decimal"]),
    )
    found = _measure(panel, options)
    for dropped in found.dropped:
        console.warn(f"control unit {panel.units[dropped.unit]!r} was left out: it {dropped.reason}.")
    console.answer(_as_json(found), _in_words(found))


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _refuse_mixed_forms(options: LiftOptions, covariates: tuple[str, ...]) -> None:
    if covariates and options["unit_col"]:
        raise click.UsageError("--covariates is for a single series. Leave --unit-col and --treated out.")
    if not covariates and not options["unit_col"]:
        raise click.UsageError("Give --unit-col and --treated, or --covariates for a single series.")
    if options["unit_col"] and not _names(options["treated"]):
        raise click.UsageError("Give --treated: the units that were acted on, by comma.")


def _measure(panel: Panel, options: LiftOptions) -> Lift:
    from analysis.lift import lift as panel_lift
    from analysis.lift import single_series_lift

    start = panel.period(options["start"], "--start")
    end = None if options["end"] is None else panel.period(options["end"], "--end") + 1
    levels = {"alpha": options["alpha"], "min_effect_rate": options["min_effect_rate"]}
    if panel.covariates:
        return single_series_lift(panel.values[0], panel.covariates, start, end, **levels)
    return panel_lift(panel.values, panel.rows_of(_names(options["treated"])), start, end, **levels)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _as_json(found: Lift) -> dict[str, Any]:
    return {
        "lift_rate": found.lift_rate,
        "incremental": found.incremental,
        "interval": [found.low, found.high],
        "p_value": found.p_value,
        "mde_rate": _finite(found.mde_rate),
        "verdict": found.verdict,
        "pre_fit": {"r2": _finite(found.pre_fit.r2), "imbalance": _finite(found.pre_fit.imbalance)},
    }


def _in_words(found: Lift) -> list[str]:
    mde = f"{found.mde_rate:.1%}" if math.isfinite(found.mde_rate) else "unknown"
    interval = f"interval {found.low:+.1%} to {found.high:+.1%}, p = {found.p_value:.3f}"
    return [
        f"{found.verdict}: {found.lift_rate:+.1%} ({found.incremental:+,.0f}), {interval}.",
        f"Smallest effect this data could show (80 % power): {mde}.",
        f"Fit before the action: R² {found.pre_fit.r2:.2f}, imbalance {found.pre_fit.imbalance:.2f}.",
    ]
