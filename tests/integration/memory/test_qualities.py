"""Observations of quality outlive the process that made them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory.qualities import Quality
from memory.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_observations_come_back_oldest_first_from_a_time_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/accord.db"
    seen = [Quality("explain", "local", "local/m", 0.5, 1.0, "human", NOW - timedelta(days=day)) for day in range(3)]
    with Store.open(url) as store:
        for observation in seen:
            store.qualities.add(observation)
    with Store.open(url) as store:
        assert list(store.qualities.since(NOW - timedelta(days=1))) == [seen[1], seen[0]]
