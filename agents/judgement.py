"""The facts a policy verdict rests on, read from the store and the tools at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agents.modes import is_read_only
from domain.actions import ActionSpec
from domain.policy import Facts, Verdict, judge
from domain.ports import View

if TYPE_CHECKING:
    from agents.runtime import Runtime

ROLLING_DAY = timedelta(hours=24)


def facts_now(runtime: Runtime, view: View | None = None) -> Facts:
    """Facts of this moment; taint and demand belong to a proposal and are set per judgement."""
    now = runtime.clock.now()
    view = view or runtime.store.view(now)
    return Facts(
        now=now,
        currency=runtime.settings.objective.currency,
        tree=view.tree,
        limits=view.limits(),
        moved_24h_minor=runtime.store.actions.moved_since(now - ROLLING_DAY),
        last_change=runtime.store.actions.last_changes(),
        known_kinds=runtime.tools.kinds,
        read_only=is_read_only(runtime),
        rates=runtime.settings.fx,
    )


def judge_now(runtime: Runtime, specs: Sequence[ActionSpec], *, tainted: bool, demanded: bool = False) -> Verdict:
    """The verdict of the policy in force on `specs` as things stand now."""
    facts = replace(facts_now(runtime), tainted=tainted, demanded=demanded)
    return judge(runtime.policies.current(), specs, facts)
