"""`/v1/actions` and `/v1/effects`: what is done in the tools, setting it back, and settling what is unknown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from agents import settle, undo
from api.auth import CurrentCaller
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.proposals import Action, SettleBody, UndoBody, of_action
from api.schemas.results import Effect
from api.schemas.wire import Listed
from domain.actions import ActionStatus

router = APIRouter(prefix="/v1", tags=["actions"])
Id = Annotated[str, Path(description="Id of the action.", examples=["act_2d7e4f315b1f0a9c"])]


@router.get("/actions", summary="List actions", **asking("read", 422))
def list_actions(
    runtime: Used,
    status: Annotated[ActionStatus | None, Query(description="Only these.", examples=["done"])] = None,
    proposal: Annotated[str | None, Query(description="Only of this proposal.", examples=[None])] = None,
    entity: Annotated[str | None, Query(description="Only on this entity.", examples=[None])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[Action]:
    """Actions of proposals and undoings, newest first."""
    page = runtime.store.actions.page(status=status, proposal=proposal, entity=entity, limit=limit, cursor=cursor)
    return listed(page, of_action)


@router.get("/actions/{id}", summary="Read an action", **asking("read", 404))
def get_action(id: Id, runtime: Used) -> Action:  # noqa: A002 — the name in the path
    """One action with what the tool answered."""
    return of_action(runtime.store.actions.get(id))


@router.post("/actions/{id}/undo", summary="Undo an action", **asking("decide", 400, 404, 409, 422))
def undo_action(id: Id, runtime: Used, caller: CurrentCaller, body: UndoBody | None = None) -> Action:  # noqa: A002 — path
    """Set back what an action changed, by an action of its own, which is the answer.

    409 with the reason when it is not done, cannot be set back, was undone already, is denied now, or somebody changed
    the tool since.
    """
    return of_action(undo.undo(runtime, id, caller.person, body.reason if body else ""))


@router.post("/actions/{id}/settle", summary="Settle an unknown action", **asking("decide", 400, 404, 409, 422))
def settle_action(id: Id, runtime: Used, caller: CurrentCaller, body: SettleBody) -> Action:  # noqa: A002 — path
    """Say whether an action happened that the tool neither confirmed nor denied.

    What happened is done, with your word as its receipt; what did not is denied and comes back as a new proposal only.
    409 when it is not unknown.
    """
    return of_action(
        settle.settle_by_person(runtime, id, happened=body.happened, person=caller.person, reason=body.reason)
    )


@router.get("/effects", summary="List effects", **asking("read", 422))
def list_effects(runtime: Used, limit: Limit = 50, cursor: Cursor = None) -> Listed[Effect]:
    """Every call of a tool, newest first."""
    return listed(runtime.store.effects.page(limit=limit, cursor=cursor), Effect.model_validate)
