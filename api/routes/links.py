"""`/answer`: the page behind a link in a mail. Looking decides nothing, since mail scanners look; the button does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from agents import approve
from agents.parts import Runtime
from agents.people import absent_people, known_person
from api.answer_links import PATH, AnswerLink
from api.cards import card
from api.given import Used
from api.notice_desk import NoticeDesk
from api.pages import Pages
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.errors import Conflict, Unauthorised
from domain.lifecycle import agreed, refuse_unless_open
from domain.proposals import Proposal

router = APIRouter(include_in_schema=False)
Token = Annotated[str, Query(max_length=2000)]


def _desk(request: Request) -> NoticeDesk:
    return cast("NoticeDesk", request.app.state.desk)


def _read(request: Request, runtime: Runtime, token: str) -> tuple[AnswerLink, Person, Proposal]:
    """What the link says, while it is good. Raises Unauthorised, and Conflict when it was used or overtaken."""
    try:
        link = _desk(request).writer.links.read(token, runtime.clock.now())
    except Unauthorised as error:
        raise Unauthorised("This link is not valid, or its proposal is over. Sign in to see it.") from error
    person, proposal = known_person(runtime, link.person), runtime.store.proposals.get(link.proposal)
    refuse_unless_open(proposal, link.fingerprint, runtime.clock.now())
    for decision in agreed(proposal):
        if person.id in decision.voices:
            raise Conflict(
                f"This link was used: {decision.by!r} answered {proposal.id} ({decision.kind}, "
                f"{decision.at.isoformat()}). Another person has to answer."
            )
    return link, person, proposal


@router.get(PATH)
def answer_page(request: Request, runtime: Used, token: Token) -> Response:
    """What would change, and the one button that decides."""
    link, person, proposal = _read(request, runtime, token)
    return _shown(request, runtime, person, proposal, {"link": link, "token": token, "recorded": False})


@router.post(PATH)
def answer(
    request: Request,
    runtime: Used,
    token: Annotated[str, Form(max_length=2000)],
    reason: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """The answer, recorded as that of the person in the link."""
    link, person, _ = _read(request, runtime, token)
    asked = DecisionRequest(decision=DecisionKind(link.decision), fingerprint=link.fingerprint, reason=reason)
    after = approve.decide(runtime, link.proposal, asked, person, channel="mail")
    _desk(request).poke()
    return _shown(request, runtime, person, after, {"link": link, "token": "", "recorded": True})


def _shown(
    request: Request, runtime: Runtime, person: Person, proposal: Proposal, values: Mapping[str, Any]
) -> Response:
    """The page in the person's language."""
    pages = cast("Pages", request.app.state.pages)
    now, words = runtime.clock.now(), pages.wording(request, person.language)
    shown = card(proposal, person, now, words, absent_people(runtime, person, now))
    horizon = runtime.settings.objective.horizon_days
    return pages.render(request, "answer.html", {"w": words, "card": shown, "horizon": horizon, **values})
