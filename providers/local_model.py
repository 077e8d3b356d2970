"""The local model: llama.cpp's own HTTP server inside this process, started at the first call, spoken to as OpenAI.

It listens on 127.0.0.1 at a free port with a key of its own. On two cores the first call takes 10 to 40 s (the prompt
is read), later ones with the same static beginning 2 to 8 s.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from domain.errors import AccordError
from providers.adapter import Adapter
from providers.capacity import shortage, threads_for
from providers.deadlines import Deadlines
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.turns import Turns
from providers.types import ModelRequest, Piece
from providers.weights import weights_path

CONTEXT_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a started server answers; `api_base` ends in `/v1`."""

    api_base: str
    api_key: str


class _Listening(Protocol):
    listening_address: str


_kept: list[object] = []


class LocalServer:
    """One model in memory (up to 2 GB for the 1.5B), loaded once however many threads ask first."""

    def __init__(self, weights: Path, environ: Mapping[str, str] | None = None) -> None:
        self._weights = weights
        self._environ = environ or {}
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self._server: _Listening | None = None
        self._calls = 0
        self._broken_off = False
        self._key = secrets.token_urlsafe(24)

    def endpoint(self) -> Endpoint:
        """The address, after starting the server if need be. Raises TerminalError when it cannot be started."""
        with self._loading:
            if self._server is None:
                self._server = self._start(self._weights)
            return Endpoint(f"{self._server.listening_address}/v1", self._key)

    def _start(self, weights: Path) -> _Listening:
        if not weights.is_file():
            raise failure(
                Fault.UNAVAILABLE,
                f"No model weights at {str(weights)!r}. Run `accord models pull`, or set ACCORD_LOCAL_MODEL.",
            )
        threads, short = threads_for(self._environ), shortage(weights.stat().st_size, self._environ)
        if short is not None:
            raise failure(Fault.UNAVAILABLE, f"{weights.name!r} does not fit. {short}")
        xllamacpp = importlib.import_module("xllamacpp")

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(weights)
        parameters.n_ctx = CONTEXT_TOKENS
        parameters.n_parallel = 1
        parameters.use_jinja = True
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.api_keys = [self._key]
        parameters.verbosity = 0
        try:
            return xllamacpp.Server(parameters)
        except (RuntimeError, ValueError) as error:
            raise failure(
                Fault.UNAVAILABLE, f"{weights.name!r} cannot be loaded: {str(error)!r}. Pull the weights anew."
            ) from error

    @contextmanager
    def answering(self) -> Generator[Endpoint]:
        """The address for one call; a server that is answering is not freed under it.

        Where a caller has left, the engine may go on for a while; the next whole answer shows that it has stopped.
        """
        endpoint = self.endpoint()
        with self._lock:
            self._calls += 1
        whole = False
        try:
            yield endpoint
            whole = True
        finally:
            with self._lock:
                self._calls -= 1
                self._broken_off = not whole

    def close(self) -> None:
        """Frees the model; a later call loads it again. One that is still answering, or being loaded, is kept, see
        `still_answering`.
        """
        if not self._loading.acquire(blocking=False):
            _kept.append(self)
            return
        self._loading.release()
        with self._lock:
            if (self._calls or self._broken_off) and self._server is not None:
                _kept.append(self._server)
            self._server = None


def still_answering() -> bool:
    """Whether a model was let go in the middle of an answer, or of being loaded.

    Its engine cannot be interrupted and is waited for when it is freed, so that the process has to end without that.
    """
    return bool(_kept)


class LocalAdapter:
    """Answers for `local/NAME` providers by starting the server of NAME and calling it over `http`."""

    def __init__(self, http: Adapter, environ: Mapping[str, str]) -> None:
        self._http = http
        self._environ = environ
        self._servers: dict[str, LocalServer] = {}
        self._turns: dict[str, Turns] = {}
        self._lock = threading.Lock()

    async def prepare(self, provider: Provider) -> None:
        """Loads the weights, which takes seconds."""
        await _in_the_background(self._server(provider).endpoint)
        await self._http.prepare(provider)

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        answer = self._answer(provider, request, limits, prefix)
        async with self._turn(provider).taken(), aclosing(answer) as pieces:
            async for piece in pieces:
                yield piece

    async def _answer(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str
    ) -> AsyncGenerator[Piece]:
        with self._server(provider).answering() as endpoint:
            spec = provider.spec.model_copy(
                update={"model": f"openai/{provider.spec.model_name}", "api_base": endpoint.api_base}
            )
            local = replace(provider, spec=spec, api_key=endpoint.api_key)
            async with aclosing(self._http.stream(local, request, limits, prefix)) as pieces:
                async for piece in pieces:
                    yield piece

    def _server(self, provider: Provider) -> LocalServer:
        name = provider.spec.model_name
        with self._lock:
            return self._servers.setdefault(name, LocalServer(weights_path(name, self._environ), self._environ))

    def _turn(self, provider: Provider) -> Turns:
        with self._lock:
            return self._turns.setdefault(provider.spec.model_name, Turns(provider.name))

    def close(self) -> None:
        with self._lock:
            for server in self._servers.values():
                server.close()
            self._servers.clear()


async def _in_the_background(work: Callable[[], object]) -> None:
    """Waits for `work` in a thread that nothing else waits for: a process that ends does not load a model first."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def told(error: AccordError | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def run() -> None:
        failed = None
        try:
            work()
        except AccordError as error:
            failed = error
        with suppress(RuntimeError):  # the loop is gone, and whoever waited with it
            loop.call_soon_threadsafe(told, failed)

    threading.Thread(target=run, name="accord-load", daemon=True).start()
    await done


def local_missing(name: str, environ: Mapping[str, str]) -> str | None:
    """What the local model `name` lacks to be started here; None when nothing."""
    if environ.get("ACCORD_LOCAL_MODEL") == "off":
        return "Switched off. Unset ACCORD_LOCAL_MODEL to use it."
    if importlib.util.find_spec("xllamacpp") is None:
        return "The engine is not installed. Install Accord with the extra `local`."
    weights = weights_path(name, environ)
    if not weights.is_file():
        return f"No weights. Run `accord models pull {name}`."
    return shortage(weights.stat().st_size, environ)
