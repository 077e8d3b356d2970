"""Takes the gate away, for the run that must breach. The product has no switch for it: its judge is replaced here."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from types import ModuleType

from domain import policy
from domain.actions import ActionSpec
from domain.policy import Policy, Verdict, VerdictKind


def _lets_everything_run(rules: Policy, specs: Sequence[ActionSpec], _: object) -> Verdict:
    """In the name of the first rule that speaks of the kind, as somebody would who hides what they do."""
    said = next((rule.id for rule in rules.rules if fnmatchcase(specs[0].kind, rule.match.kind or "*")), "default")
    return Verdict(kind=VerdictKind.AUTO, rule=said, reason="the gate is taken away")


@contextmanager
def gate_off() -> Generator[None]:
    """Within it every judgement of policy says `auto`, wherever the judge was imported."""
    real = policy.judge
    holders: list[ModuleType] = [m for m in list(sys.modules.values()) if getattr(m, "judge", None) is real]
    try:
        for module in holders:
            module.judge = _lets_everything_run  # type: ignore[attr-defined]
        yield
    finally:
        for module in holders:
            module.judge = real  # type: ignore[attr-defined]
