"""The command line as a stranger meets it: help, wrong usage, one clear line for each failure, JSON alone on stdout."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from api import auth
from api.cli import accord, command, run
from api.cli.keys import SCOPES
from domain.errors import ConfigError

HEAVY = {
    "agents",
    "alembic",
    "chromadb",
    "dbos",
    "fastapi",
    "httpx",
    "litellm",
    "numpy",
    "pydantic",
    "scipy",
    "sqlalchemy",
}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        sub = group.get_command(context, name)
        found += commands(sub, (*path, name)) if isinstance(sub, click.Group) else [(*path, name)]
    return found


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; from api.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "First steps:" in done.stdout
    assert HEAVY & {name.partition(".")[0] for name in done.stderr.split()} == set()


@pytest.mark.parametrize("path", commands(accord), ids=" ".join)
def test_every_command_explains_itself_and_takes_json(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert "--json" in text
    assert "--debug" in text
    assert len(text.splitlines()) > 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lft"], "There is no command 'lft'. Did you mean 'lift'?"),
        (["keys", "creat"], "Did you mean 'create'?"),
        (["lift", "--dat", "x"], "--data"),
        (["detect", "--series", "nowhere.csv"], "'nowhere.csv' does not exist"),
        (["serve", "--port", "http"], "--port"),
        (["keys", "create", "--name", "n", "--person", "p", "--scopes", "reed"], "no scope 'reed'"),
        (["reject", "prop_1", "--as", "ana"], "--reason"),
        (["demo", "--weeks", "0"], "--weeks"),
    ],
)
def test_wrong_usage_is_one_line_and_code_two(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_failure_with_json_is_also_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "series.csv"
    path.write_text("time,value\n2026-01-01,1\n", encoding="utf-8")
    assert run(["detect", "--series", str(path), "--json"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["code"] == "invalid_input"
    assert "has no column 'timestamp'" in shown.err
    assert "Traceback" not in shown.err


def test_no_colour_when_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run(["lft"])
    assert "\x1b" not in capsys.readouterr().err


def test_init_writes_files_that_hold_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from agents.policies import load_policy
    from agents.settings import load_settings

    assert run(["init", str(tmp_path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["written"]) == 3
    settings = load_settings(tmp_path / "accord.yaml", {})
    assert settings.policy == tmp_path / "policy.yaml"
    roles = {role for rule in load_policy(tmp_path / "policy.yaml").rules for role in rule.roles}
    assert roles <= {role for person in settings.auth.people for role in person.roles}
    (tmp_path / "accord.yaml").write_text("mine", encoding="utf-8")
    assert run(["init", str(tmp_path)]) == 1
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "accord.yaml").read_text(encoding="utf-8") == "mine"
    assert run(["init", str(tmp_path), "--force"]) == 0


def test_a_worker_refuses_what_one_process_alone_may_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["worker"]) == 1
    assert "set `storage.url` to postgresql" in capsys.readouterr().err
    monkeypatch.setenv("ACCORD_STORAGE__URL", "postgresql://nowhere/accord")
    assert run(["worker"]) == 1
    assert "Set `memory.url` to a Chroma server" in capsys.readouterr().err


def test_a_command_of_another_package_that_cannot_be_loaded_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "nowhere_at_all:command", command.EXTENSION_GROUP)

    def only_broken(**_: Any) -> list[EntryPoint]:
        return [broken]

    monkeypatch.setattr(importlib.metadata, "entry_points", only_broken)
    context = click.Context(accord)
    assert "broken" in accord.list_commands(context)  # type: ignore[attr-defined]
    assert run(["--help"]) == 0
    with pytest.raises(ConfigError, match=r"'broken' of .* cannot be loaded: ModuleNotFoundError"):
        accord.get_command(context, "broken")  # type: ignore[attr-defined]


def test_scopes_are_those_of_the_api() -> None:
    assert get_args(auth.Scope) == SCOPES
