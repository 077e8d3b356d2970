"""Who calls and what they may do: Bearer keys with scopes, browser sessions, people and their roles."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Depends, Request

from agents.clock import WallClock
from agents.settings import secret
from api.oidc import Oidc
from api.session import COOKIE, LINK_LASTS, SESSION_LASTS, Signer
from api.throttle import Backoff, TokenBuckets
from domain.audit import Fact
from domain.decisions import Person
from domain.errors import ConfigError, Forbidden, InputError, NotFound, TooOften, Unauthorised
from domain.signals import Trust

if TYPE_CHECKING:
    from agents.parts import Runtime

Scope = Literal["read", "signals", "signals-external", "decide", "models", "admin"]
FULL_SCOPES: tuple[Scope, ...] = ("read", "signals", "decide", "models", "admin")
"""What an administrator's key may do."""
ADMIN = "admin"
BOOTSTRAP_KEY = "ACCORD_BOOTSTRAP_KEY"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY_FILE = "session.key"
_SHORTEST_KEY = 8
_WALL = WallClock()


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated request: the person behind it and what the key or session allows."""

    person: Person
    scopes: frozenset[str]
    key: str | None = None
    """Id of the API key, also of the one a session was opened with."""
    key_name: str = ""
    nonce: str | None = None
    """Names the browser session; None for a key."""
    signed_in: str = ""
    """Who signed in to the session: another than `person` while a visitor of the demo acts as somebody."""

    @property
    def trust(self) -> Trust:
        """Trust in signals that this caller sends; a payload may lower it further."""
        return "internal" if {"signals", "admin"} & self.scopes else "external"

    def may(self, *scopes: str) -> bool:
        return "admin" in self.scopes or bool(self.scopes & set(scopes))


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What the first start on an empty store made. `key` is None when it came from the environment."""

    person: str
    key: str | None


