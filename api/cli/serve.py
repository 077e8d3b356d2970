"""`accord serve` and `accord worker`: the processes that stay."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from api.cli.command import Command
from api.cli.console import Console
from api.cli.home import announced, held
from api.cli.settings import config_option, load
from domain.errors import ConfigError

if TYPE_CHECKING:
    from agents.parts import Runtime
    from agents.settings import Settings
    from api.auth import Gate

_GRACE_S = 5
"""How long open requests and streams may take once the server is asked to stop."""


@click.command(cls=Command)
@click.option("--host", envvar="ACCORD_HOST", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", envvar="ACCORD_PORT", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--demo", "as_demo", is_flag=True, help="Serve the simulated company instead of your own.")
@config_option
@click.pass_obj
def serve(console: Console, host: str, port: int, as_demo: bool, config: Path | None) -> None:  # noqa: FBT001 — click's
    """Serve the API, the pages and, on SQLite, the worker.

    Prints one line `ready URL` on stdout once it answers; with --json one object. The first start on an empty store
    prints an administrator's key and a one-time login link on stderr (ACCORD_BOOTSTRAP_KEY sets the key instead).
    Port 0 takes a free one. SIGTERM and Ctrl-C stop it cleanly.

    \b
    Examples:
      accord serve --demo
      accord serve --config /etc/accord.yaml --host 0.0.0.0 --port 8080
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from providers.telemetry import exporting

    settings = load(config)
    with (
        _alone(settings),
        exporting(os.environ),
        contextlib.closing(_listen(host, port)) as listener,
        _runtime(console, settings, as_demo=as_demo) as runtime,
        announced(runtime.settings.home, _url(listener)),
    ):
        _serve(console, runtime, listener, demo=as_demo)
    _leave_the_engine()


def _alone(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """The home held against a second server, where something in it cannot be shared."""
    shared = not settings.storage_url.startswith("sqlite") and settings.memory.url != "chroma"
    return contextlib.nullcontext() if shared else held(settings.home)


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, taken before anything slow starts. Raises ConfigError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"Cannot listen at {host}:{port}: {error.strerror}. Stop what runs there, or choose another --port."
        ) from error
    return listener


@contextlib.contextmanager
def _runtime(console: Console, settings: Settings, *, as_demo: bool) -> Generator[Runtime]:
    if as_demo:
        from agents.demo import open_demo
        from api.cli.demo import Watch
        from api.cli.story import in_short

        watch = Watch(console, quiet=True)
        runtime = open_demo(settings, watch=watch.day)
        watch.close()
        for line in in_short(runtime):
            console.note(line)
    else:
        from agents.runtime import build

        runtime = build(settings)
    try:
        yield runtime
    finally:
        runtime.close()


def _leave_the_engine() -> None:
    """Ends the process at once when a local model is in the middle of an answer; everything else is closed by now."""
    from providers.local_model import still_answering

    if still_answering():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _serve(console: Console, runtime: Runtime, listener: socket.socket, *, demo: bool) -> None:
    """Answers until a signal asks to stop."""
    import uvicorn

    from api.app import create_app
    from api.auth import Gate
    from api.patience import PatientProtocol

    gate = Gate(runtime)
    url = _url(listener)
    _greet(console, gate, url, demo=demo)

    app = create_app(runtime, gate=gate, demo=demo, url=url)

    class Server(uvicorn.Server):
        """Tells on stdout that it answers, and only then begins the work, whose engine takes a second to load."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                console.answer({"ready": url}, [f"ready {url}"])
                console.out.flush()

        async def main_loop(self) -> None:
            # Entered here, since uvicorn would print a trace and leave when the driver cannot start.
            async with app.router.lifespan_context(app):
                await super().main_loop()

    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )

    with _survive_signals():
        asyncio.run(Server(config).serve(sockets=[listener]))


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """A signal that was answered already."""


@contextlib.contextmanager
def _survive_signals() -> Generator[None]:
    """Uvicorn raises the signal again once it has stopped; here that must not cut the closing of the store short."""
    before = {number: signal.signal(number, _do_nothing) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _greet(console: Console, gate: Gate, url: str, *, demo: bool) -> None:
    first = gate.first_start()
    if first is not None and first.key is not None:
        console.note(f"Administrator's key (shown once): {first.key}")
    # A demo has no secrets, and whoever started it should not have to look for a key.
    if first is not None or demo:
        console.note(f"Sign in within 30 minutes, once: {url}{gate.login_path()}")
    if demo:
        console.note(f"The API describes itself at {url}/openapi.json")


def _url(listener: socket.socket) -> str:
    address: Any = listener.getsockname()
    host, port = str(address[0]), int(address[1])
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 — read
    return f"http://{host}:{port}"


@click.command(cls=Command)
@config_option
@click.pass_obj
def worker(console: Console, config: Path | None) -> None:
    """Carry out due work beside a server. Needs Postgres, and Chroma as a server, since both are then shared.

    \b
    Example:
      ACCORD_STORAGE__URL=postgresql://… ACCORD_MEMORY__URL=http://chroma:8000 accord worker
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    settings = load(config)
    _refuse_embedded(settings)
    from agents.runtime import build

    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    runtime = build(settings)
    try:
        runtime.start()
        console.answer({"ready": "worker"}, ["ready worker"])
        stop.wait()
    finally:
        runtime.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_embedded(settings: Settings) -> None:
    if settings.storage_url.startswith("sqlite"):
        raise ConfigError(
            "A worker needs a store that processes can share, and SQLite is for one process: `accord serve` works "
            "by itself there. For a separate worker set `storage.url` to postgresql://…"
        )
    if settings.memory.url == "chroma":
        raise ConfigError(
            "A worker needs recall that processes can share, and embedded Chroma is for one process. "
            "Set `memory.url` to a Chroma server (http://host:8000) or to `off`."
        )
