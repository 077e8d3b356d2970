"""`accord costs`: what model calls cost in a month, line by line, for whoever checks a vendor's invoice."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from api.cli.command import Command
from api.cli.console import Console, columns
from api.cli.settings import config_option, load, stored
from domain.errors import InputError

if TYPE_CHECKING:
    from providers.costs import Column

_STALE = timedelta(minutes=10)
"""Longer than any call may take: what is held since before then belongs to a process that died."""


@click.command(cls=Command)
@click.option("--month", help="Calendar month in UTC, such as 2026-11; this one when not given.")
@click.option("--by", default="provider,model,task,key", show_default=True, help="What makes a line, by comma.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@config_option
@click.pass_obj
def costs(console: Console, month: str | None, by: str, as_csv: bool, config: Path | None) -> None:  # noqa: FBT001 — click's
    """Sum what model calls cost: tokens, the vendor's cost, what budgets count, what failed attempts cost.

    Costs are in the price's currency, charges in the objective's. `estimated` was charged as reserved, since the vendor
    told no usage; `unsettled` is still held for calls whose process died.

    \b
    Examples:
      accord costs --month 2026-11 --by provider
      accord costs --csv > november.csv
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from providers.costs import bill
    from providers.facts import known

    now = datetime.now(UTC)
    settings, names, wanted = load(config), _columns(by), month or f"{now:%Y-%m}"
    with stored(settings) as store:
        lines = bill(wanted, store.calls.in_month(wanted), names)
        stale = store.calls.unsettled(now - _STALE)
    rows = [line.row() for line in lines]
    if as_csv:
        click.echo(_csv(rows), file=console.out, nl=False)
        return
    answer: dict[str, Any] = {
        "month": wanted,
        "items": rows,
        "currency": settings.objective.currency,
        "prices": known().version,
        "unsettled": [
            {"id": hold.id, "at": hold.at, "provider": hold.provider, "held": _text(hold.held_nano)} for hold in stale
        ],
    }
    console.answer(answer, [*_table(rows), *_footer(answer)])


def _columns(by: str) -> tuple[Column, ...]:
    from providers.costs import COLUMNS

    names = [name.strip() for name in by.split(",") if name.strip()]
    wrong = [name for name in names if name not in COLUMNS]
    if wrong or not names:
        raise InputError(f"`--by` {by!r} names no such column. Choose of {', '.join(COLUMNS)}.")
    return cast("tuple[Column, ...]", tuple(names))


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()


def _table(rows: list[dict[str, Any]]) -> list[str]:
    shown = [{name: "-" if value is None else value for name, value in row.items() if name != "month"} for row in rows]
    return columns([list(shown[0]), *(row.values() for row in shown)]) if shown else ["No model was called."]


def _footer(answer: dict[str, Any]) -> list[str]:
    lines = [f"Charged in {answer['currency']}; built-in prices of {answer['prices']}."]
    if answer["unsettled"]:
        lines.append(f"{len(answer['unsettled'])} calls were never settled and stay charged: their process died.")
    return lines


def _text(nano: int) -> str:
    from providers.pricing import decimal_text

    return decimal_text(nano)
