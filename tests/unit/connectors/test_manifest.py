"""Manifests: parts over a shared top, faults named by file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.manifest import read_manifest
from connectors.sandbox.factory import MANIFEST
from domain.actions import ActionKind
from domain.errors import ConfigError


def test_the_sandbox_parts_share_all_kinds_without_overlap() -> None:
    parts = [read_manifest(MANIFEST, part) for part in ("ads", "crm", "content", "finance")]
    kinds = [kind for part in parts for kind in part.kinds]
    assert sorted(kinds) == sorted(ActionKind)
    assert all(part.idempotency == "native" for part in parts)


def test_an_unknown_part_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="ads, content, crm, finance"):
        read_manifest(MANIFEST, "adds")


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text('name = "x"\nowner = "y"\nscope = ["z"]\n')
    with pytest.raises(ConfigError, match="`scope`"):
        read_manifest(path)
