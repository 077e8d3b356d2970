"""Rows into signals: what a mapping says happens, and a bad row is named and harms no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.importing.mapper import Fault, Mapped, Mapper
from api.importing.mapping import MappingFile
from api.importing.value import entity_name
from domain.errors import ConfigError, InputError

NOW = datetime(2026, 3, 4, tzinfo=UTC)
POINT: dict[str, Any] = {
    "type": "accord.metric.point",
    "time": {"col": "day", "tz": "Europe/Paris"},
    "data": {"metric": "sessions", "entity": "region:{city}", "value": {"col": "visits"}, "dims": {"shop": "{shop}"}},
}
HEADER = "day,city,visits,shop\n"


def mapped(path: Path, *signals: dict[str, Any], **table: Any) -> tuple[list[dict[str, Any]], list[Fault], Mapper]:
    mapper = Mapper(MappingFile.model_validate({"source": "s", "table": table, "signals": list(signals)}), now=NOW)
    items = list(mapper.read(path))
    return [i.event for i in items if isinstance(i, Mapped)], [i for i in items if isinstance(i, Fault)], mapper


@pytest.fixture
def table(tmp_path: Path) -> Any:
    def write(text: str | bytes, name: str = "visits.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_row_becomes_an_event_with_slugged_entity_and_utc_time(table: Any) -> None:
    events, faults, _ = mapped(table(HEADER + '2026-03-01,"Aix, en Provence",12,\n'), POINT)
    assert faults == []
    assert events[0]["time"] == "2026-02-28T23:00:00+00:00"
    assert events[0]["subject"] == "region:aix-en-provence"
    assert events[0]["data"] == {"metric": "sessions", "entity": "region:aix-en-provence", "value": 12, "dims": {}}


def test_bad_rows_are_named_by_line_and_column_and_neighbours_go_on(table: Any) -> None:
    text = HEADER + "2026-03-01,Nice,1,a\n2026-03-0x,Nice,2,a\n2026-03-03,Nice,many,a\n,Nice,4\n2026-03-05,Nice,,a\n"
    events, faults, mapper = mapped(table(text + "2026-03-03,Nice,6,a\n"), POINT)
    assert [event["data"]["value"] for event in events] == [1, 6]
    assert [fault.line for fault in faults] == [3, 4, 5, 6]
    assert "column 'day': '2026-03-0x' is no time" in faults[0].detail
    assert "column 'visits': 'many' is no number" in faults[1].detail
    assert "3 cells where the header names 4" in faults[2].detail
    assert "column 'visits': `value` of accord.metric.point is empty" in faults[3].detail
    assert (mapper.tally.rows, mapper.tally.signals, mapper.tally.faults) == (6, 2, 4)


def test_an_event_from_the_future_is_refused(table: Any) -> None:
    events, faults, _ = mapped(table(HEADER + "2027-01-01,Nice,1,a\n"), POINT)
    assert events == []
    assert "24 h ahead" in faults[0].detail


def test_ids_are_the_same_each_time_and_differ_between_rows(table: Any) -> None:
    path = table(HEADER + "2026-03-01,Nice,1,a\n2026-03-01,Nice,1,b\n")
    first, second = (mapped(path, POINT)[0] for _ in range(2))
    assert [event["id"] for event in first] == [event["id"] for event in second]
    assert first[0]["id"] != first[1]["id"]


def test_conditions_maps_scale_products_and_once_per(table: Any) -> None:
    deal = {
        "type": "accord.deal.changed",
        "time": {"at": "2026-01-01"},
        "where": [{"col": "stage", "in": ["W", "L"]}, {"col": "n", "gt": 1}],
        "data": {
            "deal": "deal:{id}",
            "stage": "{stage}",
            "status": {"col": "stage", "map": {"W": "won", "L": "lost"}},
            "amount": {"col": "n", "times": "price", "scale": 0.5},
            "note": {"col": "missing_note", "default": "none"},
        },
    }
    account = {
        "type": "accord.entity.declared",
        "once_per": "{firm}",
        "time": {"at": "2026-01-01"},
        "data": {"id": "account:{firm}", "name": "{firm}"},
    }
    text = "id,firm,stage,n,price,missing_note\n1,A,W,2,10,\n2,A,L,1,10,\n3,B,P,5,10,\n4,B,L,3,10,late\n"
    events, faults, _ = mapped(table(text), account, deal)
    assert faults == []
    deals = [event["data"] for event in events if "deal" in event["data"]]
    assert [(deal["deal"], deal["status"], deal["amount"], deal["note"]) for deal in deals] == [
        ("deal:1", "won", 10.0, "none"),
        ("deal:4", "lost", 15.0, "late"),
    ]
    assert [event["data"]["id"] for event in events if "id" in event["data"]] == ["account:a", "account:b"]


def test_delimiter_and_latin_letters_are_found_out_and_said(table: Any) -> None:
    text = "day;city;visits;shop\n2026-03-01;Nîmes;1,5;a\n".encode("latin-1")
    events, faults, mapper = mapped(table(text), POINT, decimal=",")
    assert faults == []
    assert events[0]["data"]["value"] == 1.5
    assert "Latin-1" in mapper.tally.notes[0]


def test_a_marked_utf8_file_has_no_mark_in_its_first_column(table: Any) -> None:
    events, faults, _ = mapped(table("\ufeff".encode() + (HEADER + "2026-03-01,Nice,1,a\n").encode()), POINT)
    assert (len(events), faults) == (1, [])


def test_a_missing_column_names_the_nearest_and_a_foreign_file_the_globs(table: Any) -> None:
    with pytest.raises(ConfigError, match=r"no column 'city', named in `data.entity`.*Did you mean 'City'"):
        mapped(table("day,City,visits,shop\n"), POINT)
    with pytest.raises(InputError, match=r"no signal of the mapping is for this file"):
        mapped(table(HEADER), {**POINT, "files": "other*.csv"})
    with pytest.raises(InputError, match="twice"):
        mapped(table("day,day,visits\n"), POINT)
    with pytest.raises(InputError, match="no header"):
        mapped(table(""), POINT)


@given(st.text(min_size=1))
def test_the_name_of_an_entity_is_never_empty_and_foreign_scripts_keep_apart(text: str) -> None:
    assert entity_name(text)
    assert entity_name("東京") != entity_name("大阪")
