"""Builds the connector from its lines in `accord.yaml`: `{kind: webinars, options: {path: webinars.db}}`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accord_webinars.actuator import WebinarActuator
from accord_webinars.source import WebinarSource
from accord_webinars.tool import WebinarTool
from connectors.contract import Connector
from connectors.manifest import read_manifest
from domain.errors import ConfigError


# --8<-- factory
def build(name: str, options: Mapping[str, Any]) -> Connector:
    """The connector `name`. Raises ConfigError that says what to write."""
    if set(options) != {"path"}:
        raise ConfigError(f"Options of {name!r} are {sorted(options)}. Give `path`, the file of the webinar tool.")
    tool = WebinarTool(Path(options["path"]))
    manifest = read_manifest(Path(__file__).with_name("manifest.toml"))
    source = WebinarSource(name, tool, page=manifest.limits.page_events or 100)
    return Connector(name, manifest, source, WebinarActuator(tool))


# --8<-- end
