"""`/login`, `/logout`: a browser session for who holds a key, a one-time link, or an account of the company."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.auth import Caller, CurrentCaller, Gate, needs
from api.given import Guard, Used
from api.oidc import STATE_COOKIE, Oidc
from api.pages import is_https
from api.routes.pages import Shown, demo_router, own_form, to
from api.session import COOKIE, SESSION_LASTS, SIGN_IN_LASTS
from domain.audit import Fact
from domain.errors import Forbidden, NotFound, Unauthorised

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(
    request: Request, pages: Shown, gate: Guard, token: Annotated[str | None, Query(max_length=1000)] = None
) -> Response:
    """The form for a key; with a one-time token the session itself."""
    if token is None:
        return pages.render(request, "login.html", {"failed": False, "oidc": gate.oidc is not None})
    return signed_in(request, gate, gate.use_link(token))


@router.post("/login")
def login(request: Request, pages: Shown, gate: Guard, key: Annotated[str, Form(max_length=500)] = "") -> Response:
    """A session for who holds a key."""
    _refuse_foreign_form(request)
    try:
        caller = gate.sign_in(key.strip(), request.client.host if request.client else "")
    except Unauthorised:
        return pages.render(request, "login.html", {"failed": True, "oidc": gate.oidc is not None}, 401)
    return signed_in(request, gate, caller)


@router.get("/login/oidc")
async def begin_oidc(request: Request, gate: Guard) -> Response:
    """Sends the browser to the company's own sign-in."""
    oidc = _oidc(gate)
    address, state = await run_in_threadpool(oidc.begin, _callback(request, oidc), gate.now())
    response = RedirectResponse(address, 303)
    response.set_cookie(
        STATE_COOKIE,
        state,
        int(SIGN_IN_LASTS.total_seconds()),
        path="/login/oidc",
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    return response


@router.get("/login/oidc/callback")
async def end_oidc(
    request: Request,
    gate: Guard,
    state: Annotated[str, Query(max_length=2000)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Back from the company's sign-in: the session of who signed in there. Raises Unauthorised."""
    oidc = _oidc(gate)
    began = request.cookies.get(STATE_COOKIE, "")
    caller = await run_in_threadpool(gate.by_oidc, began, state, code, _callback(request, oidc))
    response = signed_in(request, gate, caller)
    response.delete_cookie(STATE_COOKIE, path="/login/oidc")
    return response


@router.post("/logout", dependencies=[Depends(own_form)])
def logout(gate: Guard, caller: CurrentCaller, everywhere: Annotated[bool, Form()] = False) -> Response:  # noqa: FBT002 — a form's field
    """Ends the session, or with `everywhere` all sessions of the person, also for who copied the cookie."""
    gate.end_session(caller, everywhere=everywhere)
    response = to("/login")
    response.delete_cookie(COOKIE)
    return response


@demo_router.post("/act-as", dependencies=[needs("admin")])
def act_as(
    request: Request, runtime: Used, gate: Guard, caller: CurrentCaller, person: Annotated[str, Form(max_length=100)]
) -> Response:
    """Goes on as another person of the demo company, so that one visitor can see two people agree."""
    other = gate.person(person)
    now = runtime.clock.now()
    taken = Fact(at=now, actor=f"person:{caller.person.id}", verb="session.handed_over", subject=other.id)
    runtime.store.audit.append(taken)
    return signed_in(request, gate, replace(caller, person=other))


def signed_in(request: Request, gate: Gate, caller: Caller) -> Response:
    """To the first page with a new session: whatever cookie the browser brought is replaced."""
    response = to("/")
    response.set_cookie(
        COOKIE,
        gate.open_session(caller),
        int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    return response


def _refuse_foreign_form(request: Request) -> None:
    """Nobody signs a browser in as themselves from another site."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("This form was sent by another site. Open /login here and try again.")


def _oidc(gate: Gate) -> Oidc:
    if gate.oidc is None:
        raise NotFound("Nobody signs in with an account of the company here. Set `auth.mode: oidc` for it.")
    return gate.oidc


def _callback(request: Request, oidc: Oidc) -> str:
    return oidc.settings.redirect_url or str(request.url_for("end_oidc"))
