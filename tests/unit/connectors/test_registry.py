"""Connector kinds from other packages: found, contained and named."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from connectors.contract import Connector
from connectors.manifest import Manifest
from connectors.registry import GROUP, load_registry
from domain.errors import ConfigError


def plain(name: str, _options: Mapping[str, Any]) -> Connector:
    return Connector(name, Manifest(name=name, owner="test"))


def failing(_name: str, _options: Mapping[str, Any]) -> Connector:
    raise RuntimeError("no such host")


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def test_one_that_raises_on_load_is_named_and_spares_the_others() -> None:
    registry = load_registry({"plain": plain}, [point("lost", "no_such_module_here:make")])
    built, broken = registry.build_all({"a": {"kind": "plain"}, "b": {"kind": "lost"}})
    assert list(built) == ["a"]
    assert "no_such_module_here" in broken["b"]


def test_one_that_raises_on_build_is_named_and_spares_the_others() -> None:
    registry = load_registry({"plain": plain, "failing": failing}, [])
    built, broken = registry.build_all({"b": {"kind": "failing"}, "a": {"kind": "plain"}})
    assert list(built) == ["a"]
    assert "no such host" in broken["b"]


def test_a_built_in_kind_cannot_be_taken_over() -> None:
    registry = load_registry({"plain": plain}, [point("plain", "os:getcwd")])
    assert registry.factories["plain"] is plain
    assert list(registry.failures) == ["plain (os:getcwd)"]


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="Use one of plain"):
        load_registry({"plain": plain}, []).build("x", {"kind": "plian"})
