"""`accord import`, `accord replay` and `accord schema`: what happened elsewhere, as signals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from api.cli.command import Command, Group
from api.cli.console import EXIT_FAILURE, Console, columns
from api.cli.settings import config_option, load
from domain.errors import InputError

if TYPE_CHECKING:
    from agents.replay import Replayed, ReplaySummary
    from api.importing.mapper import Fault, Mapped, Mapper
    from api.importing.receive import Receiver

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHOWN_FAULTS = 20
_PREVIEWED = 3


class ImportOptions(TypedDict):
    """The options of `accord import` as click passes them."""

    files: tuple[Path, ...]
    mapping_file: Path
    out: Path | None
    limit: int | None
    dry_run: bool
    config: Path | None


@click.command("import", cls=Command)
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE…")
@click.option("--mapping", "mapping_file", required=True, type=_FILE, help="How columns become signals (YAML).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON lines instead of storing.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many rows.")
@click.option("--dry-run", is_flag=True, help="Show the first signals and the counts; store and write nothing.")
@config_option
@click.pass_obj
def import_(console: Console, **options: Unpack[ImportOptions]) -> None:
    """Turn CSV or Parquet files into signals, by a mapping file.

    A row that cannot be used is named with its line and column and harms no other. The exit code is 1 only when
    nothing was accepted. Importing a file again adds nothing.

    \b
    Examples:
      accord import sales.csv --mapping sales.yaml --dry-run
      accord import docs/*.csv --mapping crm.yaml --out signals.jsonl
    Mappings to start from: docs/mappings. Their JSON Schema: accord schema mapping.
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from datetime import UTC, datetime

    from api.importing.mapper import Mapper
    from api.importing.mapping import load_mapping
    from api.importing.receive import Preview, ToFile, to_store

    mapper = Mapper(load_mapping(options["mapping_file"]), now=datetime.now(UTC))
    if options["dry_run"]:
        receiver = Preview(_PREVIEWED)
        faults = _receive_all(console, mapper, options, receiver)
        _report_preview(console, mapper, receiver.events, faults)
    elif options["out"] is not None:
        with ToFile(options["out"]) as receiver:
            faults = _receive_all(console, mapper, options, receiver)
        _report(console, mapper, receiver, faults)
    else:
        with to_store(load(options["config"])) as receiver:
            faults = _receive_all(console, mapper, options, receiver)
        _report(console, mapper, receiver, faults)


def _receive_all(console: Console, mapper: Mapper, options: ImportOptions, receiver: Receiver) -> list[Fault]:
    """Feeds every row to `receiver`; the first faults are returned, all are counted by the mapper's tally."""
    from api.importing.mapper import Fault

    kept: list[Fault] = []

    def keep(fault: Fault) -> None:
        if len(kept) < _SHOWN_FAULTS:
            kept.append(fault)

    with console.progress("Rows") as at:
        for item in _rows(mapper, options["files"], options["limit"], at):
            if isinstance(item, Fault):
                keep(item)
                continue
            for fault in receiver.take(item):
                mapper.tally.refuse()
                keep(fault)
        for fault in receiver.finish():
            mapper.tally.refuse()
            keep(fault)
    return kept


def _rows(
    mapper: Mapper, files: Sequence[Path], limit: int | None, at: Callable[[int], None]
) -> Iterator[Mapped | Fault]:
    for path in files:
        for item in mapper.read(path, limit):
            at(mapper.tally.rows)
            yield item


def _report_preview(console: Console, mapper: Mapper, events: list[dict[str, Any]], faults: list[Fault]) -> None:
    summary = _summary(mapper, faults)
    _tell_faults(console, mapper, faults)
    if console.as_json:
        console.data({**summary, "dry_run": True, "preview": events})
    else:
        for event in events:
            console.data(event)
        console.say(f"Dry run: {_counts(summary)}. Nothing was stored.")
    _exit_unless(mapper.tally.signals > 0)


def _report(console: Console, mapper: Mapper, receiver: Receiver, faults: list[Fault]) -> None:
    summary = {**_summary(mapper, faults), "accepted": receiver.accepted, "duplicate": receiver.duplicate}
    _tell_faults(console, mapper, faults)
    text = f"{receiver.accepted:,} signals accepted, {receiver.duplicate:,} known already; {_counts(summary)}."
    console.answer(summary, [text])
    _exit_unless(receiver.accepted + receiver.duplicate > 0)


def _summary(mapper: Mapper, faults: list[Fault]) -> dict[str, Any]:
    tally = mapper.tally
    return {
        "rows": tally.rows,
        "signals": tally.signals,
        "rows_without_signal": tally.unmatched,
        "rejected": tally.faults,
        "faults": [{"file": str(fault.file), "line": fault.line, "error": fault.detail} for fault in faults],
        "notes": tally.notes,
    }


def _counts(summary: dict[str, Any]) -> str:
    return (
        f"{summary['rows']:,} rows made {summary['signals']:,} signals, {summary['rows_without_signal']:,} rows were "
        f"left out by the mapping, {summary['rejected']:,} faults"
    )


def _tell_faults(console: Console, mapper: Mapper, faults: list[Fault]) -> None:
    for note in mapper.tally.notes:
        console.note(note)
    for fault in faults:
        console.warn(str(fault))
    if mapper.tally.faults > len(faults):
        console.note(f"… and {mapper.tally.faults - len(faults):,} more faults.")


def _exit_unless(good: bool) -> None:  # noqa: FBT001 — one fact
    if not good:
        raise click.exceptions.Exit(EXIT_FAILURE)


@click.command(cls=Command)
@click.option(
    "--signals",
    "path",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="JSONL file or folder of such.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@config_option
@click.pass_obj
def replay(console: Console, path: Path, out: Path, config: Path | None) -> None:
    """What would Accord have done? Plays signals in event time, with no outside effect.

    Writes situations.jsonl, proposals.jsonl and summary.json into --out, in the shapes of the API.

    \b
    Example:
      accord import sales.csv --mapping sales.yaml --out signals.jsonl
      accord replay --signals signals.jsonl --out what-if
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.replay import replay as play
    from api.importing.jsonl import JsonLines

    lines = JsonLines(path)
    with console.progress("Signals played") as at:
        found = play(load(config), lines, progress=lambda passed: at(passed.done))
    for fault in lines.faults:
        console.warn(fault)
    for refused in found.summary.errors:
        console.warn(f"signal {refused.id!r}: {refused.error}")
    if not lines.read:
        raise InputError(f"{path}: no line was a signal. Write them with `accord import … --out`.")
    summary = {**found.summary.model_dump(mode="json"), "rejected_lines": lines.rejected}
    _write(out, found, summary)
    console.answer(summary, _replay_in_words(found.summary, out))


def _write(out: Path, found: Replayed, summary: dict[str, Any]) -> None:
    """The results in API shapes: two files of JSON lines and the summary."""
    from api.schemas.proposals import of_proposal
    from api.schemas.situations import of_situation

    out.mkdir(parents=True, exist_ok=True)
    rows = {
        "situations.jsonl": [of_situation(one).model_dump_json(by_alias=True) for one in found.situations],
        "proposals.jsonl": [of_proposal(one).model_dump_json(by_alias=True) for one in found.proposals],
    }
    for name, texts in rows.items():
        (out / name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _replay_in_words(summary: ReplaySummary, out: Path) -> Iterator[str]:
    span = f" from {summary.first:%Y-%m-%d} to {summary.last:%Y-%m-%d}" if summary.first and summary.last else ""
    yield f"Played {summary.signals:,} signals{span} in {summary.rounds} rounds ({summary.rejected} rejected)."
    yield f"{summary.finding[:1].upper()}{summary.finding[1:]}."
    yield from columns((f"  {kind}", count) for kind, count in summary.by_kind.items())
    yield f"Details: {out}"


@click.group(cls=Group)
def schema() -> None:
    """Print the schemas of files that people write."""


@schema.command("mapping")
@click.pass_obj
def schema_mapping(console: Console) -> None:
    """Print the JSON Schema of mapping files, for an editor or a check.

    \b
    Example:
      accord schema mapping > mapping.schema.json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from api.importing.mapping import mapping_schema

    console.data(mapping_schema())
