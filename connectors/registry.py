"""Which connector kinds exist: built-in ones, and those of other packages by entry points `accord.connectors`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from connectors.contract import Connector
from connectors.fence import CONNECTOR_LIMIT_S, ExtensionStatus, call_within, fenced
from connectors.manifest import Manifest
from domain.errors import ConfigError

GROUP = "accord.connectors"

Factory = Callable[[str, Mapping[str, Any]], Connector]
"""Builds the connector that the configuration calls by a name, from its options (without `kind`)."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Factories by kind, why a kind that was found could not be loaded, and how each foreign kind fares."""

    factories: Mapping[str, Factory]
    failures: Mapping[str, str]
    foreign: Mapping[str, ExtensionStatus] = field(default_factory=dict[str, ExtensionStatus])
    limit_s: float = CONNECTOR_LIMIT_S

    @property
    def status(self) -> tuple[ExtensionStatus, ...]:
        """Everything that was found in other packages, loaded or not."""
        return tuple(self.foreign.values())

    def build(self, name: str, options: Mapping[str, Any]) -> Connector:
        """The connector `name`, whose `options` name its `kind`. Raises ConfigError, whatever the factory raised."""
        kind = str(options.get("kind"))
        if kind in self.failures:
            raise ConfigError(f"Connector {name!r}: kind {kind!r} failed to load: {self.failures[kind]}. Mend it.")
        if kind not in self.factories:
            known = ", ".join(sorted(self.factories))
            raise ConfigError(f"Connector {name!r} has unknown kind {kind!r}. Use one of {known}.")
        rest = {key: value for key, value in options.items() if key != "kind"}
        status = self.foreign.get(kind)
        try:
            if status is None:
                return self.factories[kind](name, rest)
            made = call_within(lambda: self.factories[kind](name, rest), self.limit_s, name)
            return fenced(_sound(made), name, status, self.limit_s)
        except (Exception, SystemExit) as error:  # edge: a foreign factory runs here; it must spare its neighbours
            if status is not None:
                status.record(f"{name!r} cannot be built: {type(error).__name__}: {error}")
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


def load_registry(
    built_in: Mapping[str, Factory], found: Iterable[EntryPoint] | None = None, *, limit_s: float = CONNECTOR_LIMIT_S
) -> Registry:
    """`built_in` and the entry points `found` (default: all installed), whose code gets `limit_s` seconds a call.

    A kind that is taken, by a built-in one or an earlier package, cannot be replaced.
    """
    factories, failures, foreign = dict(built_in), dict[str, str](), dict[str, ExtensionStatus]()
    points = entry_points(group=GROUP) if found is None else found
    for point in sorted(points, key=lambda point: (point.name, point.value)):
        taken = point.name in factories
        key = f"{point.name} ({point.value})" if taken else point.name
        status = foreign[key] = ExtensionStatus(GROUP, point.name, point.value)
        if taken:
            owner = "is built in" if point.name in built_in else f"comes from {foreign[point.name].origin} already"
            failures[key] = f"kind {point.name!r} {owner}; choose another name"
            status.record(failures[key])
            continue
        try:
            factories[point.name] = _factory(call_within(point.load, limit_s, point.name))
        except (Exception, SystemExit) as error:  # edge: a foreign module is imported here
            failures[key] = f"{point.value} raised {error!r}"
            status.record(failures[key])
    return Registry(factories, failures, foreign, limit_s)


def _factory(loaded: object) -> Factory:
    if not callable(loaded):
        raise TypeError(f"a {type(loaded).__name__!r} is no factory (name, options) -> Connector")
    return cast("Factory", loaded)


def _sound(made: object) -> Connector:
    """What a foreign factory made. Raises TypeError when it, or a part of it, is something else."""
    if not isinstance(made, Connector) or not isinstance(cast("object", made.manifest), Manifest):
        raise TypeError(f"the factory made a {type(made).__name__!r}, not a Connector with its Manifest")
    for part, methods in ((made.source, ("read",)), (made.actuator, ("preview", "apply", "read_back"))):
        lacking = [method for method in methods if part is not None and not callable(getattr(part, method, None))]
        if lacking:
            raise TypeError(f"a {type(part).__name__!r} lacks {', '.join(lacking)}")
    return made
