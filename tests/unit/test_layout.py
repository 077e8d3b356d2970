"""Every top-level package is ours alone, each vendor has one home, and one module alone touches the world."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("agents", "analysis", "api", "connectors", "domain", "evals", "memory", "providers")

# Vendors that exactly one module may import, and the package that module lives in.
ONE_MODULE_VENDORS = {"litellm": "providers", "xllamacpp": "providers", "chromadb": "memory", "dbos": "agents"}

# The executor, through the one lookup of connectors by name; below the port, connectors pass a call on, sources never.
ACTUATOR_CALLERS = {"agents/execute.py", "agents/tools.py"}
BELOW_THE_PORT = "connectors/"
# The harness drives a simulated company, whose `apply(action)` takes one argument; an actuator's takes a key as well.
WORLD_HARNESS = "evals/"


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield path.relative_to(root).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of all that `tree` imports, lazily or not."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def illegal_apply_calls(path: str, tree: ast.Module) -> list[str]:
    """Calls of `.apply(…)` in `tree` that could be an actuator's, outside the modules that may make them."""
    if path in ACTUATOR_CALLERS or (path.startswith(BELOW_THE_PORT) and not path.endswith("source.py")):
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "apply"):
            continue
        arguments = len(node.args) + len(node.keywords)
        if not (path.startswith(WORLD_HARNESS) and arguments == 1):
            found.append(f"{path}:{node.lineno}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_a_top_level_name_resolves_inside_the_repository(package: str, root: Path) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(root)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_provides_a_top_level_name(package: str) -> None:
    providers = set(importlib.metadata.packages_distributions().get(package, ()))
    assert providers <= {"accord"}, f"{providers} also installs `{package}`: uninstall it"


def test_no_folder_repeats_a_top_level_name_deeper_down(root: Path) -> None:
    repeated = [
        folder.relative_to(root).as_posix()
        for package in PACKAGES
        for folder in (root / package).rglob("*")
        if folder.is_dir() and folder.name in {*PACKAGES, "tests"}
    ]
    assert repeated == []


@pytest.mark.parametrize(("vendor", "home"), ONE_MODULE_VENDORS.items())
def test_one_module_alone_imports_a_heavy_vendor(vendor: str, home: str, root: Path) -> None:
    importers = [path for path, tree in modules(root) if vendor in imported(tree)]
    assert len(importers) <= 1, f"{vendor} is imported by {importers}: keep it behind one of them"
    assert all(path.startswith(f"{home}/") for path in importers)


def test_only_the_executor_calls_an_actuator(root: Path) -> None:
    assert [call for path, tree in modules(root) for call in illegal_apply_calls(path, tree)] == []


@pytest.mark.parametrize(
    ("path", "source", "legal"),
    [
        ("agents/execute.py", "actuator.apply(action, key)", True),
        ("agents/chat.py", "actuator.apply(action, key)", False),
        ("agents/chat.py", "world.apply(action)", False),
        ("connectors/sandbox/faults.py", "self.inner.apply(action, key)", True),
        ("connectors/sandbox/source.py", "self.actuator.apply(action, key)", False),
        ("evals/market.py", "world.apply(action)", True),
        ("evals/market.py", "actuator.apply(action, idempotency_key=key)", False),
    ],
)
def test_the_actuator_rule_sees_what_it_should(path: str, source: str, *, legal: bool) -> None:
    assert (illegal_apply_calls(path, ast.parse(source)) == []) is legal
