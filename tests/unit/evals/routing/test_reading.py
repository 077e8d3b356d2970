"""Long files of any shape become matrices, or one clear error."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from domain.errors import InputError
from evals.routing.reading import Columns, read

COLUMNS = Columns(id="id", text=["text"], model="model", score="score", task="task", cost="cost")
QUESTIONS = "id,text,task\n" + "".join(f"{n},query {n},t{n % 2}\n" for n in range(1, 7))
RESULTS = "id,model,score,cost\n" + "".join(
    f"{n},{m},{n % 2},{c}\n" for n in range(1, 7) for m, c in (("a", 1), ("b", 3))
)


def write(folder: Path, questions: str = QUESTIONS, results: str = RESULTS) -> tuple[Path, Path]:
    asked, told = folder / "q.csv", folder / "r.csv.gz"
    asked.write_text(questions)
    told.write_bytes(gzip.compress(results.encode()))
    return asked, told


def test_a_complete_set(tmp_path: Path) -> None:
    found = read(*write(tmp_path), COLUMNS)
    assert found.recorded.ids == ("1", "2", "3", "4", "5", "6")
    assert found.recorded.models == ("a", "b")
    assert found.recorded.costs[0].tolist() == [1.0, 3.0]
    assert found.notes == []


def test_duplicates_are_averaged_and_gaps_are_told(tmp_path: Path) -> None:
    results = RESULTS.replace("2,b,0,3\n", "") + "1,a,0,3\n1,c,true,\n"
    found = read(*write(tmp_path, results=results), COLUMNS)
    assert found.recorded.scores[0, 0] == 0.5
    assert found.recorded.costs[0, 0] == 2.0
    assert np.isnan(found.recorded.scores[1, 1])
    assert any("1 of 3 models have no cost" in note for note in found.notes)
    assert any("1 of 12 scores are missing" in note for note in found.notes)


def test_prices_cost_tokens_and_leave_the_rest_out(tmp_path: Path) -> None:
    results = "id,model,score,i,o\n" + "".join(f"{n},{m},1,1000,100\n" for n in range(1, 7) for m in "bac")
    prices = tmp_path / "prices.csv"
    prices.write_text("model,usd_per_mtok_in,usd_per_mtok_out,source\nb,2,10,x\na,1,5,x\n")
    columns = Columns(id="id", text=["text"], model="model", score="score", input_tokens="i", output_tokens="o")
    found = read(*write(tmp_path, results=results), columns, prices).recorded
    assert found.models == ("b", "a")
    assert found.costs[0].tolist() == pytest.approx([0.003, 0.0015])
    assert set(found.tasks) == {"all"}


@pytest.mark.parametrize(
    ("questions", "results", "said"),
    [
        (QUESTIONS, RESULTS.replace("score", "scor"), "Did you mean 'scor'"),
        (QUESTIONS, RESULTS.replace("1,a,1,1", "1,a,7,1"), "not within 0 and 1"),
        (QUESTIONS, RESULTS.replace("1,a,1,1", "1,a,good,1"), "'good', which is no number"),
        (QUESTIONS, RESULTS.replace("1,a,1,1", "1,a,1,-1"), "below 0"),
        ("id,text,task\n", RESULTS, "has no rows"),
        ("id,text,task\n1,q,t\n", RESULTS, "1 queries with scores cannot be split"),
        (QUESTIONS, RESULTS.replace(",b,", ",a,"), "needs two models"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, questions: str, results: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(*write(tmp_path, questions, results), COLUMNS)
