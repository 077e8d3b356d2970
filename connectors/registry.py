"""Which connector kinds exist: built-in ones, and those of other packages by entry points `accord.connectors`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from connectors.contract import Connector
from domain.errors import ConfigError

GROUP = "accord.connectors"

Factory = Callable[[str, Mapping[str, Any]], Connector]
"""Builds the connector that the configuration calls by a name, from its options (without `kind`)."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Factories by kind, and why a kind that was found could not be loaded."""

    factories: Mapping[str, Factory]
    failures: Mapping[str, str]

    def build(self, name: str, options: Mapping[str, Any]) -> Connector:
        """The connector `name`, whose `options` name its `kind`. Raises ConfigError, whatever the factory raised."""
        kind = str(options.get("kind"))
        if kind in self.failures:
            raise ConfigError(f"Connector {name!r}: kind {kind!r} failed to load: {self.failures[kind]}. Mend it.")
        if kind not in self.factories:
            known = ", ".join(sorted(self.factories))
            raise ConfigError(f"Connector {name!r} has unknown kind {kind!r}. Use one of {known}.")
        rest = {key: value for key, value in options.items() if key != "kind"}
        try:
            return self.factories[kind](name, rest)
        except Exception as error:  # edge: a foreign factory runs here; it must not take its neighbours down
            raise ConfigError(f"Connector {name!r} of kind {kind!r} cannot be built: {error}. Mend it.") from error

    def build_all(self, configured: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Connector], dict[str, str]]:
        """All connectors that can be built by name, and the reason for each that cannot."""
        built: dict[str, Connector] = {}
        broken: dict[str, str] = {}
        for name, options in configured.items():
            try:
                built[name] = self.build(name, options)
            except ConfigError as error:
                broken[name] = error.detail
        return built, broken


def load_registry(built_in: Mapping[str, Factory], found: Iterable[EntryPoint] | None = None) -> Registry:
    """`built_in` and the entry points `found` (default: all installed); a built-in kind cannot be replaced."""
    factories, failures = dict(built_in), dict[str, str]()
    for point in entry_points(group=GROUP) if found is None else found:
        if point.name in built_in:
            failures[f"{point.name} ({point.value})"] = f"kind {point.name!r} is built in; choose another name"
            continue
        try:
            factory = point.load()
        except Exception as error:  # edge: a foreign module is imported here; its fault is named, not ours
            failures[point.name] = f"{point.value} raised {error!r}"
            continue
        if callable(factory):
            factories[point.name] = cast("Factory", factory)
        else:
            failures[point.name] = f"{point.value} is no factory (name, options) -> Connector"
    return Registry(factories, failures)
