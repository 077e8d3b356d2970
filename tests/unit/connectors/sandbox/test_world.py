"""Foreign worlds are loaded by name, and their faults are named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connectors.sandbox.company.demo import DemoCompany
from connectors.sandbox.world import load_world
from domain.errors import ConfigError

BROKEN = "class Raises:\n    def __init__(self): 1 / 0\n\nclass Half:\n    def reset(self, seed): ...\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_broken_worlds.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_a_world_is_loaded_by_module_and_class() -> None:
    assert isinstance(load_world("connectors.sandbox.company.demo:DemoCompany"), DemoCompany)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nonsense", "module:Class"),
        ("no_such_module_here:World", "No module named"),
        ("my_broken_worlds:Missing", "Missing"),
        ("my_broken_worlds:Raises", "ZeroDivisionError"),
        ("my_broken_worlds:Half", "lacks now, entities"),
    ],
)
def test_what_cannot_be_loaded_is_named(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_world(name)
