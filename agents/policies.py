"""The policy in force: `policy.yaml`, read again when it changes, or the default that asks for everything.

Every version that was ever in force is kept, so that a decision can be read beside the rules it was made under.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import yaml
from pydantic import ValidationError

from agents.settings import read_yaml
from domain.audit import Fact
from domain.errors import ConfigError, NotFound
from domain.policy import Limits, Policy, Rule, VerdictKind
from domain.record import Moment, Record

if TYPE_CHECKING:
    from agents.clock import Clock
    from memory.store import Store

_KEPT = "policy:"
_IN_FORCE = "policy-in-force"

DEFAULT_POLICY = Policy(
    limits=Limits(max_step_rate=0.2, per_entity_cooldown_h=24),
    rules=(Rule(id="ask-first", verdict=VerdictKind.ASK, reason="no policy file: everything asks", expires_h=72),),
)
"""Without a policy file nothing happens by itself."""


class KeptPolicy(Record):
    """One version of the policy and when it first came into force."""

    version: str
    since: Moment
    policy: Policy


class PolicyHistory:
    """Every version of the policy, in the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._found: dict[str, Policy] = {}

    def keep(self, policy: Policy) -> None:
        """Remember that `policy` is in force from now on; the same again changes nothing."""
        flags, now = self._store.flags, self._clock.now()
        before = flags.get(_IN_FORCE)
        if before == policy.version:
            return
        if flags.get(_KEPT + policy.version) is None:
            kept = KeptPolicy(version=policy.version, since=now, policy=policy)
            flags.set(_KEPT + policy.version, kept.model_dump(mode="json"))
        changed = {"from": before, "to": policy.version}
        fact = Fact(at=now, actor="worker", verb="policy.changed", subject="policy", facts=changed)
        flags.set(_IN_FORCE, policy.version, facts=[fact])

    def find(self, version: str) -> Policy | None:
        """The rules of `version`; None when that version was never in force here."""
        if version not in self._found:
            body = self._store.flags.get(_KEPT + version)
            if body is None:
                return None
            self._found[version] = KeptPolicy.model_validate(body).policy
        return self._found[version]

    def all(self) -> list[KeptPolicy]:
        """Every version, newest first."""
        kept = [KeptPolicy.model_validate(body) for body in self._store.flags.under(_KEPT).values()]
        return sorted(kept, key=lambda each: (each.since, each.version), reverse=True)

    def get(self, version: str) -> KeptPolicy:
        """The version that starts with `version`. Raises NotFound when none or several do."""
        fitting = [kept for kept in self.all() if version and kept.version.startswith(version)]
        if len(fitting) != 1:
            raise NotFound(f"{len(fitting)} versions start with {version!r}. See `accord policy history`.")
        return fitting[0]


class Policies:
    """Serves the current policy; a broken edit keeps the last good one and is reported by `fault`.

    `keep` is told of each policy that comes into force.
    """

    def __init__(self, path: Path | None, keep: Callable[[Policy], None] | None = None) -> None:
        self._path, self._keep = path, keep
        self._stamp = self._look()
        self._policy = load_policy(path) if path else DEFAULT_POLICY
        self._kept = False
        self.fault: str | None = None

    def current(self) -> Policy:
        if (stamp := self._look()) != self._stamp:
            self._stamp = stamp
            try:
                self._policy, self.fault, self._kept = load_policy(cast("Path", self._path)), None, False
            except ConfigError as error:
                self.fault = error.detail
        if self._keep is not None and not self._kept:
            self._keep(self._policy)
            self._kept = True
        return self._policy

    def _look(self) -> tuple[int, int] | None:
        if self._path is None or not self._path.exists():
            return None
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size


def load_policy(path: Path) -> Policy:
    """The policy in `path`. Raises ConfigError with the line of every fault."""
    values = read_yaml(path)
    try:
        policy = Policy.model_validate(values)
    except ValidationError as error:
        lines = [
            f"line {_line(path, fault['loc'])}: `{'.'.join(str(part) for part in fault['loc'])}`: {fault['msg']}."
            for fault in error.errors(include_url=False)[:5]
        ]
        raise ConfigError(f"{path}: " + " ".join(lines) + " Check it with `accord policy check`.") from error
    ids = [rule.id for rule in policy.rules]
    twice = sorted({rule for rule in ids if ids.count(rule) > 1})
    if twice:
        raise ConfigError(f"{path}: rule id {twice[0]!r} stands twice. Give every rule an id of its own.")
    return policy


def _line(path: Path, location: tuple[int | str, ...]) -> int:
    """Line (from 1) of the deepest YAML node on the way to `location`."""
    node = cast("yaml.Node | None", yaml.compose(path.read_text(encoding="utf-8")))
    line = 1
    for part in location:
        step = _inside(node, part)
        if step is None:
            break
        line, node = step
    return line


def _inside(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    """Line and node of item or key `part` of `node`; None when there is none."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        items = cast("list[yaml.Node]", node.value)
        return (items[part].start_mark.line + 1, items[part]) if part < len(items) else None
    if isinstance(node, yaml.MappingNode):
        pairs = cast("list[tuple[yaml.ScalarNode, yaml.Node]]", node.value)
        return next(((key.start_mark.line + 1, value) for key, value in pairs if key.value == part), None)
    return None
