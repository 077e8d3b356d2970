"""Where each rule stands, from what people answered and what effects measured. Read from the store, never from text."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from domain.decisions import Decision, DecisionKind
from domain.outcomes import Outcome, OutcomeVerdict
from domain.policy import Policy, Rule
from domain.proposals import Proposal, ProposalStatus
from domain.trust import Standing, TrustEvent, TrustEventKind, TrustLevel, stand
from memory.track import Mark, Track

if TYPE_CHECKING:
    from agents.policies import PolicyHistory
    from memory.store import Store

_MEASURED: Mapping[OutcomeVerdict, TrustEventKind] = {
    OutcomeVerdict.WORKED: "worked",
    OutcomeVerdict.NO_EFFECT: "no_effect",
    OutcomeVerdict.HARMFUL: "harmful",
}


class TrackRecord:
    """The events of every rule, read once and then as they come. Safe to share between threads."""

    def __init__(self, store: Store, history: PolicyHistory) -> None:
        self._store, self._history = store, history
        self._mark = Mark()
        self._events: dict[tuple[str, str], tuple[TrustEvent, Rule | None]] = {}
        self._lock = threading.Lock()

    @cached_property
    def _track(self) -> Track:
        return Track(self._store.database)

    def levels(self, policy: Policy, until: datetime | None = None) -> dict[str, TrustLevel]:
        """The level of each rule of `policy` that has bounds."""
        return {rule: standing.level for rule, standing in self.standings(policy, until).items()}

    def standings(self, policy: Policy, until: datetime | None = None) -> dict[str, Standing]:
        """Where each rule with bounds stands, at `until` if given.

        An event counts only if the rule matched the same actions then as now: widening a rule begins it anew.
        """
        bounded = [rule for rule in policy.rules if rule.trust is not None]
        if not bounded:
            return {}
        with self._lock:
            self._read()
            known = list(self._events.values())
        return {rule.id: _standing(rule, known, until) for rule in bounded}

    def _read(self) -> None:
        decided, mark = self._track.decided(self._mark)
        measured, self._mark = self._track.measured(mark)
        events = [*_of_decisions(decided), *_of_outcomes(measured)]
        for event, version in [*events, *self._of_undone()]:
            self._events[event.rule, event.subject] = event, self._rule(version, event.rule)

    def _rule(self, version: str, name: str) -> Rule | None:
        """The rule as it stood in the policy that judged; None when that policy was not kept."""
        policy = self._history.find(version)
        return next((rule for rule in policy.rules if rule.id == name), None) if policy else None

    def _of_undone(self) -> Iterator[tuple[TrustEvent, str]]:
        for action in self._track.undone():
            if action.undo_of is not None:
                continue  # whoever takes an undo back does not mistrust the rule once more
            proposal = self._store.proposals.get(action.proposal)
            tries = (each for each in proposal.actions if each.undo_of == action.id)
            at = next((each.executed_at for each in tries if each.executed_at is not None), proposal.created_at)
            yield from _events(proposal, "undone", action.id, at)


def _standing(rule: Rule, known: Iterable[tuple[TrustEvent, Rule | None]], until: datetime | None) -> Standing:
    events = [
        event
        for event, then in known
        if event.rule == rule.id
        and then is not None
        and then.match == rule.match
        and (until is None or event.at <= until)
    ]
    if rule.trust is None:
        raise AssertionError("asked only for rules with bounds")
    return stand(rule.trust, rule.first_trust, events)


def _of_decisions(decided: Iterable[tuple[Decision, Proposal]]) -> Iterator[tuple[TrustEvent, str]]:
    for decision, proposal in decided:
        if proposal.canary is not None:
            continue
        if decision.kind in {DecisionKind.REJECT, DecisionKind.MODIFY}:
            yield from _events(proposal, "refused", decision.id, decision.at)
        elif decision.kind is DecisionKind.APPROVE and _agreed(decision, proposal):
            yield from _events(proposal, "agreed", proposal.id, decision.at)


def _agreed(decision: Decision, proposal: Proposal) -> bool:
    """Whether the answer let the proposal happen as it now stands; an undo is recorded as an approval of its own."""
    return proposal.status is ProposalStatus.APPROVED and decision.fingerprint == proposal.fingerprint


def _of_outcomes(measured: Iterable[tuple[Outcome, Proposal]]) -> Iterator[tuple[TrustEvent, str]]:
    for outcome, proposal in measured:
        if outcome.verdict in _MEASURED:
            yield from _events(proposal, _MEASURED[outcome.verdict], outcome.id, outcome.measured_at)


def _events(proposal: Proposal, kind: TrustEventKind, subject: str, at: datetime) -> Iterator[tuple[TrustEvent, str]]:
    """One event for every rule that spoke of the proposal's actions, with the version of the policy that held."""
    named = (check.name for check in proposal.verdict.checks)
    for rule in dict.fromkeys(name.removeprefix("rule ") for name in named if name.startswith("rule ")):
        yield TrustEvent(at, rule, kind, subject), proposal.policy_version
