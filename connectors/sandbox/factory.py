"""Builds the sandbox connectors (ads, crm, content, finance) that share one simulated company."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.contract import Connector
from connectors.manifest import Manifest, read_manifest
from connectors.registry import Factory
from connectors.sandbox.actuator import SandboxActuator
from connectors.sandbox.host import Host
from connectors.sandbox.source import SandboxSource
from domain.errors import ConfigError

MANIFEST = Path(__file__).with_name("manifest.toml")


def sandbox_factory(host: Host, now: Callable[[], datetime] | None = None) -> Factory:
    """A factory of connector kind `sandbox` over `host`; the name of a connector says which tool it is."""

    def build(name: str, options: Mapping[str, Any]) -> Connector:
        if options:
            raise ConfigError(f"Connector {name!r} of kind 'sandbox' takes no {sorted(options)!r}. Remove the keys.")
        manifest = read_manifest(MANIFEST, name)
        return Connector(name, manifest, SandboxSource(name, manifest, host), _actuator(manifest, host, now))

    return build


def _actuator(manifest: Manifest, host: Host, now: Callable[[], datetime] | None) -> SandboxActuator | None:
    """The finance tool can be read only."""
    return SandboxActuator(manifest, host, now) if manifest.kinds else None
