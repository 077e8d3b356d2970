"""Measures how many signals a second the store accepts durably, and what memory ten times
as many take.

Run it by hand: `python evals/bench/ingest.py [SIGNALS]`. Prints one JSON object.
"""

from __future__ import annotations

import json
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from domain.signals import Signal, parse_event
from memory.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BATCH, SINGLES = 500, 500
METRICS = ("spend", "impressions", "clicks", "conversions", "revenue", "sessions", "queries", "ctr")


def event(number: int) -> dict[str, Any]:
    """Eight of ten are hourly points over 100 campaigns; the others are deals and engagements."""
    at = NOW - timedelta(days=600) + timedelta(hours=number // 800)
    raw = {"specversion": "1.0", "id": f"e-{number}", "source": "bench/ads", "time": at.isoformat()}
    kind = number % 10
    if kind < len(METRICS):
        data = {"metric": METRICS[kind], "entity": f"campaign:c{number // 10 % 100}", "value": number * 0.37}
        return {**raw, "type": "accord.metric.point", "data": {**data, "unit": "count", "grain_s": 3600}}
    if kind == len(METRICS):
        deal = {"deal": f"deal:d{number % 997}", "account": "account:a1", "stage": "demo", "status": "open"}
        return {**raw, "type": "accord.deal.changed", "data": {**deal, "amount": 1200.5, "currency": "EUR"}}
    seen = {"person": f"person:p{number % 991}", "asset": "asset:guide", "platform": "web", "seconds": 40}
    return {**raw, "type": "accord.content.engaged", "data": seen}


def signals(first: int, count: int) -> Iterator[Signal]:
    return (parse_event(event(number), received_at=NOW) for number in range(first, first + count))


def batches(source: Iterator[Signal]) -> Iterator[list[Signal]]:
    while batch := list(islice(source, BATCH)):
        yield batch


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def stored_per_s(store: Store, first: int, count: int) -> tuple[float, float]:
    """Signals a second by wall time of the store alone, and with parsing them."""
    storing, begin = 0.0, time.perf_counter()
    for batch in batches(signals(first, count)):
        started = time.perf_counter()
        store.signals.add(batch)
        storing += time.perf_counter() - started
    return count / storing, count / (time.perf_counter() - begin)


def main(count: int) -> None:
    """Prints the figures for `count` signals, then for ten times as many into the same store."""
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
        batched, parsed = stored_per_s(store, 0, count)
        small = peak_mb()
        started = time.perf_counter()
        for signal in signals(count, SINGLES):
            store.signals.add([signal])
        singles = SINGLES / (time.perf_counter() - started)
        more, _ = stored_per_s(store, count + SINGLES, 10 * count)
        figures = {
            "machine": platform.platform(),
            "signals": count,
            "batches_of_500_per_s": round(batched),
            "batches_of_500_with_parsing_per_s": round(parsed),
            "singles_per_s": round(singles),
            "ten_times_as_many_per_s": round(more),
            "peak_mb": round(small),
            "peak_mb_at_ten_times": round(peak_mb()),
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
