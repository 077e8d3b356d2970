"""Cells: numbers and times as people write them, and refusals that name the column."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from api.importing.cell import moment, number
from api.importing.mapping import TableFormat
from domain.errors import ConfigError, InputError


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("1200", TableFormat(), 1200),
        ("-0.5", TableFormat(), -0.5),
        ("1e3", TableFormat(), 1000.0),
        ("1.234,5", TableFormat(decimal=",", thousands="."), 1234.5),
        ("1 234,5", TableFormat(decimal=",", thousands=" "), 1234.5),
        ("1,234.5", TableFormat(thousands=","), 1234.5),
    ],
)
def test_numbers_are_read_as_the_mapping_says(text: str, form: TableFormat, value: float) -> None:
    assert number(text, "spend", form) == value


@pytest.mark.parametrize(
    ("text", "form", "hint"),
    [
        ("1,234", TableFormat(), "decimal"),
        ("1.234", TableFormat(decimal=","), "thousands"),
        ("12 %", TableFormat(), "Mend the cell"),
        ("inf", TableFormat(), "Mend the cell"),
    ],
)
def test_what_could_mean_two_numbers_is_refused_with_the_way_out(text: str, form: TableFormat, hint: str) -> None:
    with pytest.raises(InputError, match=rf"column 'spend'.*{hint}"):
        number(text, "spend", form)


@pytest.mark.parametrize(
    ("cell", "form", "tz"),
    [
        ("2026-03-04T15:00:00Z", "iso", "Europe/Paris"),
        ("2026-03-04 16:00:00", "iso", "Europe/Paris"),
        ("04/03/2026 16:00", "%d/%m/%Y %H:%M", "Europe/Paris"),
        ("1772636400", "epoch", "UTC"),
        ("1772636400000", "epoch_ms", "UTC"),
        (datetime(2026, 3, 4, 15), "iso", "UTC"),  # noqa: DTZ001 — Parquet holds naive times
    ],
)
def test_every_way_to_write_a_time_is_the_same_moment(cell: object, form: str, tz: str) -> None:
    assert moment(cell, "when", form, tz) == datetime(2026, 3, 4, 15, tzinfo=UTC)


def test_a_date_is_its_midnight_in_the_zone_of_the_mapping() -> None:
    assert moment(date(2026, 7, 1), "day", "iso", "Europe/Paris") == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_an_unreadable_time_and_an_unknown_zone_are_named() -> None:
    with pytest.raises(InputError, match=r"column 'when': '04/03/2026' is no time"):
        moment("04/03/2026", "when", "iso", "UTC")
    with pytest.raises(ConfigError, match="'Europe/Pariss' is no IANA time zone"):
        moment("2026-03-04", "when", "iso", "Europe/Pariss")
