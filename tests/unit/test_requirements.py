"""The pinned requirements hold every direct dependency, by hash, and name no registry."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)(\[[^\]]*\])?==(?P<version>[^\s;]+)", re.MULTILINE)


def name_of(requirement: str) -> str:
    """The normalised name in `Name[extra]~=1.2; marker`."""
    return re.split(r"[\[<>=~!; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def wanted(project: dict[str, Any], extras: tuple[str, ...], groups: tuple[str, ...]) -> set[str]:
    lists = [project["project"]["dependencies"]]
    lists += [project["project"]["optional-dependencies"][extra] for extra in extras]
    lists += [project["dependency-groups"][group] for group in groups]
    return {name_of(requirement) for requirements in lists for requirement in requirements}


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("file", "extras", "groups"),
    [
        ("run.txt", ("local", "parquet"), ("build",)),
        ("dev.txt", ("local", "parquet", "postgres"), ("build", "dev")),
    ],
)
def test_every_direct_dependency_is_pinned(
    file: str, extras: tuple[str, ...], groups: tuple[str, ...], project: dict[str, Any], root: Path
) -> None:
    pinned = {match["name"] for match in PIN.finditer((root / "requirements" / file).read_text(encoding="utf-8"))}
    assert wanted(project, extras, groups) - pinned == set(), "run `make lock`"


@pytest.mark.parametrize("file", ["run.txt", "dev.txt", "uv.txt"])
def test_every_pin_has_hashes_and_no_line_names_a_registry(file: str, root: Path) -> None:
    text = (root / "requirements" / file).read_text(encoding="utf-8")
    blocks = text.replace("\\\n", " ").splitlines()
    assert blocks
    assert [block for block in blocks if not PIN.match(block) or "--hash=sha256:" not in block] == []
    assert "://" not in text
    assert "index-url" not in text


def test_dev_serves_run_too(root: Path) -> None:
    run, dev = (
        {(match["name"], match["version"]) for match in PIN.finditer((root / "requirements" / file).read_text())}
        for file in ("run.txt", "dev.txt")
    )
    assert run - dev == set()


def test_the_build_backend_is_the_pinned_one(project: dict[str, Any]) -> None:
    assert set(project["build-system"]["requires"]) <= set(project["dependency-groups"]["build"])
