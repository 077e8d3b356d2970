"""A proposal's page and every form by which people answer: decide, change, ask, several at once, being away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from agents import approve, delegations, questions
from agents.parts import Runtime
from agents.people import absent_people, known_people
from api.auth import Caller, CurrentCaller, needs
from api.cards import Card, card, changed_specs
from api.given import Used
from api.pages import Pages
from api.routes.pages import Shown, Text, own_form, to
from domain.decisions import DecisionKind, DecisionRequest, ReasonCode
from domain.errors import Conflict, InputError
from domain.proposals import Proposal

_NEWEST = 20
router = APIRouter(include_in_schema=False)
reader = APIRouter(include_in_schema=False, dependencies=[needs("read")])
writer = APIRouter(include_in_schema=False, dependencies=[needs("decide"), Depends(own_form)])
Fingerprint = Annotated[str, Form(max_length=200)]
Reason = Annotated[ReasonCode | Literal[""], Form()]


@dataclass(frozen=True, slots=True)
class _Screen:
    """Who looks at a page, and what it is made with."""

    request: Request
    runtime: Runtime
    pages: Pages
    caller: Caller

    def card(self, proposal: Proposal) -> Card:
        now = self.runtime.clock.now()
        absent = absent_people(self.runtime, self.caller.person, now)
        return card(proposal, self.caller.person, now, self.pages.wording(self.request), absent)

    def proposal(self, name: str, **more: Any) -> Response:
        """The page of one proposal; `more` is what a form brought back."""
        proposal = self.runtime.store.proposals.get(name)
        values: dict[str, Any] = {
            "card": self.card(proposal),
            "situation": self.runtime.store.situations.get(proposal.situation),
            "outcomes": self.runtime.store.outcomes.page(proposal=name, limit=_NEWEST).items,
            "horizon": self.runtime.settings.objective.horizon_days,
            "thread": self.runtime.store.questions.of(name),
            "reasons": list(ReasonCode),
            "people": sorted(known_people(self.runtime)),
            "checked": None,
            "fault": "",
            "given": {},
        }
        return self.pages.render(self.request, "proposal.html", {**values, **more})


def _screen(request: Request, runtime: Used, pages: Shown, caller: CurrentCaller) -> _Screen:
    return _Screen(request, runtime, pages, caller)


OnScreen = Annotated[_Screen, Depends(_screen)]


@reader.get("/proposals/{id}")
def proposal_page(id: str, screen: OnScreen) -> Response:  # noqa: A002 — path
    """One proposal with everything that a decision needs."""
    return screen.proposal(id)


def _answer(
    decision: Annotated[Literal["approve", "reject", "escalate"], Form()],
    fingerprint: Fingerprint,
    reason: Text = "",
    reason_code: Reason = "",
) -> DecisionRequest:
    kind = DecisionKind(decision)
    return DecisionRequest(decision=kind, fingerprint=fingerprint, reason=reason, reason_code=reason_code or None)


@writer.post("/proposals/{id}/decisions")
def answer_proposal(
    id: str,  # noqa: A002 — path
    runtime: Used,
    caller: CurrentCaller,
    asked: Annotated[DecisionRequest, Depends(_answer)],
) -> Response:
    """A person's answer, recorded as given on the page."""
    approve.decide(runtime, id, asked, caller.person, channel="page")
    return to(f"/proposals/{id}?told={asked.decision}")


@dataclass(frozen=True, slots=True)
class _Change:
    """The form of changed values: its fields are as many as the proposal has values."""

    fields: dict[str, str]
    do: Literal["check", "approve"]
    fingerprint: str
    reason: str


async def _change(
    request: Request,
    do: Annotated[Literal["check", "approve"], Form()],
    fingerprint: Fingerprint,
    reason: Text = "",
) -> _Change:
    form = await request.form()
    fields = {name: str(value)[:40] for name, value in form.items() if name.startswith("value_")}
    return _Change(fields, do, fingerprint, reason)


