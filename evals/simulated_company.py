"""A simulated company for consent: what may happen in it, in an order that chance draws from a seed.

The transition code is the product's own, over the in-memory store. Before each access to store or tool whoever is
at work may die, or others may go first.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from agents.act import advance
from agents.approve import decide
from agents.arbitrate import Choice
from agents.clock import ManualClock
from agents.judgement import facts_now
from agents.modes import READ_ONLY, set_read_only
from agents.parts import Runtime
from agents.propose import propose
from agents.settle import settle_by_person
from agents.tools import Tools
from agents.undo import undo
from connectors.contract import Connector
from connectors.manifest import Manifest
from domain.actions import Action, ActionSpec, ActionStatus
from domain.audit import Fact
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.entities import Entity, EntityTree
from domain.errors import AccordError, TransientError
from domain.limits import ActiveLimit
from domain.objective import Objective
from domain.policy import Limits, Match, Policy, Rule, VerdictKind
from domain.proposals import Candidate, Expected, Measurement, Proposal, ProposalStatus
from domain.signals import FinanceLimit
from evals.simulated_tool import BUDGETS, KIND, LATEST, Tool
from memory.in_memory import InMemoryStore

START = datetime(2026, 3, 2, tzinfo=UTC)
PEOPLE = (
    Person(id="ana", roles=frozenset({"search_owner"})),
    Person(id="ben", roles=frozenset({"finance"})),
    Person(id="emma", roles=frozenset({"admin"})),
)
WORLD_EVENTS = 120
"""Events in the life of one company; then it comes to rest, is judged as a whole, and another begins."""
DEATH, PREEMPTION = 0.015, 0.035
"""Chance of either at each access of a worker or a person's request."""


class Died(BaseException):
    """The process was killed here."""


@dataclass
class Policies:
    policy: Policy

    def current(self) -> Policy:
        return self.policy


class NoTrack:
    def levels(self, _: Policy) -> Mapping[str, Any]:
        return {}


class NoDriver:
    def wake(self, _: Sequence[str]) -> None:
        """What is due stands in the store."""


def policy_of(chance: random.Random) -> Policy:
    """One of the policies that people change between."""
    limits = Limits(
        daily_spend_moved=Decimal(chance.choice([150, 300, 1_000])), per_entity_cooldown_h=chance.choice([None, 2])
    )
    asking = Rule(
        id="ask", match=Match(kind="ads.*"), verdict=VerdictKind.ASK, roles=("search_owner", "finance"),
        quorum=chance.choice([1, 2]), expires_h=8, escalate_to="cmo",
    )  # fmt: skip
    small = Rule(id="small", match=Match(delta_abs_max=Decimal(chance.choice([20, 60]))), verdict=VerdictKind.AUTO)
    never = Rule(id="never", match=Match(entity="budget:b5"), verdict=VerdictKind.DENY, reason="booked")
    return Policy(limits=limits, rules=(never, small, asking) if chance.random() < 0.5 else (small, asking))


