"""Commands that keep and change what Accord knows, on a real store in a folder of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli import run

MAPPING = """
source: shop
signals:
  - type: accord.metric.point
    time: {col: day}
    data: {metric: sessions, entity: "region:{city}", value: {col: visits}}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACCORD_MEMORY__URL", "off")
    assert run(["init"]) == 0
    return tmp_path


def asked(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_import_stores_once_and_names_bad_rows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "m.yaml").write_text(MAPPING, encoding="utf-8")
    (home / "v.csv").write_text("day,city,visits\n2026-03-01,Nice,1\n2026-03-02,Nice,x\n", encoding="utf-8")
    (home / "bad.csv").write_text("day,city,visits\n2026-03-02,Nice,x\n", encoding="utf-8")
    preview = asked(capsys, "import", "v.csv", "--mapping", "m.yaml", "--dry-run")
    assert preview["preview"][0]["data"]["entity"] == "region:nice"
    first = asked(capsys, "import", "v.csv", "--mapping", "m.yaml")
    assert (first["accepted"], first["rejected"], first["faults"][0]["line"]) == (1, 1, 3)
    again = asked(capsys, "import", "v.csv", "--mapping", "m.yaml")
    assert (again["accepted"], again["duplicate"]) == (0, 1)
    asked(capsys, "import", "bad.csv", "--mapping", "m.yaml", code=1)
    lines = asked(capsys, "import", "v.csv", "--mapping", "m.yaml", "--out", "s.jsonl")
    assert lines["accepted"] == len((home / "s.jsonl").read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.usefixtures("home")
def test_keys_are_made_for_known_people_listed_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    made = asked(capsys, "keys", "create", "--name", "n", "--person", "ana", "--scopes", "read,decide")
    assert set(made) == {"id", "key"}
    listed = asked(capsys, "keys")["items"]
    assert [(key["id"], key["person"], key["scopes"]) for key in listed] == [(made["id"], "ana", ["decide", "read"])]
    assert made["key"] not in json.dumps(listed)
    asked(capsys, "keys", "revoke", made["id"])
    assert asked(capsys, "keys", "list")["items"][0]["revoked_at"]
    unknown = asked(capsys, "keys", "create", "--name", "n", "--person", "bo", "--scopes", "read", code=1)
    assert "known: ana, ben" in unknown["error"]["detail"]


def test_backup_and_restore_bring_everything_back_read_only(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORD_AUDIT_KEY", "k" * 32)
    asked(capsys, "keys", "create", "--name", "n", "--person", "ana", "--scopes", "read")
    head = asked(capsys, "audit", "verify")["head"]
    asked(capsys, "backup", "copy.db")
    monkeypatch.setenv("ACCORD_HOME", str(home / "other"))
    assert asked(capsys, "restore", "copy.db")["audit_head"] == head
    assert asked(capsys, "keys")["items"][0]["person"] == "ana"
    assert asked(capsys, "audit", "verify", "--head", head)["rows"] > 1  # it grew: the restoring was recorded
    assert asked(capsys, "audit", "verify", "--head", head[::-1], code=3)["fault"]
    assert asked(capsys, "export", "records")["records"]["flags"] == 1
    assert asked(capsys, "mode", "read-only", "off", "--as", "emma") == {"read_only": False}
    asked(capsys, "restore", "copy.db", code=1)


def test_doctor_says_what_is_wrong_with_its_fix(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = asked(capsys, "doctor")
    assert sound["ok"]
    (home / "policy.yaml").write_text("rules: [{id: a, verdict: perhaps}]\n", encoding="utf-8")
    broken = asked(capsys, "doctor", code=3)
    fault = next(check for check in broken["checks"] if check["level"] == "fail")
    assert "line 1" in fault["detail"]
    (home / "accord.yaml").write_text("storag: {}\n", encoding="utf-8")
    worse = asked(capsys, "doctor", code=3)
    assert "Did you mean `storage`" in worse["checks"][-1]["detail"]


def test_everything_is_stopped_from_a_terminal(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dropped = asked(capsys, "mode", "stop", "--as", "ana", "--reason", "wrong numbers")
    assert dropped == {"proposals": 0, "actions": 0, "begun": 0}
    asked(capsys, "audit", "export", "all.jsonl")
    assert "mode.read_only_on" in (home / "all.jsonl").read_text(encoding="utf-8")


@pytest.mark.usefixtures("home")
def test_an_answer_to_a_proposal_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "proposals") == {"items": [], "next": None}
    assert asked(capsys, "approve", "prop_x", "--as", "ana", code=1)["error"]["code"] == "not_found"


@pytest.mark.usefixtures("home")
def test_a_vendors_key_alone_is_enough_and_then_no_weights_are_fetched(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORD_LOCAL_MODEL", "/models/own.gguf")
    assert asked(capsys, "models", "pull", "--if-wanted")["reason"] == "ACCORD_LOCAL_MODEL is /models/own.gguf"
    monkeypatch.delenv("ACCORD_LOCAL_MODEL")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert asked(capsys, "models", "pull", "--if-wanted")["reason"] == "a key for anthropic is set"
    assert asked(capsys, "mode", "read-only", "on", "--as", "emma") == {"read_only": True}
