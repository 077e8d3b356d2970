"""The policy in force: `policy.yaml`, read again when it changes, or the default that asks for everything."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import yaml
from pydantic import ValidationError

from agents.settings import read_yaml
from domain.errors import ConfigError
from domain.policy import Limits, Policy, Rule, VerdictKind

DEFAULT_POLICY = Policy(
    limits=Limits(max_step_rate=0.2, per_entity_cooldown_h=24),
    rules=(Rule(id="ask-first", verdict=VerdictKind.ASK, reason="no policy file: everything asks", expires_h=72),),
)
"""Without a policy file nothing happens by itself."""


class Policies:
    """Serves the current policy; a broken edit keeps the last good one and is reported by `fault`."""

    def __init__(self, path: Path | None, policy: Policy | None = None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._policy = policy or DEFAULT_POLICY
        self.fault: str | None = None
        if path is not None:
            self._policy = load_policy(path)
            self._stamp = self._look()

    def current(self) -> Policy:
        if self._path is not None and (stamp := self._look()) != self._stamp:
            self._stamp = stamp
            try:
                self._policy, self.fault = load_policy(self._path), None
            except ConfigError as error:
                self.fault = error.detail
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
