"""Series and panels from files: times as written, gaps as gaps, and refusals one would like to get."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from api.importing.panel import PanelColumns, read_panel
from api.importing.series import read_series
from domain.errors import InputError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("stamp", ["2026-03-04T15:00:00Z", "2026-03-04 15:00:00", "1772636400", "1772636400000"])
def test_a_time_is_kept_as_written_and_read_as_seconds(stamp: str, tmp_path: Path) -> None:
    series = read_series(written(tmp_path, f"timestamp,value\n{stamp},1\n"), "timestamp", "value")
    assert (series.stamps, series.times_s) == ([stamp], [1772636400.0])


def test_missing_values_are_gaps(tmp_path: Path) -> None:
    series = read_series(
        written(tmp_path, "timestamp,value\n2026-01-01,\n2026-01-02,NA\n2026-01-03,3\n"), "timestamp", "value"
    )
    assert [math.isnan(value) for value in series.values] == [True, True, False]


def test_an_unsorted_series_is_refused_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":3: '2026-01-01' lies before '2026-01-02' above it\. Sort"):
        read_series(written(tmp_path, "timestamp,value\n2026-01-02,1\n2026-01-01,1\n"), "timestamp", "value")


PANEL = "city,day,y\nA,1,10\nB,1,20\nA,2,11\nB,2,21\nA,3,12\n"


def test_long_format_becomes_a_matrix_with_gaps(tmp_path: Path) -> None:
    panel = read_panel(written(tmp_path, PANEL), PanelColumns("city", "day", "y"))
    assert (panel.units, panel.times) == (["A", "B"], [1.0, 2.0, 3.0])
    assert panel.values[0] == [10, 11, 12]
    assert math.isnan(panel.values[1][2])
    assert panel.period("2", "--start") == 1
    assert panel.rows_of(["b"]) == [1]


def test_a_panel_refuses_doubles_unknown_units_and_times_outside(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":7: 'A' has a second row for '3'"):
        read_panel(written(tmp_path, PANEL + "A,3,9\n"), PanelColumns("city", "day", "y"))
    panel = read_panel(written(tmp_path, PANEL), PanelColumns("city", "day", "y"))
    with pytest.raises(InputError, match="there is no unit 'C'"):
        panel.rows_of(["C"])
    with pytest.raises(InputError, match="--start: '9' lies outside the data"):
        panel.period("9", "--start")
    with pytest.raises(InputError, match=r"has no column 'Y'\. Did you mean 'y'"):
        read_panel(written(tmp_path, PANEL), PanelColumns("city", "day", "Y"))
