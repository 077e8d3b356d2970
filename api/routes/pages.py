"""The pages: sign in, today, a situation, value, policy. Forms post, then redirect; `answers.py` holds a proposal's."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from agents import modes, settle, undo, value
from agents.attention import attention
from agents.demo import next_day
from agents.hindsight import look_back
from agents.people import absent_people
from api.auth import CurrentCaller, needs
from api.cards import card
from api.given import Guard, Used
from api.pages import Pages
from api.routes.situations import timeline, with_proposals
from domain.errors import Forbidden
from domain.proposals import ProposalStatus

_NEWEST = 20
_HINDSIGHT_DAYS = 90


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


def own_form(gate: Guard, caller: CurrentCaller, csrf: Annotated[str, Form()] = "") -> None:
    """Refuses a form that another site made the browser post."""
    if caller.nonce is None or not gate.signer.csrf_fits(caller.nonce, csrf):
        raise Forbidden("This form is not of your session. Reload the page and send it again.")


Shown = Annotated[Pages, Depends(_pages)]
Text = Annotated[str, Form(max_length=4000)]
router = APIRouter(include_in_schema=False)
reader = APIRouter(include_in_schema=False, dependencies=[needs("read")])
writer = APIRouter(include_in_schema=False, dependencies=[needs("decide"), Depends(own_form)])
admin = APIRouter(include_in_schema=False, dependencies=[needs("admin"), Depends(own_form)])
demo_router = APIRouter(include_in_schema=False, dependencies=[needs("decide"), Depends(own_form)])


@reader.get("/")
def today_page(request: Request, runtime: Used, pages: Shown, gate: Guard, caller: CurrentCaller) -> Response:
    """Pending proposals as cards, open situations, what was answered lately."""
    now, words = runtime.clock.now(), pages.wording(request)
    absent = absent_people(runtime, caller.person, now)
    pending = runtime.store.proposals.pending()
    open_ones = runtime.store.situations.page(status="open", limit=_NEWEST)
    counts = {s.id: len(runtime.store.proposals.page(situation=s.id, limit=200).items) for s in open_ones.items}
    answered = [
        proposal
        for proposal in runtime.store.proposals.page(limit=3 * _NEWEST).items
        if proposal.status is not ProposalStatus.PENDING
    ]
    values = {
        "cards": [card(proposal, caller.person, now, words, absent) for proposal in pending[:_NEWEST]],
        "pending": len(pending),
        "situations": open_ones.items,
        "more_situations": open_ones.next is not None,
        "counts": counts,
        "answered": answered[:_NEWEST],
        "horizon": runtime.settings.objective.horizon_days,
        "now": now,
        "newest": _NEWEST,
        "people": gate.people(),
    }
    return pages.render(request, "today.html", values)


@reader.get("/situations/{id}")
def situation_page(id: str, request: Request, runtime: Used, pages: Shown, caller: CurrentCaller) -> Response:  # noqa: A002 — path
    """One situation with its causes, proposals and history."""
    situation, about = with_proposals(runtime, id)
    now, words = runtime.clock.now(), pages.wording(request)
    absent = absent_people(runtime, caller.person, now)
    values = {
        "situation": situation,
        "cards": [card(proposal, caller.person, now, words, absent) for proposal in about[:_NEWEST]],
        "timeline": timeline(situation, about),
        "currency": runtime.settings.objective.currency,
        "horizon": runtime.settings.objective.horizon_days,
    }
    return pages.render(request, "situation.html", values)


@reader.get("/value")
def value_page(request: Request, runtime: Used, pages: Shown) -> Response:
    """The ledger."""
    return pages.render(request, "value.html", {"ledger": value.ledger(runtime)})


@reader.get("/policy")
def policy_page(request: Request, runtime: Used, pages: Shown) -> Response:
    """The rules, where they stand, what they would have said of the last weeks, and the kill switch."""
    policy = runtime.policies.current()
    values = {
        "policy": policy,
        "fault": runtime.policies.fault,
        "standings": runtime.track_record.standings(policy),
        "hindsight": look_back(runtime, policy, _HINDSIGHT_DAYS),
        "approvers": attention(runtime, _HINDSIGHT_DAYS),
        "days": _HINDSIGHT_DAYS,
    }
    return pages.render(request, "policy.html", values)


@writer.post("/stop")
def stop_on_page(runtime: Used, caller: CurrentCaller, reason: Text = "") -> Response:
    """The kill switch."""
    modes.stop(runtime, caller.person, reason)
    return to("/policy")


@writer.post("/actions/{id}/undo")
def undo_on_page(id: str, runtime: Used, caller: CurrentCaller, reason: Text = "") -> Response:  # noqa: A002 — path
    """Sets back what an action changed."""
    undoing = undo.undo(runtime, id, caller.person, reason, channel="page")
    return to(f"/proposals/{undoing.proposal}?told=undo")


@writer.post("/actions/{id}/settle")
def settle_on_page(
    id: str,  # noqa: A002 — path
    runtime: Used,
    caller: CurrentCaller,
    happened: Annotated[Literal["yes", "no"], Form()],
    reason: Text = "",
) -> Response:
    """A person's word on what the tool neither confirmed nor denied."""
    settled = settle.settle_by_person(runtime, id, happened=happened == "yes", person=caller.person, reason=reason)
    return to(f"/proposals/{settled.proposal}?told=settle")


@admin.post("/mode")
def switch_mode(
    runtime: Used, caller: CurrentCaller, read_only: Annotated[Literal["on", "off"], Form()], reason: Text = ""
) -> Response:
    """Turns the read-only switch."""
    modes.set_read_only(runtime, read_only == "on", caller.person, reason)
    return to("/")


@demo_router.post("/next-day")
def play_on(runtime: Used) -> Response:
    """One more day of the demo company."""
    next_day(runtime)
    return to("/")


def to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)


for _part in (reader, writer, admin):
    router.include_router(_part)
