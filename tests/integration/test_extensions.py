"""Packages outside the tree, really installed: one teaches Accord webinars, the other breaks every promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PIP = ("install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
SNIPPET = re.compile(r"<!-- from (\S+) (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which both packages are installed, built as their authors would."""
    target = tmp_path_factory.mktemp("site")
    packages = [str(root / "examples" / name) for name in ("accord-webinars", "accord-broken")]
    subprocess.run([sys.executable, "-m", "pip", *PIP, "--target", str(target), *packages], check=True)
    return {**os.environ, "PYTHONPATH": f"{target}{os.pathsep}{root}"}


@pytest.fixture(scope="module")
def told(root: Path, installed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    script = root / "tests" / "integration" / "company_with_extensions.py"
    home = tmp_path_factory.mktemp("home")
    run = subprocess.run([sys.executable, script, home], check=True, env=installed, capture_output=True, timeout=120)
    return json.loads(run.stdout)


def test_a_foreign_connector_kind_and_play_go_the_whole_way(told: dict[str, Any]) -> None:
    assert told["proposals"] == {
        "account:acme": ["task.create", "ask"],
        "asset:webinar-gdpr": ["webinar.reminder.set", "ask"],
        "asset:webinar-roi": ["webinar.reminder.set", "ask"],
    }
    assert told["actions"]["account:acme"] == told["actions"]["asset:webinar-gdpr"] == "done"
    assert told["reminders"]["set"] == 48


def test_a_foreign_kind_drifts_and_is_undone_like_any_other(told: dict[str, Any]) -> None:
    assert told["actions"]["asset:webinar-roi"] == "drifted"
    assert told["reminders"]["by hand"] == 12
    assert told["undo"] == "done"
    assert told["reminders"]["undone"] == 0


def test_a_kind_that_no_tool_can_do_is_denied(told: dict[str, Any]) -> None:
    assert told["unknown_kind"] == "deny"


def test_signals_are_judged_by_their_type_and_a_failing_type_is_named(told: dict[str, Any]) -> None:
    refused = {refusal["id"]: refusal["error"] for refusal in told["heard"]["accepted"]["rejected"]}
    assert set(refused) == {"b", "c"}
    assert "`webinar`" in refused["b"]
    assert "accord_broken" in refused["c"]
    assert "no such thing as x" in refused["c"]


def test_a_source_that_fails_does_not_keep_others_from_being_read(told: dict[str, Any]) -> None:
    assert [refusal["id"] for refusal in told["heard"]["pulled"]["rejected"]] == ["connector:lies"]
    assert told["heard"]["pulled"]["accepted"] == 6


def test_a_receipt_without_an_effect_is_not_believed(told: dict[str, Any]) -> None:
    assert told["believed"].startswith("unknown:")


@pytest.mark.parametrize(
    ("extension", "fault"),
    [
        ("signals/broken.explodes", "failed on purpose"),
        ("signals/broken.no_model", "no subclass of domain.signals.SignalData"),
        ("signals/broken.trips", "no such thing as x"),
        ("signals/accord.note", "is taken"),
        ("detectors/broken-explodes", "failed on purpose"),
        ("detectors/broken-raises", "tried to end the process"),
        ("detectors/broken-hangs", "did not answer within"),
        ("detectors/broken-lies", "returned 'str'"),
        ("detectors/broken-endless", "returned 'int'"),
        ("specialists/arbitrate", "divided by zero"),
        ("specialists/demand", "is taken"),
        ("specialists/broken-mute", "no Specialist"),
        ("connectors/broken-explodes", "failed on purpose"),
        ("connectors/broken-raises", "no such host"),
        ("connectors/broken-nothing", "not a Connector"),
        ("connectors/broken-lies", "gave a receipt, but the tool shows 0"),
        ("connectors/sandbox", "is built in"),
    ],
)
def test_what_is_broken_is_named_with_its_fault(told: dict[str, Any], extension: str, fault: str) -> None:
    assert fault in told["faults"][f"accord.{extension}"]
    assert told["health"][f"extension {extension}"] is False


def test_what_is_sound_is_unharmed(told: dict[str, Any]) -> None:
    sound = {name for name, fault in told["faults"].items() if fault is None}
    assert sound == {
        "accord.signals/webinars.registration.received",
        "accord.detectors/webinars",
        "accord.specialists/webinars",
        "accord.connectors/webinars",
    }
    assert set(told["broken_connectors"]) == {"explodes", "raises", "nothing"}


def test_the_example_passes_its_own_tests(root: Path, installed: dict[str, str]) -> None:
    tests = root / "examples" / "accord-webinars" / "tests"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    plain = {**installed, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(command, check=False, env=plain, cwd=root, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout


def test_the_page_for_builders_shows_the_example_as_it_is(root: Path) -> None:
    page = (root / "docs" / "extending.md").read_text(encoding="utf-8")
    shown = SNIPPET.findall(page)
    assert len(shown) >= 7
    for path, name, text in shown:
        source = (root / path).read_text(encoding="utf-8")
        marked = re.search(rf"^ *# --8<-- {name}\n(.*?)^ *# --8<-- end$", source, re.DOTALL | re.MULTILINE)
        assert marked is not None, f"{path} marks no {name!r}"
        assert text.strip() == marked[1].strip(), f"{name!r} of {path} differs from the page"
