"""What people's answers say of the models that worded the proposals: read from the store, told to the router once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.consult import WRITE
from domain.decisions import Decision, DecisionKind, ReasonCode
from domain.proposals import Proposal
from memory.track import Mark, Track
from providers.routing.belief import FORGOTTEN

if TYPE_CHECKING:
    from agents.parts import Runtime

WEIGHT = 0.2
"""Of an answer beside one judged text: people judge the figures more than the words."""
_OF_THE_WORDS = frozenset({ReasonCode.WRONG_NUMBERS, ReasonCode.OTHER})
_REFUSING = frozenset({DecisionKind.MODIFY, DecisionKind.REJECT})
_NOBODY = frozenset({"rule", "script"})


class Feedback:
    """Called every minute or so; reads on from where it stood, and everything once when a process starts.

    An answer is named by its decision, so that nothing is lost with a process and nothing counts twice among several.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._track = Track(runtime.store.database)
        self._mark = Mark()
        self._changed = set[str]()

    def __call__(self) -> None:
        decided, mark = self._track.decided(self._mark)
        providers = {provider.name: provider for provider in self._runtime.gateway.registry.providers}
        since = self._runtime.clock.now() - FORGOTTEN
        for decision, proposal in decided:
            provider, quality = providers.get(proposal.worded_by or ""), self._quality(decision, proposal)
            if provider is not None and quality is not None and decision.at >= since:
                self._runtime.router.observe(
                    WRITE, provider, quality, weight=WEIGHT, source="human", at=decision.at, id=decision.id
                )
        self._mark = mark

    def _quality(self, decision: Decision, proposal: Proposal) -> float | None:
        """1 for words a person agreed to as they stood, 0 for a refusal they may be to blame for, else None."""
        if decision.kind is DecisionKind.MODIFY:
            self._changed.add(decision.fingerprint)
        if proposal.canary is not None or decision.channel in _NOBODY:
            return None
        if decision.kind in _REFUSING:
            return 0.0 if decision.reason_code in _OF_THE_WORDS else None
        # An undo is recorded as an approval with a fingerprint of its own.
        agreed = decision.kind is DecisionKind.APPROVE and decision.fingerprint == proposal.fingerprint
        return 1.0 if agreed and decision.fingerprint not in self._changed else None