class Gate:
    """Tells callers by key or session, and signs people in, in wall time whatever day a simulated company has."""

    def __init__(
        self, runtime: Runtime, environ: Mapping[str, str] | None = None, now: Callable[[], datetime] = _WALL.now
    ) -> None:
        self._runtime = runtime
        self._environ = os.environ if environ is None else environ
        self.now = now
        self.signer = Signer(session_key(runtime.settings.home))
        self._one_link_at_a_time = threading.Lock()
        rates = runtime.settings.limits
        self._callers = TokenBuckets(rates.key_per_s, rates.key_burst)
        self._strangers = TokenBuckets(rates.address_per_s, rates.address_burst)
        self._wrong_secrets = Backoff()
        self.oidc = self._opened_oidc()

    def _opened_oidc(self) -> Oidc | None:
        settings = self._runtime.settings.auth
        if settings.mode != "oidc" or settings.oidc is None:
            return None
        return Oidc(settings.oidc, secret(settings.oidc.client_secret_env, self._environ), self.signer)

    def first_start(self) -> FirstStart | None:
        """The administrator's key of an empty store, made now; None when there are keys already."""
        store = self._runtime.store
        if store.keys.count():
            return None
        now = self._runtime.clock.now()
        given = secret(BOOTSTRAP_KEY, self._environ)
        if given is not None and len(given) < _SHORTEST_KEY:
            raise ConfigError(
                f"`{BOOTSTRAP_KEY}` is shorter than {_SHORTEST_KEY} characters. Choose a longer, random one."
            )
        if self._find(ADMIN) is None:
            store.people.put(Person(id=ADMIN, roles=frozenset({ADMIN})))
        _, made = store.keys.create("bootstrap", ADMIN, FULL_SCOPES, now, secret=given)
        return FirstStart(ADMIN, None if given else made)

    def login_path(self, person: str = ADMIN) -> str:
        """A path that signs `person` in once, within 30 minutes. Raises NotFound for an unknown person."""
        self.person(person)
        claims = {"person": person, "nonce": secrets.token_urlsafe(16)}
        token = self.signer.seal("login", claims, self.now() + LINK_LASTS)
        return f"/login?token={token}"

    def person(self, name: str) -> Person:
        """The person `name` of the configuration, else of the store. Raises NotFound."""
        found = self._find(name)
        if found is None:
            raise NotFound(f"Nobody is called {name!r} here. Add them under `auth.people` in accord.yaml.")
        return found

    def people(self) -> list[Person]:
        """Everybody who is known here, by name; the configuration wins over the store."""
        configured = {person.id: person for person in self._runtime.settings.auth.people}
        stored = {person.id: person for person in self._runtime.store.people.all()}
        return sorted({**stored, **configured}.values(), key=lambda person: person.id)

    def by_secret(self, given: str) -> Caller:
        """The caller behind an API key. Raises Unauthorised for an unknown or revoked one."""
        key = self._runtime.store.keys.find(given, self.now())
        if key is None:
            raise Unauthorised(
                "The key is not known here, was revoked or has expired. Check it, or create one with "
                "`accord keys create`."
            )
        person = self._find(key.person) or Person(id=key.person)
        return Caller(person, frozenset(key.scopes), key.id, key.name)

    def by_session(self, token: str) -> Caller:
        """The caller of a signed cookie, with the roles the person has now.

        Raises Unauthorised once it expired, was ended here or everywhere, or its key opens nothing any more.
        """
        now, store = self.now(), self._runtime.store
        claims = self.signer.unseal("session", token, now)
        key, name, nonce = claims.get("key"), claims["person"], claims["nonce"]
        signed_in = claims.get("signed_in", name)
        if key is not None and not store.keys.is_live(key, now):
            raise Unauthorised("The key of this session was revoked or has expired. Sign in again.")
        if store.flags.get(_ended(nonce)) or claims.get("began", 0) <= store.flags.get(_ended_before(signed_in), 0):
            raise Unauthorised("This session was ended. Sign in again.")
        person = self.person(name)
        # Without a key it rests on the person's roles, which may have been taken away since.
        scopes = claims["scopes"] if key is not None else scopes_of(self.person(signed_in))
        return Caller(person, frozenset(scopes), key, "session", nonce, signed_in)

    def end_session(self, caller: Caller, *, everywhere: bool = False) -> None:
        """From now on the session's cookie opens nothing; `everywhere` ends all of the person's, on every device."""
        now = self.now()
        who = caller.signed_in or caller.person.id
        flag = _ended_before(who) if everywhere else _ended(str(caller.nonce))
        verb = "session.ended_everywhere" if everywhere else "session.ended"
        fact = Fact(at=now, actor=f"person:{who}", verb=verb, subject=who)
        self._runtime.store.flags.set(flag, now.timestamp(), facts=[fact])

    def open_session(self, caller: Caller) -> str:
        """A cookie value for `caller`, good for 12 hours."""
        now = self.now()
        claims = {
            "person": caller.person.id,
            "signed_in": caller.signed_in or caller.person.id,
            "scopes": sorted(caller.scopes),
            "key": caller.key,
            "nonce": secrets.token_urlsafe(16),
            "began": now.timestamp(),
        }
        return self.signer.seal("session", claims, now + SESSION_LASTS)

    def use_link(self, token: str) -> Caller:
        """Who a login link signs in. Raises Unauthorised when it is forged, expired or was used."""
        claims = self.signer.unseal("login", token, self.now())
        flag = f"login:{claims['nonce']}"
        person = self.person(claims["person"])
        with self._one_link_at_a_time:
            if self._runtime.store.flags.get(flag, default=None) is not None:
                raise Unauthorised("This login link was used before. Sign in with a key instead.")
            now = self._runtime.clock.now()
            used = Fact(at=now, actor=f"person:{person.id}", verb="session.opened", subject=person.id)
            self._runtime.store.flags.set(flag, now.isoformat(), facts=[used])
        return Caller(person, frozenset(scopes_of(person)))

    def by_oidc(self, began: str, state: str, code: str, callback: str) -> Caller:
        """Who comes back from the company's own sign-in, with the roles it tells of now. Raises Unauthorised.

        People of the configuration keep the roles they have there.
        """
        if self.oidc is None:
            raise NotFound("Nobody signs in with an account of the company here. Set `auth.mode: oidc` for it.")
        told = self.oidc.end(began, state, code, callback, self.now())
        if told.id == ADMIN:
            raise Unauthorised(f"{ADMIN!r} is no name of a person. Ask who runs the sign-in.")
        if told.id not in {person.id for person in self._runtime.settings.auth.people}:
            self._runtime.store.people.put(told)
        person = self.person(told.id)
        now = self._runtime.clock.now()
        opened = Fact(at=now, actor=f"person:{person.id}", verb="session.opened", subject=person.id)
        self._runtime.store.audit.append(opened)
        return Caller(person, frozenset(scopes_of(person)))

    def admit(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], address: str, *, counted: bool = True
    ) -> Caller:
        """Who calls from `address`. Raises Unauthorised, or TooOften for a key or an address that calls too often.

        An address that has used up its calls without a valid key is not looked at until it has some again.
        """
        now_s = self.now().timestamp()
        if headers.get("authorization") or cookies.get(COOKIE):
            _refuse_too_often(self._strangers.wait_s(address, now_s))
        try:
            found = self.caller(headers, cookies)
        except Unauthorised:
            _refuse_too_often(self._strangers.take(address, now_s) if counted else 0.0)
            raise
        _refuse_too_often(self._callers.take(found.key or f"person:{found.person.id}", now_s))
        return found

    def sign_in(self, given: str, address: str) -> Caller:
        """The caller behind a key typed into the form. Wrong ones make the address wait, longer each time.

        Raises Unauthorised, TooOften.
        """
        now_s = self.now().timestamp()
        _refuse_too_often(self._wrong_secrets.wait_s(address, now_s))
        try:
            found = self.by_secret(given)
        except Unauthorised:
            self._wrong_secrets.failed(address, now_s)
            raise
        self._wrong_secrets.succeeded(address)
        return found

    def refuse_unknown_host(self, host: str | None) -> None:
        """Raises InputError for a name that `auth.hosts` does not know: a page of somebody else's may point here."""
        known = self._runtime.settings.auth.hosts
        if known and host not in known:
            raise InputError(f"This server is not called {host!r}. Use one of the names in `auth.hosts`.")

    def caller(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Caller:
        """Who calls, by `Authorization` first, else by cookie. Raises Unauthorised."""
        given = credentials(headers.get("authorization"))
        if given is not None:
            return self.by_secret(given)
        cookie = cookies.get(COOKIE)
        if cookie:
            return self.by_session(cookie)
        raise Unauthorised("No key was given. Send `Authorization: Bearer <key>`, or sign in at /login.")

    def _find(self, name: str) -> Person | None:
        configured = {person.id: person for person in self._runtime.settings.auth.people}
        return configured.get(name) or self._runtime.store.people.get(name)


def _refuse_too_often(wait_s: float) -> None:
    if wait_s > 0:
        raise TooOften("Too many requests. Wait as long as `Retry-After` says, then go on.", retry_after_s=ceil(wait_s))


def scopes_of(person: Person) -> tuple[Scope, ...]:
    """What a session may do that rests on who somebody is, without a key."""
    return FULL_SCOPES if ADMIN in person.roles else ("read", "decide")


def _ended(nonce: str) -> str:
    return f"session.ended:{nonce}"


def _ended_before(person: str) -> str:
    return f"sessions.ended_before:{person}"


def credentials(authorization: str | None) -> str | None:
    """The secret of a Bearer header, or the user name of a Basic one (Segment's way to send a write key)."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[0] or None
    except (binascii.Error, ValueError):
        return None


def session_key(home: Path) -> bytes:
    """The key that signs sessions, kept in `session.key` below `home` and made when it is not there."""
    path = home / _KEY_FILE
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = path.read_bytes()
        if len(found) < 32:
            raise ConfigError(f"{path} is damaged. Delete it and start again; people then sign in anew.") from None
        return found
    made = secrets.token_bytes(32)
    with os.fdopen(descriptor, "wb") as file:
        file.write(made)
    return made


@dataclass(frozen=True)
class _Need:
    """A dependency that lets a caller through who has one of the scopes."""

    scopes: tuple[str, ...]

    def __call__(self, request: Request) -> Caller:
        found = caller_of(request)
        if not found.may(*self.scopes):
            wanted = " or ".join(f"`{scope}`" for scope in self.scopes)
            raise Forbidden(f"This needs the scope {wanted}. Use a key that has it (`accord keys create --scopes`).")
        return found


def needs(*scopes: Scope) -> Any:
    """A FastAPI dependency: the caller, refused with 403 without one of `scopes`."""
    return Depends(_Need(scopes))


def caller_of(request: Request) -> Caller:
    """The caller that the middleware found. Raises Unauthorised on a path that it lets through unasked."""
    found = request.scope.get("accord.caller")
    if not isinstance(found, Caller):
        raise Unauthorised("No key was given. Send `Authorization: Bearer <key>`, or sign in at /login.")
    return found


CurrentCaller = Annotated[Caller, Depends(caller_of)]


def refuse_forged(request_method: str, headers: Mapping[str, str], caller: Caller, signer: Signer) -> None:
    """A session may change something over the API only with its CSRF token in `x-accord-csrf`; keys need none."""
    if caller.nonce is None or request_method in _SAFE_METHODS:
        return
    if not signer.csrf_fits(caller.nonce, headers.get("x-accord-csrf", "")):
        raise Forbidden("A browser session needs its token in `x-accord-csrf`. Use a key for programs.")
