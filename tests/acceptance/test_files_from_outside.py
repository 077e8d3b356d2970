"""Public data through the commands: the published effect, and import and replay by a mapping file alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli import run

MAPPINGS = Path("docs/mappings")


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_lift_agrees_with_the_published_walkthrough(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(
        capsys,
        *("lift", "--data", str(shared / "data/marketing/geo/geolift_test.csv")),
        *("--unit-col", "location", "--time-col", "date", "--value-col", "Y"),
        *("--treated", "chicago,portland", "--start", "2021-04-01"),
    )
    assert round(found["lift_rate"], 3) == 0.054
    assert round(found["incremental"]) == 4667
    assert found["interval"][0] < found["lift_rate"] < found["interval"][1]
    assert set(found) == {"lift_rate", "incremental", "interval", "p_value", "mde_rate", "verdict", "pre_fit"}


def test_lift_of_a_single_series_agrees_with_the_published_summary(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(
        capsys,
        *("lift", "--data", str(shared / "data/marketing/causalimpact/google_data.csv")),
        *("--time-col", "date", "--value-col", "y", "--covariates", "x1,x2", "--start", "2020-03-02"),
    )
    assert found["lift_rate"] == pytest.approx(0.21, abs=0.02)
    assert found["verdict"] == "worked"


def test_detect_is_causal_and_copies_times_verbatim(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shared / "data/marketing/nab/realAdExchange/exchange-3_cpm_results.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    whole = asked(capsys, "detect", "--series", str(path))
    assert whole["points"] == len(lines) - 1
    assert {"time", "value", "score", "kind"} == set(whole["anomalies"][0])
    half = tmp_path / "half.csv"
    half.write_text("\n".join(lines[: len(lines) // 2]) + "\n", encoding="utf-8")
    seen = asked(capsys, "detect", "--series", str(half))["anomalies"]
    assert seen == whole["anomalies"][: len(seen)]
    assert all(any(line.startswith(f"{alarm['time']},") for line in lines) for alarm in whole["anomalies"])


@pytest.mark.parametrize(
    ("mapping", "files", "limit"),
    [
        ("meridian_full_funnel", ["mmm/meridian_geo_full_funnel_data.parquet"], 468),
        ("ad_exchange", ["nab/realAdExchange/exchange-2_cpc_results.csv"], 1000),
        ("maven_crm", ["crm_maven/accounts.csv", "crm_maven/sales_pipeline.csv"], 500),
    ],
)
def test_import_and_replay_need_a_mapping_file_alone(
    mapping: str,
    files: list[str],
    limit: int,
    *,
    shared: Path,
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if mapping.startswith("meridian"):
        pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    paths = [str(shared / "data/marketing" / name) for name in files]
    options = ("--mapping", str(root / MAPPINGS / f"{mapping}.yaml"), "--out", "s.jsonl", "--limit", str(limit))
    imported = asked(capsys, "import", *paths, *options)
    assert imported["rejected"] == 0
    summary = asked(capsys, "replay", "--signals", "s.jsonl", "--out", "what-if")
    assert summary["signals"] == imported["accepted"] > 0
    situations = (tmp_path / "what-if/situations.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(situations) == summary["situations"]
    assert situations or "nothing found" in summary["finding"]
