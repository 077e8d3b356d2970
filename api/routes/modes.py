"""`/v1/mode`: the read-only switch and the kill switch; `/v1/demo/next-day`: one more day of the demo company."""

from __future__ import annotations

from fastapi import APIRouter

from agents import modes
from agents.demo import next_day
from api.auth import CurrentCaller
from api.given import Used, asking
from api.schemas.access import Day, Mode, ModeChange, Stop, Stopped

router = APIRouter(prefix="/v1", tags=["modes"])
demo_router = APIRouter(prefix="/v1/demo", tags=["demo"])


@router.get("/mode", summary="Read the mode", **asking("read"))
def get_mode(runtime: Used) -> Mode:
    """Whether Accord may change anything in the tools."""
    return Mode(read_only=modes.is_read_only(runtime))


@router.put("/mode", summary="Turn the read-only switch", **asking("admin", 400, 422))
def set_mode(body: ModeChange, runtime: Used, caller: CurrentCaller) -> Mode:
    """While read-only, no effect begins; reading, reasoning and proposing go on."""
    modes.set_read_only(runtime, body.read_only, caller.person, body.reason)
    return Mode(read_only=modes.is_read_only(runtime))


@router.post("/mode/stop", summary="Stop everything", **asking("decide", 400, 422))
def stop(body: Stop, runtime: Used, caller: CurrentCaller) -> Stopped:
    """Read-only from now on, and whatever waits for an answer or was approved but not begun will never happen.

    Whoever may decide may stop; only an administrator turns read-only mode off again.
    """
    return Stopped.model_validate(modes.stop(runtime, caller.person, body.reason))


@demo_router.post("/next-day", summary="Play one more day", **asking("decide"))
def play_next_day(runtime: Used) -> Day:
    """The demo company lives one more day; only with `accord serve --demo`."""
    next_day(runtime)
    return Day(now=runtime.clock.now(), pending=len(runtime.store.proposals.pending()))
