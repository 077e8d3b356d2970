"""Enriching: a model rewords pending proposals after the fact; figures, actions and verdicts stay the rules'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.audit import Fact
from domain.proposals import Proposal

if TYPE_CHECKING:
    from agents.parts import Runtime

AT_MOST = 20
"""Proposals asked about in one go: a slow local model takes seconds for each."""


class Enricher:
    """Called after rounds. Each proposal is asked about once in a process, the newest first."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._asked: set[str] = set()

    def __call__(self) -> None:
        if not self._runtime.gateway.registry.usable:
            return
        waiting = [
            p for p in self._runtime.store.proposals.pending() if p.origin == "rules" and p.id not in self._asked
        ]
        for proposal in sorted(waiting, key=lambda p: p.created_at, reverse=True)[:AT_MOST]:
            self._asked.add(proposal.id)
            self._reword(proposal)

    def _reword(self, proposal: Proposal) -> None:
        from agents.graph import enrich

        runtime = self._runtime
        situation = runtime.store.situations.get(proposal.situation)
        worded, _ = enrich(proposal, situation, runtime.gateway, runtime.settings.language)
        if worded.origin == "model":
            by = {"provider": worded.worded_by}
            said = Fact(at=runtime.clock.now(), actor="model", verb="proposal.reworded", subject=proposal.id, facts=by)
            runtime.store.proposals.reword(
                proposal.id, title=worded.title, why=worded.why, worded_by=worded.worded_by, facts=[said]
            )
