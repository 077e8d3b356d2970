"""Measures long series: points a second as signals, size of the database, reading two years of hours.

Run it by hand: `python evals/bench/series.py [POINTS]`. Points arrive hour by hour over all series, as tools
send them, so that each series' points are written far apart and read together. Prints one JSON object.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from domain.ports import SeriesKey
from domain.signals import MetricPoint, Signal
from memory.store import Store

START = datetime(2024, 1, 1, tzinfo=UTC)
HOURS = 17_520
BATCH = 500


def arrivals(series: int, hours: int) -> Iterator[Signal]:
    """`series` points for each of `hours` hours."""
    for hour in range(hours):
        at = START + timedelta(hours=hour)
        for number in range(series):
            value = hour * 0.1 + number
            point: dict[str, Any] = {"metric": "spend", "entity": f"campaign:c{number}", "value": value, "unit": "EUR"}
            raw = {"specversion": "1.0", "id": f"{hour}-{number}", "source": "bench/ads", "time": at.isoformat()}
            raw = {**raw, "type": "accord.metric.point", "data": point}
            data = MetricPoint.model_construct(**point, grain_s=3600, dims={})
            yield Signal.model_construct(
                source="bench/ads",
                id=f"{hour}-{number}",
                type="accord.metric.point",
                time=at,
                received_at=at,
                trust="internal",
                data=data,
                raw=raw,
            )


def batches(source: Iterator[Signal]) -> Iterator[list[Signal]]:
    while batch := list(islice(source, BATCH)):
        yield batch


def read_ms(store: Store, key: SeriesKey) -> tuple[float, int]:
    """Least time of reading one whole series by fresh views, and its length."""
    took: list[float] = []
    length = 0
    for _ in range(7):
        view = store.view(START + timedelta(hours=HOURS))
        view.keys()
        begin = time.perf_counter()
        length = len(view.series(key).values)
        took.append((time.perf_counter() - begin) * 1000)
    return min(took), length


def main(points: int) -> None:
    """Fills `points` / 17,520 series of two years and prints the figures."""
    series = max(1, points // HOURS)
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
        storing = 0.0
        for batch in batches(arrivals(series, HOURS)):
            begin = time.perf_counter()
            store.signals.add(batch)
            storing += time.perf_counter() - begin
        total = store.signals.count()
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        size_mb = (Path(folder) / "bench.db").stat().st_size / 1e6
        took, length = read_ms(store, SeriesKey("spend", "campaign:c0"))
        begin = time.perf_counter()
        last = sum(1 for _ in store.view(START + timedelta(hours=HOURS)).points_after(total - 10_000))
        figures = {
            "machine": platform.platform(),
            "series": series,
            "points": total,
            "points_per_s": round(total / storing),
            "mb_per_million_points": round(size_mb / total * 1e6),
            "read_ms": round(took, 1),
            "points_read": length,
            "newest_10000_arrivals_ms": round((time.perf_counter() - begin) * 1000),
            "of_which": last,
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
