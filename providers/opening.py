"""Opens a gateway from configuration: the one place where adapters, registry and ledger are put together."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import partial

from providers.adapter import Adapter
from providers.cache import ExactCache
from providers.candidates import AsListed, Router
from providers.deadlines import Deadlines
from providers.gateway import Gateway
from providers.ledger import Ledger
from providers.litellm_adapter import LitellmAdapter
from providers.local_model import LocalAdapter, local_missing
from providers.names import NameIndex
from providers.parts import Clock, Observer, Parts
from providers.registry import build_registry
from providers.transport import Pool
from providers.types import ProviderSpec
from providers.veiled import Names, VeiledAdapter


@contextmanager
def open_gateway(  # noqa: PLR0913 - each is a seam of its own
    specs: Iterable[ProviderSpec],
    ledger: Ledger,
    environ: Mapping[str, str],
    *,
    scripted: Adapter | None = None,
    router: Router | None = None,
    deadlines: Deadlines | None = None,
    hedge: bool = False,
    observers: Iterable[Observer] = (),
    cache: ExactCache | None = None,
    names: Names = NameIndex,
    clock: Clock | None = None,
    pool: Pool | None = None,
) -> Generator[Gateway]:
    """A gateway over `specs`; connections and local models are closed with it. Nothing is started before a call.

    `scripted` answers for `scripted/…` providers; `names` are hidden from those with `pseudonyms`; a `pool` of the
    caller's own is the caller's to close. Raises ConfigError for what the configuration gets wrong.
    """
    http = LitellmAdapter(pool)
    local = LocalAdapter(http, environ)
    adapters: dict[str, Adapter] = {"local": local, "*": VeiledAdapter(http, names)}
    if scripted is not None:
        adapters["scripted"] = VeiledAdapter(scripted, names)
    gateway: Gateway | None = None
    try:
        parts = Parts(
            registry=build_registry(specs, environ, local_missing=partial(local_missing, environ=environ)),
            adapters=adapters,
            ledger=ledger,
            router=router or AsListed(),
            deadlines=deadlines or Deadlines(),
            hedge=hedge,
            observers=tuple(observers),
            cache=cache,
            clock=clock or Clock(),
        )
        gateway = Gateway(parts)
        yield gateway
    finally:
        if gateway is not None:
            gateway.close()
        local.close()
