"""Signed links for one answer of one person to one version of a proposal; they open a page, and that page decides.

A link names person, proposal, version and answer and ends with the proposal. It is of use once: whoever has answered
a version cannot answer it again, and what was decided, changed or expired takes no answer at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from api.session import Signer
from domain.decisions import DecisionKind, Person
from domain.proposals import Proposal

PATH = "/answer"
Answerable = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """What a genuine link says."""

    person: str
    proposal: str
    fingerprint: str
    decision: Answerable


class AnswerLinks:
    """Makes and reads links below `base`, the address at which people reach the pages."""

    def __init__(self, signer: Signer, base: str) -> None:
        self._signer, self.base = signer, base.rstrip("/")

    def url(self, person: Person, proposal: Proposal, decision: DecisionKind) -> str:
        claims = {
            "person": person.id,
            "proposal": proposal.id,
            "fingerprint": proposal.fingerprint,
            "decision": decision.value,
        }
        return f"{self.base}{PATH}?token={self._signer.seal('answer', claims, proposal.expires_at)}"

    def read(self, token: str, now: datetime) -> AnswerLink:
        """What `token` says at `now`, by the clock that proposals expire by. Raises Unauthorised."""
        claims = self._signer.unseal("answer", token, now)
        decision = cast("Answerable", claims["decision"])
        return AnswerLink(claims["person"], claims["proposal"], claims["fingerprint"], decision)
