"""`/v1/keys`: make, list and revoke API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.auth import CurrentCaller
from api.given import Cursor, Guard, Limit, Used, asking, listed
from api.schemas.access import IssuedKey, Key, NewKey
from api.schemas.wire import Listed
from domain.audit import Fact
from domain.errors import InputError

router = APIRouter(prefix="/v1/keys", tags=["keys"])
Id = Annotated[str, Path(description="Id of the key.", examples=["key_0a9c2d7e4f315b1f"])]


@router.get("", summary="List keys", **asking("admin", 422))
def list_keys(runtime: Used, limit: Limit = 50, cursor: Cursor = None) -> Listed[Key]:
    """Keys without their secrets, newest first; revoked ones too."""
    return listed(runtime.store.keys.page(limit=limit, cursor=cursor), Key.model_validate)


@router.post("", summary="Create a key", status_code=201, **asking("admin", 400, 422))
def create_key(body: NewKey, runtime: Used, gate: Guard, caller: CurrentCaller) -> IssuedKey:
    """A new key; its secret is in this answer and nowhere else. 422 for a person nobody knows."""
    if body.person not in {person.id for person in gate.people()}:
        raise InputError(f"Nobody is called {body.person!r} here. Add them under `auth.people` in accord.yaml.")
    now = gate.now()
    expires_at = None if body.expires_d is None else now + timedelta(days=body.expires_d)
    made = Fact(
        at=runtime.clock.now(),
        actor=f"person:{caller.person.id}",
        verb="key.created",
        subject=body.name,
        facts={
            "person": body.person,
            "scopes": sorted(body.scopes),
            "expires_at": expires_at and expires_at.isoformat(),
        },
    )
    number, secret = runtime.store.keys.create(
        body.name, body.person, body.scopes, now, expires_at=expires_at, facts=[made]
    )
    return IssuedKey(id=number, key=secret)


@router.post("/{id}/rotate", summary="Rotate a key", status_code=201, **asking("admin", 404, 422))
def rotate_key(
    id: Id,  # noqa: A002 — the name in the path
    runtime: Used,
    gate: Guard,
    caller: CurrentCaller,
    overlap_h: Annotated[float, Query(ge=0, le=720, description="While the old one works.", examples=[24])] = 0,
) -> IssuedKey:
    """A new key in place of an old one, for the same person and scopes; the old one ends after `overlap_h` hours."""
    fact = Fact(at=runtime.clock.now(), actor=f"person:{caller.person.id}", verb="key.rotated", subject=id)
    number, secret = runtime.store.keys.rotate(id, gate.now(), timedelta(hours=overlap_h), facts=[fact])
    return IssuedKey(id=number, key=secret)


@router.delete("/{id}", summary="Revoke a key", status_code=204, **asking("admin", 404))
def revoke_key(
    id: Id,  # noqa: A002 — the name in the path
    runtime: Used,
    caller: CurrentCaller,
) -> None:
    """From now on the key opens nothing, nor do sessions that were opened with it."""
    now = runtime.clock.now()
    fact = Fact(at=now, actor=f"person:{caller.person.id}", verb="key.revoked", subject=id)
    runtime.store.keys.revoke(id, now, facts=[fact])