class World:
    """One company: its events, its faults, and what must hold after each."""

    def __init__(self, seed: int, number: int) -> None:
        self.name = f"seed {seed}, world {number}"
        self.chance = random.Random(f"{seed}/{number}")  # noqa: S311 — replayable on purpose
        self.clock, self.faults, self.steps = ManualClock(START), Counter[str](), 0
        self.nested = self.refusals = self.wishes = 0
        native = self.chance.random() < 0.7
        self.store = InMemoryStore(EntityTree(Entity(id=name, name=name) for name in BUDGETS), self._turn)
        self.tool = Tool(self.chance, self.clock, native, self._turn, self.faults)
        manifest = Manifest(
            name="ads", owner="simulation", kinds=(KIND,), undo=(KIND,), idempotency="native" if native else "none"
        )
        self.policies = Policies(policy_of(self.chance))
        settings = SimpleNamespace(
            objective=Objective(currency="EUR"), fx={}, auth=SimpleNamespace(people=PEOPLE), language="en"
        )
        self.runtime = cast(
            "Runtime",
            SimpleNamespace(
                store=self.store, clock=self.clock, settings=settings, policies=self.policies, driver=NoDriver(),
                tools=Tools({"ads": Connector("ads", manifest, None, self.tool)}, {}, None), track_record=NoTrack(),
            ),
        )  # fmt: skip
        self.told: list[str] = []

    def live(self, look: Callable[[], None]) -> None:
        """All its events, then rest; `look` is called after each."""
        for _ in range(WORLD_EVENTS):
            self._event()
            look()
        self._rest()
        look()

    def _turn(self, place: str) -> None:
        """Before each access: the one who is at work may die, or others go first."""
        self.steps += 1
        if self.tool.calm or self.nested > 2:
            return
        luck = self.chance.random()
        if luck < DEATH:
            self.faults["death"] += 1
            raise Died(place)
        if luck < DEATH + PREEMPTION:
            self.faults["preemption"] += 1
            self._event()

    def _event(self) -> None:
        """Something happens; what dies in it is gone."""
        event = self.chance.choices(*_EVENTS)[0]
        self.nested += 1
        depth, self.store.depth = self.store.depth, 0
        try:
            event(self)
        except Died:
            pass
        except AccordError:
            self.refusals += 1
        finally:
            self.nested -= 1
            self.store.depth = depth

    # What may happen ------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """A worker looks at what is due, or at anything that is open: a wrong claim."""
        due = self.store.actions.due(self.clock.now())
        if self.chance.random() < 0.15:
            self.faults["wrong claim"] += 1
            due = self.store.actions.waiting()
        if due:
            advance(self.runtime, self.chance.choice(due))

    def wish(self) -> None:
        """A round proposes a change of a budget."""
        entity = self.chance.choice(BUDGETS)
        known = self.tool.state[entity]
        step = self.chance.choice([-100, -30, -10, 10, 19, 30, 60, 100]) * 100
        spec = ActionSpec(kind=KIND, entity=entity, value=max(0, known + step), expect=known, currency="EUR")
        plan = Measurement(metric="revenue", method="none", start=self.clock.now(), days=0, stop="at once")
        self.wishes += 1
        number = self.wishes
        candidate = Candidate(
            key=f"wish{number}", situation=f"sit_{number}", specialist="simulation", specs=(spec,), title="t", why="w",
            expected=Expected(value=1, low=0, high=2, currency="EUR"), measurement=plan,
            tainted=self.chance.random() < 0.1,
        )  # fmt: skip
        facts = facts_now(self.runtime)
        state = {name: {KIND: value} for name, value in self.tool.state.items()}
        made = _settled(propose(Choice(candidate=candidate), self.policies.current(), facts, state))
        self.store.add(made, self.clock.now(), [_created(made, self.clock.now())])

    def answer(self) -> None:
        """A person answers a proposal that is, or was, pending; perhaps what they saw is old."""
        known = list(self.store.tables.proposals.values())
        if not known:
            return
        proposal = self.chance.choice(self.store.proposals.pending() or known)
        kind = self.chance.choices([DecisionKind.APPROVE, DecisionKind.REJECT, DecisionKind.ESCALATE], [8, 1, 1])[0]
        request = DecisionRequest(decision=kind, fingerprint=proposal.fingerprint, reason="so I say")
        self.nested += 1
        try:
            after = decide(self.runtime, proposal.id, request, self.chance.choice(PEOPLE))
        finally:
            self.nested -= 1
        self.told.append(after.decisions[-1].id)

    def modify(self) -> None:
        """A person changes what is proposed."""
        pending = self.store.proposals.pending()
        if not pending:
            return
        proposal = self.chance.choice(pending)
        spec = proposal.actions[0].spec
        changed = spec.model_copy(update={"value": spec.value + 500})
        request = DecisionRequest(
            decision=DecisionKind.MODIFY, fingerprint=proposal.fingerprint, reason="less", actions=(changed,)
        )
        after = decide(self.runtime, proposal.id, request, self.chance.choice(PEOPLE))
        self.told.append(after.decisions[-1].id)

    def take_back(self) -> None:
        done = self._in(ActionStatus.DONE)
        if done:
            undoing = undo(self.runtime, self.chance.choice(done).id, self.chance.choice(PEOPLE), "changed my mind")
            self.told.append(str(undoing.authorised_by))

    def settle(self) -> None:
        """A person looks into the tool, once nothing can be under way any more, and says what is there."""
        unknown = [action for action in self._in(ActionStatus.UNKNOWN) if self._is_quiet(action)]
        if unknown:
            action = self.chance.choice(unknown)
            happened = any(change.key == action.idempotency_key for change in self.tool.ledger)
            settle_by_person(self.runtime, action.id, happened=happened, person=PEOPLE[2], reason="I looked")

    def pass_time(self) -> None:
        self.clock.set(self.clock.now() + timedelta(minutes=self.chance.choice([1, 5, 20, 90, 300])))
        self.tool.arrive()

    def drift(self) -> None:
        """Somebody changes the tool by hand."""
        self.faults["drift"] += 1
        self.tool.drift(self.chance.choice(BUDGETS), self.chance.choice([90_000, 100_000, 110_000]))

    def change_policy(self) -> None:
        self.faults["policy"] += 1
        self.policies.policy = policy_of(self.chance)

    def switch(self) -> None:
        self.faults["switch"] += 1
        on = not self.store.tables.flags.get(READ_ONLY, False)
        set_read_only(self.runtime, on, PEOPLE[2], "because")

    def freeze(self) -> None:
        """Finance freezes a budget, or lifts every freeze."""
        self.faults["finance"] += 1
        tables = self.store.tables
        if tables.limits:
            tables.limits = ()
        else:
            told = {"scope": self.chance.choice(BUDGETS), "kind": "freeze", "from": self.clock.now()}
            tables.limits = (ActiveLimit(limit=FinanceLimit.model_validate(told), signal="signal:x"),)
        tables.heard += 1

    # -----------------------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Nothing goes wrong any more: everything that was begun must end."""
        self.tool.calm = True
        set_read_only(self.runtime, on=False, person=PEOPLE[2], reason="rest")
        for _ in range(12):
            self.clock.set(self.clock.now() + timedelta(hours=2))
            self.tool.arrive()
            for name in self.store.actions.waiting():
                try:
                    advance(self.runtime, name)
                except TransientError:
                    continue
            self.settle()
        while self._in(ActionStatus.UNKNOWN):
            self.clock.set(self.clock.now() + LATEST)
            self.settle()

    def _in(self, status: ActionStatus) -> list[Action]:
        return [row.action for row in self.store.tables.actions.values() if row.action.status is status]

    def _is_quiet(self, action: Action) -> bool:
        given_up = self.store.tables.actions[action.id].moved_at
        return given_up is not None and self.clock.now() > given_up + LATEST


_EVENTS: tuple[list[Callable[[World], None]], list[int]] = (
    [
        World.work, World.wish, World.answer, World.modify, World.take_back, World.settle, World.pass_time,
        World.drift, World.change_policy, World.switch, World.freeze,
    ],
    [45, 12, 20, 2, 3, 6, 12, 2, 2, 2, 2],
)  # fmt: skip


def _settled(proposal: Proposal) -> Proposal:
    match proposal.verdict.kind:
        case VerdictKind.AUTO:
            by = f"rule:{proposal.verdict.rule}"
            actions = tuple(action.model_copy(update={"authorised_by": by}) for action in proposal.actions)
            return proposal.model_copy(update={"status": ProposalStatus.APPROVED, "actions": actions})
        case VerdictKind.DENY:
            return proposal.model_copy(update={"status": ProposalStatus.VOID, "detail": "denied"})
        case VerdictKind.ASK:
            return proposal


def _created(proposal: Proposal, now: datetime) -> Fact:
    facts = {
        "verdict": proposal.verdict.kind,
        "rule": proposal.verdict.rule,
        "arguments": [action.spec.argument_hash for action in proposal.actions],
    }
    return Fact(at=now, actor="worker", verb="proposal.created", subject=proposal.id, facts=facts)