@writer.post("/proposals/{id}/changes")
def change_proposal(id: str, screen: OnScreen, change: Annotated[_Change, Depends(_change)]) -> Response:  # noqa: A002 — path
    """The page with what policy says of the given values and what they are worth, or the approval with them."""
    before = screen.runtime.store.proposals.get(id)
    if change.do == "check":
        checked, fault = _checked(screen, before, change)
        return screen.proposal(id, given=change.fields, checked=checked, fault=fault)
    asked = DecisionRequest(
        decision=DecisionKind.MODIFY,
        fingerprint=change.fingerprint,
        reason=change.reason,
        actions=changed_specs(before, change.fields),
    )
    approve.decide(screen.runtime, id, asked, screen.caller.person, channel="page")
    return to(f"/proposals/{id}?told=modify")


def _checked(screen: _Screen, before: Proposal, change: _Change) -> tuple[Card | None, str]:
    """The card with other values, or why there is none."""
    try:
        return screen.card(approve.recheck(screen.runtime, before.id, changed_specs(before, change.fields))), ""
    except (InputError, Conflict) as error:
        return None, error.detail


@writer.post("/proposals/{id}/questions")
def ask_on_page(
    id: str,  # noqa: A002 — path
    runtime: Used,
    caller: CurrentCaller,
    text: Text,
    whom: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """A question about the proposal."""
    questions.ask(runtime, id, questions.Remark(text, whom.strip() or None), caller.person, channel="page")
    return to(f"/proposals/{id}?told=ask#questions")


@writer.post("/proposals/{id}/questions/{question}/answers")
def answer_on_page(id: str, question: str, runtime: Used, caller: CurrentCaller, text: Text) -> Response:  # noqa: A002 — path
    """The answer to a question."""
    questions.ask(runtime, id, questions.Remark(text, answers=question), caller.person, channel="page")
    return to(f"/proposals/{id}?told=answer#questions")


@writer.post("/answers")
def answer_several(
    runtime: Used,
    caller: CurrentCaller,
    decision: Annotated[Literal["approve", "reject"], Form()],
    chosen: Annotated[list[str] | None, Form(max_length=approve.MOST_AT_ONCE)] = None,
) -> Response:
    """All of the ticked proposals (`id fingerprint`) are answered, or none."""
    answers = [(name, fingerprint) for name, _, fingerprint in (each.partition(" ") for each in chosen or ())]
    kind = DecisionKind(decision)
    approve.decide_all(
        runtime,
        [(name, DecisionRequest(decision=kind, fingerprint=seen)) for name, seen in answers],
        approve.Voice(caller.person, "page"),
    )
    return to("/?told=batch")


@reader.get("/absence")
def absence_page(request: Request, runtime: Used, pages: Shown, caller: CurrentCaller) -> Response:
    """Who answers for the reader, and for whom the reader answers."""
    now = runtime.clock.now()
    me = caller.person.id
    mine = [each for each in runtime.store.delegations.in_force(now) if me in {each.person, each.to}]
    others = sorted(set(known_people(runtime)) - {me})
    return pages.render(request, "absence.html", {"mine": mine, "others": others})


@writer.post("/absence")
def be_away(
    runtime: Used,
    caller: CurrentCaller,
    whom: Annotated[str, Form(max_length=100)],
    until: Annotated[str, Form(max_length=40)],
    reason: Text = "",
) -> Response:
    """Lets somebody stand in for the reader, from now on."""
    try:
        end = datetime.fromisoformat(until).replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"`until` {until!r} is no date. Choose a day and a time.") from error
    delegations.delegate(runtime, delegations.Absence(caller.person.id, whom, end, reason=reason[:1000]), caller.person)
    return to("/absence?told=delegate")


@writer.post("/absence/{id}/end")
def be_back(id: str, runtime: Used, caller: CurrentCaller) -> Response:  # noqa: A002 — path
    """Ends a delegation of the reader's own."""
    delegations.end_delegation(runtime, caller.person.id, id, caller.person)
    return to("/absence?told=back")


for _part in (reader, writer):
    router.include_router(_part)
