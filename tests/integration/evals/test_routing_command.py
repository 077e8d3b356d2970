"""`accord eval routing` as a person calls it, on recorded outcomes and on sets of other shapes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from api.cli import run

METHODS = {"accord", "label", "zero", "best_single", "knn", "lr", "oracle"}


def measured(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert run(["eval", "routing", *options, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_published_baselines_are_met_and_beaten(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = shared / "data" / "routing"
    body = measured(
        capsys,
        *("--questions", f"{data}/bfcl_20240811_questions.parquet"),
        *("--results", f"{data}/bfcl_20240811_results.parquet"),
        *("--id-col", "qid", "--text-col", "question", "--task-col", "category", "--score-col", "correct"),
        *("--prices", f"{data}/bfcl_price_table.csv", "--input-tokens-col", "input_tokens"),
        *("--output-tokens-col", "output_tokens", "--seeds", "1"),
    )
    published = json.loads((data / "baselines.json").read_text())["bfcl"]
    assert set(body["aiq"]) == set(body["saving_at_equal_accuracy"]) == METHODS
    assert set(body["aiq"]["accord"]) == {"mean", "sd"}
    assert body["seeds"] == [20261122]
    assert len(body["models"]) == 15
    # One of the five published splits, each within a few of the published deviations.
    for ours, theirs in {"label": "group_mean", "zero": "zero_router", "oracle": "oracle"}.items():
        mean, sd, _ = published[f"AIQ|{theirs}"]
        assert abs(body["aiq"][ours]["mean"] - mean) < 3 * sd
    assert body["aiq"]["label"]["mean"] < body["aiq"]["accord"]["mean"] < body["aiq"]["oracle"]["mean"]


def test_a_small_set_with_gaps_no_task_no_costs_and_partial_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(4)  # noqa: S311 — no secret
    (tmp_path / "q.csv").write_text("n;what\n" + "".join(f"{n};text number {n}\n" for n in range(20)))
    rows = [f"{n};{model};{draw.random():.2f}" for n in range(20) for model in ("x", "y") if draw.random() < 0.8]
    (tmp_path / "r.csv").write_text("n;model;score\n" + "\n".join(rows) + "\n")
    body = measured(
        capsys,
        *("--questions", f"{tmp_path}/q.csv", "--results", f"{tmp_path}/r.csv"),
        *("--id-col", "n", "--text-col", "what", "--seeds", "2", "--robustness", "--curves"),
    )
    assert body["tasks"] == 1
    assert all(0 <= body["aiq"][method]["mean"] <= 1 for method in METHODS)
    assert set(body["robustness"]) == {"spacing", "case", "typos"}
    assert set(body["curves"]) == METHODS


def test_a_wrong_column_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "q.csv").write_text("id,text\n1,a\n")
    file = f"{tmp_path}/q.csv"
    options = ["--questions", file, "--results", file, "--id-col", "id", "--text-col", "txt", "--json"]
    assert run(["eval", "routing", *options]) == 1
    assert "Did you mean 'text'?" in capsys.readouterr().err
