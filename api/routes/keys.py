"""`/v1/keys`: make, list and revoke API keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.auth import CurrentCaller
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.access import IssuedKey, Key, NewKey
from api.schemas.wire import Listed
from domain.audit import Fact

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.get("", summary="List keys", **asking("admin", 422))
def list_keys(runtime: Used, limit: Limit = 50, cursor: Cursor = None) -> Listed[Key]:
    """Keys without their secrets, newest first; revoked ones too."""
    return listed(runtime.store.keys.page(limit=limit, cursor=cursor), Key.model_validate)


@router.post("", summary="Create a key", status_code=201, **asking("admin", 400, 422))
def create_key(body: NewKey, runtime: Used, caller: CurrentCaller) -> IssuedKey:
    """A new key; its secret is in this answer and nowhere else."""
    now = runtime.clock.now()
    made = Fact(
        at=now,
        actor=f"person:{caller.person.id}",
        verb="key.created",
        subject=body.name,
        facts={"person": body.person, "scopes": sorted(body.scopes)},
    )
    number, secret = runtime.store.keys.create(body.name, body.person, body.scopes, now, facts=[made])
    return IssuedKey(id=number, key=secret)


@router.delete("/{id}", summary="Revoke a key", status_code=204, **asking("admin", 404))
def revoke_key(
    id: Annotated[str, Path(description="Id of the key.", examples=["key_0a9c2d7e4f315b1f"])],  # noqa: A002 — path
    runtime: Used,
    caller: CurrentCaller,
) -> None:
    """From now on the key opens nothing, nor do sessions that were opened with it."""
    now = runtime.clock.now()
    fact = Fact(at=now, actor=f"person:{caller.person.id}", verb="key.revoked", subject=id)
    runtime.store.keys.revoke(id, now, facts=[fact])
