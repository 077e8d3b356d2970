"""The connected tools as the agents see them: who can do an action, what a tool shows, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from agents.vault import Vault
from connectors.contract import Actuator, Connector, Diff, Source, Validates
from connectors.sandbox.host import Host
from domain.actions import REVERSIBLE_KINDS, Action, ActionSpec, Receipt
from domain.effects import Effect
from domain.entities import Entity, EntityTree
from domain.errors import AccordError, ConfigError, NotFound


class Tools:
    """Connectors by their configured name. `broken` names those that could not be built, with the reason."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        broken: Mapping[str, str],
        host: Host | None,
        vault: Vault | None = None,
    ) -> None:
        self.connectors, self.broken = connectors, broken
        self._host, self._vault = host, vault or Vault({}, lambda _: None)
        self._actuators = {name: c.actuator for name, c in connectors.items() if c.actuator is not None}
        self._by_kind = {
            kind: connector
            for connector in reversed(list(connectors.values()))
            if connector.actuator is not None
            for kind in connector.manifest.kinds
        }

    @property
    def kinds(self) -> frozenset[str]:
        """Action kinds that some connected tool can carry out."""
        return frozenset(self._by_kind)

    def host(self) -> Host:
        """The simulated company behind the sandbox connectors. Raises ConfigError when there is none."""
        if self._host is None:
            raise ConfigError("No connector of kind `sandbox` is configured, so there is no simulated company.")
        return self._host

    def sources(self) -> Iterator[tuple[str, Source]]:
        for name, connector in self.connectors.items():
            if connector.source is not None:
                yield name, connector.source

    def name_for(self, spec: ActionSpec) -> str:
        return self._connector(spec).name

    def repeatable(self, spec: ActionSpec) -> bool:
        """Whether the tool itself keeps a repeated key from acting twice."""
        return self._connector(spec).manifest.idempotency == "native"

    def can_undo(self, spec: ActionSpec) -> bool:
        """Whether the state that `spec` sets can be set back, by its kind or as the tool's manifest says."""
        return spec.reversible or self._connector(spec).manifest.can_undo(spec.kind)

    def preview(self, spec: ActionSpec) -> Diff:
        return self._actuator(spec).preview(spec)

    def read_back(self, spec: ActionSpec) -> Any:
        """What the tool shows for the action's kind and entity; for creations, whether what was wanted is there."""
        shown = self._actuator(spec).read_back(spec).get(spec.kind)
        if spec.kind in REVERSIBLE_KINDS or not isinstance(shown, list):
            return shown
        made = cast("list[object]", shown)
        return spec.model_dump(mode="json")["value"] if spec.model_dump(mode="json")["value"] in made else None

    def validate(self, spec: ActionSpec) -> None:
        """The vendor's dry run, where it has one. Raises TerminalError for what it would refuse, Conflict for drift."""
        actuator = self._actuator(spec)
        if isinstance(actuator, Validates):
            actuator.validate(spec)

    def apply(self, action: Action, effect: Effect) -> Receipt:
        """The change, with the rights that are released for it alone. Called by `agents.execute` only.

        Raises Forbidden when `effect` was not written down for exactly this authorised action.
        """
        connector = self._connector(action.spec)
        secrets = self._vault.release(connector.name, action, effect)
        actuator = connector.unlock(secrets) if connector.unlock is not None else self._actuators[connector.name]
        return actuator.apply(action.spec, effect.idempotency_key)

    def states(self, tree: EntityTree) -> Mapping[str, Mapping[str, Any]]:
        """State of each known entity by action kind, read when it is asked for and once only."""
        return _States(self, tree.by_id)

    def state(self, entity: str) -> dict[str, Any]:
        """What every connected tool shows of `entity`, by action kind; money in minor units. Empty when none does.

        Of two tools that show the same kind the one configured first is believed: it is the one that acts.
        """
        merged: dict[str, Any] = {}
        for connector in self.connectors.values():
            if connector.actuator is not None and connector.manifest.kinds:
                probe = ActionSpec.model_construct(kind=connector.manifest.kinds[0], entity=entity, value=None)
                merged = _read(connector.actuator, probe) | merged
        return merged

    def adopt(self, entity: Entity, *, only_new: bool = False) -> None:
        """Tell an empty simulated company of an entity, or only of one it lacks; real tools know theirs."""
        if self._host is not None and not (only_new and self._host.read(entity.id)):
            self._host.adopt(
                {"id": entity.id, "name": entity.name, "parent": entity.parent, "attrs": dict(entity.attrs)}
            )

    def close(self) -> None:
        if self._host is not None:
            self._host.close()

    def _connector(self, spec: ActionSpec) -> Connector:
        connector = self._by_kind.get(spec.kind)
        if connector is None:
            raise NotFound(f"No connected tool can do {spec.kind!r}. Connect one that can, or reject the proposal.")
        return connector

    def _actuator(self, spec: ActionSpec) -> Actuator:
        return self._actuators[self._connector(spec).name]


def _read(actuator: Actuator, probe: ActionSpec) -> dict[str, Any]:
    """A tool that cannot be read now shows nothing: candidates then rest on declared attributes."""
    try:
        return actuator.read_back(probe)
    except AccordError:
        return {}


class _States(Mapping[str, Mapping[str, Any]]):
    """Reads lazily: a round touches a few of many entities."""

    def __init__(self, tools: Tools, entities: Mapping[str, Entity]) -> None:
        self._tools, self._entities = tools, entities
        self._read: dict[str, dict[str, Any]] = {}

    def __getitem__(self, entity: str) -> Mapping[str, Any]:
        if entity not in self._entities:
            raise KeyError(entity)
        if entity not in self._read:
            self._read[entity] = self._tools.state(entity)
        return self._read[entity]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entities)

    def __len__(self) -> int:
        return len(self._entities)
