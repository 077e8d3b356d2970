"""Renders pages: language, session, safety of forms. What stands on a page is decided by `routes/pages.py`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from agents import modes
from api import wording
from api.auth import Caller, Gate
from api.problems import Problem
from api.wording import Language, Wording
from domain.errors import AccordError

if TYPE_CHECKING:
    from agents.parts import Runtime

_TEMPLATES = Path(__file__).with_name("templates")
_A_YEAR = int(timedelta(days=365).total_seconds())


class Pages:
    """The templates with what all pages show. Text from outside is escaped by the templates, always."""

    def __init__(self, runtime: Runtime, gate: Gate, *, demo: bool) -> None:
        self._runtime, self._gate, self._demo = runtime, gate, demo
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def wording(self, request: Request, preferred: Language | None = None) -> Wording:
        """The words of this request; `preferred` holds where the address and the cookie name none."""
        language = wording.choose(
            request.query_params.get("lang"),
            request.cookies.get(wording.COOKIE),
            preferred or request.headers.get("accept-language", ""),
            self._runtime.settings.language,
        )
        return Wording(language, self._runtime.clock.now())

    def render(self, request: Request, name: str, values: Mapping[str, Any], status: int = 200) -> Response:
        """The page `name`; a language asked for in the address is kept in a cookie."""
        caller = request.scope.get("accord.caller")
        words = self.wording(request)
        shown = self._everywhere(request, caller if isinstance(caller, Caller) else None, words)
        html = self._environment.get_template(name).render({**shown, **values})
        response = HTMLResponse(
            html, status, headers={"content-language": words.language, "vary": "accept-language, cookie"}
        )
        if request.query_params.get("lang") == words.language:
            response.set_cookie(
                wording.COOKIE, words.language, _A_YEAR, httponly=True, samesite="lax", secure=is_https(request)
            )
        return response

    async def problem(self, request: Request, found: Problem) -> Response:
        """An error as a page."""
        return self.render(request, "error.html", {"problem": found}, found.status)

    def _everywhere(self, request: Request, caller: Caller | None, words: Wording) -> dict[str, Any]:
        return {
            "w": words,
            "caller": caller,
            "csrf": self._gate.signer.csrf(caller.nonce) if caller and caller.nonce else "",
            "demo": self._demo,
            "read_only": self._read_only(),
            "path": request.url.path,
            "other_language": "fr" if words.language == "en" else "en",
            "told": request.query_params.get("told", ""),
        }

    def _read_only(self) -> bool:
        """Unknown while the store does not answer: the error page must still be shown."""
        try:
            return modes.is_read_only(self._runtime)
        except AccordError:
            return False


def is_https(request: Request) -> bool:
    return request.url.scheme == "https"
