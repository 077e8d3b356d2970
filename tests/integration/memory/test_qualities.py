"""Observations of quality outlive the process that made them."""

from __future__ import annotations

from dataclasses import replace
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


def test_an_observation_with_an_id_is_kept_once_and_those_without_each_time(store: Store) -> None:
    named = Quality("write", "one", "one/m", 1.0, 0.2, "human", NOW, id="dec_1")
    for observation in (named, replace(named, quality=0.0), replace(named, id=None), replace(named, id=None)):
        store.qualities.add(observation)
    assert [quality.id for quality in store.qualities.since(NOW)] == ["dec_1", None, None]
    assert next(store.qualities.since(NOW)) == named
