"""The web application: what a request passes, the routes, and the life of the driver behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from agents.parts import Runtime
from api import problems
from api.auth import Gate
from api.events import MAX_BODY
from api.metrics import Meters
from api.middleware import Bounded, Guarded, Measured, SafeHeaders
from api.notice_desk import open_desk
from api.openapi import describe
from api.pages import Pages
from api.routes import (
    actions,
    answers,
    approvers,
    audit,
    completions,
    connectors,
    health,
    keys,
    links,
    models,
    modes,
    outcomes,
    pages,
    people,
    policy,
    proposals,
    providers,
    responses,
    segment,
    sign_in,
    signals,
    situations,
    slack,
    webhooks,
)

_STATIC = Path(__file__).with_name("static")
_NOUNS = (
    signals,
    segment,
    webhooks,
    situations,
    proposals,
    people,
    actions,
    outcomes,
    completions,
    responses,
    models,
    providers,
    connectors,
    keys,
    audit,
    policy,
    approvers,
    modes,
    health,
    pages,
    sign_in,
    answers,
    links,
    slack,
)


def create_app(
    runtime: Runtime, *, gate: Gate | None = None, demo: bool = False, url: str = "http://127.0.0.1:8080"
) -> FastAPI:
    """The app over `runtime`; it starts the driver and, when it ends, stops it. The caller closes the runtime.

    `gate` may be given by who has printed the first key with it; `demo` adds the next-day switch;
    `url` is where people reach the pages unless the configuration says otherwise.
    """
    app = FastAPI(
        title="Accord",
        version=version("accord"),
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation_id,
    )
    app.state.runtime = runtime
    app.state.gate = gate or Gate(runtime)
    app.state.meters = Meters(runtime)
    app.state.pages = Pages(runtime, app.state.gate, demo=demo)
    app.state.desk = open_desk(runtime, app.state.gate, url)
    for noun in _NOUNS:
        app.include_router(noun.router)
    if demo:
        app.include_router(modes.demo_router)
        app.include_router(pages.demo_router)
    app.include_router(_description(app))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    problems.register(app, app.state.pages.problem)
    app.openapi = lambda: describe(app)
    app.add_middleware(Guarded, gate=app.state.gate)
    app.add_middleware(Bounded, most=MAX_BODY)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Measured, meters=app.state.meters)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    runtime: Runtime = app.state.runtime
    await run_in_threadpool(runtime.start)
    app.state.desk.start()
    try:
        yield
    finally:
        await run_in_threadpool(app.state.desk.stop)
        await run_in_threadpool(runtime.driver.stop)


def _operation_id(route: APIRoute) -> str:
    """The name of the function: stable, and the same word as in the code."""
    return route.name


def _description(app: FastAPI) -> APIRouter:
    router = APIRouter()

    @router.get("/openapi.json", include_in_schema=False)
    def openapi_description() -> JSONResponse:  # pyright: ignore[reportUnusedFunction] — FastAPI keeps it
        return JSONResponse(describe(app))

    return router
