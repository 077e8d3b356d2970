"""The one place where everything is wired: settings in, a running Accord out. Tests and evals override parts here."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.clock import Clock, ManualClock, WallClock, WorldClock
from agents.drivers.event_time import EventTimeDriver
from agents.drivers.port import Driver
from agents.extensions import load_extensions
from agents.parts import Runtime
from agents.policies import Policies, PolicyHistory
from agents.recalling import RecalledContext
from agents.settings import RoutingSettings, SandboxSettings, Settings, secret
from agents.told_names import ToldNames
from agents.tools import Tools
from agents.trust import TrackRecord
from agents.vault import Vault
from agents.work import work_of
from connectors.fence import ExtensionStatus
from connectors.registry import Factory, load_registry
from connectors.sandbox.factory import sandbox_factory
from connectors.sandbox.host import Host
from connectors.sandbox.log import WorldHeld
from connectors.sandbox.world import World, load_world
from domain.ports import Detector, Specialist
from domain.signals import BUILT_IN_TYPES
from memory.recall import Recall
from memory.store import Store
from memory.workers import Workers
from providers.cache import ExactCache
from providers.deadlines import Deadlines
from providers.journal import Journal
from providers.ledger import Ledger
from providers.opening import open_gateway
from providers.pricing import STATED_RATES
from providers.registry import default_specs
from providers.routing.belief import FORGOTTEN
from providers.routing.learned import LearnedRouter, Manner, Observation
from providers.telemetry import Spans
from providers.types import Budget, ProviderSpec

if TYPE_CHECKING:
    from providers.adapter import Adapter

AUDIT_KEY = "ACCORD_AUDIT_KEY"


@dataclass(frozen=True, slots=True)
class Overrides:
    """Parts that take the place of the configured ones."""

    clock: Clock | None = None
    scripted: Adapter | None = None
    in_memory: bool = False
    """Keep store and sandbox in memory: nothing is left behind."""
    beside: bool = False
    """A simulated company that another process holds is only looked at: for one question beside a server."""


def build(settings: Settings, overrides: Overrides | None = None) -> Runtime:
    """A runtime in wall time; `start` begins its work. Raises ConfigError for whatever cannot be opened."""
    from agents.drivers.wall_time import WallTimeDriver, worker_name

    def driver(store: Store, clock: Clock) -> Driver:
        if store.database.embedded:
            return WallTimeDriver(store.actions, clock.now, _engine_url(settings))
        workers = Workers(store.database)
        return WallTimeDriver(store.actions, clock.now, _engine_url(settings), worker_name(), workers=workers)

    return _wire(settings, overrides or Overrides(), driver)


def build_event_time(
    settings: Settings, clock: ManualClock, *, in_memory: bool = False, scripted: Adapter | None = None
) -> Runtime:
    """A runtime in event time, started: `clock` is moved by the caller, who then asks the driver to `run_due`.

    `scripted` answers for `scripted/…` providers.
    """

    def driver(store: Store, clock: Clock) -> Driver:
        return EventTimeDriver(store.actions.due, clock.now)

    runtime = _wire(settings, Overrides(clock=clock, in_memory=in_memory, scripted=scripted), driver)
    runtime.start()
    return runtime


def _wire(settings: Settings, overrides: Overrides, make_driver: Any) -> Runtime:
    from agents.detectors import built_in_detectors
    from agents.graph import build_graph
    from agents.specialists import built_in_specialists

    resources = ExitStack()
    settings.home.mkdir(parents=True, exist_ok=True)
    store = resources.enter_context(
        Store.open("sqlite://" if overrides.in_memory else settings.storage_url, audit_key=audit_key(settings))
    )
    host = _host(settings, overrides)
    clock = overrides.clock or (WorldClock(host.now) if host and settings.sandbox.world == "demo" else WallClock())
    tools, kinds = _tools(settings, host, clock)
    resources.callback(tools.close)
    router = _router(settings.routing, store)
    gateway = resources.enter_context(_gateway(settings, store, router, overrides.scripted, resources))
    recall = Recall(store.database, settings.memory.url, settings.home)
    resources.callback(recall.close)
    history = PolicyHistory(store, clock)
    detectors, specialists = built_in_detectors(), built_in_specialists()
    limit_s, names = settings.extensions.limit_s, tuple(_names(detectors, specialists))
    extensions = load_extensions(limit_s=limit_s, taken=names)
    # A broken extension is loaded, and told of, once.
    again = load_extensions(limit_s=limit_s, taken=names).detectors if extensions.detectors else []
    specialists = (*specialists, *extensions.specialists)
    return Runtime(
        settings=settings,
        clock=clock,
        store=store,
        tools=tools,
        gateway=gateway,
        router=router,
        recall=recall,
        policies=Policies(settings.policy, history.keep),
        policy_history=history,
        track_record=TrackRecord(store, history),
        detectors=(*detectors, *extensions.detectors),
        outside_detectors=(*built_in_detectors(), *again),
        specialists=specialists,
        signal_types={**extensions.signals, **BUILT_IN_TYPES},
        extensions=(*extensions.status, *kinds),
        graph=build_graph(RecalledContext(recall), gateway, specialists),
        driver=make_driver(store, clock),
        _work=work_of,
        _resources=resources,
    )


def _names(detectors: Iterable[Detector], specialists: Iterable[Specialist]) -> Iterator[tuple[str, str]]:
    """What extensions may not call themselves."""
    yield from (("accord.detectors", detector.name) for detector in detectors)
    yield from (("accord.specialists", specialist.name) for specialist in specialists)
    yield from (("accord.signals", type_) for type_ in BUILT_IN_TYPES)


def _tools(settings: Settings, host: Host | None, clock: Clock) -> tuple[Tools, tuple[ExtensionStatus, ...]]:
    """The connected tools, and how each connector kind of another package fares."""
    built_in: dict[str, Factory] = {"sandbox": sandbox_factory(host, clock.now)} if host else {}
    configured = {name: {"kind": c.kind, **c.options} for name, c in settings.connectors.items()}
    registry = load_registry(built_in, limit_s=settings.extensions.connector_limit_s)
    connectors, broken = registry.build_all(configured)
    vault = Vault({name: c.secrets for name, c in settings.connectors.items()}, secret)
    return Tools(connectors, broken, host, vault), registry.status


def _host(settings: Settings, overrides: Overrides) -> Host | None:
    """The simulated company, opened only when a sandbox connector is configured."""
    if not any(connector.kind == "sandbox" for connector in settings.connectors.values()):
        return None
    path: Path | str = ":memory:" if overrides.in_memory else settings.below_home("sandbox.db")
    try:
        return Host(path, world_of(settings.sandbox), settings.sandbox.seed)
    except WorldHeld:
        if not overrides.beside:
            raise
        return Host(path, world_of(settings.sandbox), settings.sandbox.seed, look=True)


def world_of(sandbox: SandboxSettings) -> World:
    """The world that the configuration names."""
    match sandbox.world:
        case "demo":
            from connectors.sandbox.company.demo import DEFAULT_START, DemoCompany

            return DemoCompany(weeks=sandbox.weeks, start=sandbox.start or DEFAULT_START)
        case "empty":
            from connectors.sandbox.empty import EmptyCompany

            return EmptyCompany()
        case name:
            return load_world(name)


def _gateway(
    settings: Settings, store: Store, router: LearnedRouter, scripted: Adapter | None, resources: ExitStack
) -> Any:
    specs = [_spec(spec, settings) for spec in settings.providers or default_specs(os.environ)]
    currency = settings.objective.currency
    budgets = [Budget(scope=b.scope, month=Decimal(str(b.month))) for b in settings.budgets]
    stated = {name: Decimal(str(rate)) for name, rate in settings.fx.items()}
    rates = {**STATED_RATES.get(currency, {}), **stated}
    journal = Journal(store.calls)
    resources.callback(journal.close)
    store.calls.read_after(journal.flush)
    ledger = Ledger(journal, currency=currency, fx=rates, budgets=budgets)
    routing = settings.routing
    deadlines = Deadlines(routing.first_token_s, routing.inter_chunk_s, routing.total_s)
    return open_gateway(
        specs,
        ledger,
        os.environ,
        scripted=scripted,
        router=router,
        deadlines=deadlines,
        hedge=routing.hedge,
        observers=(Spans(), router),
        cache=ExactCache() if routing.cache == "exact" else None,
        names=ToldNames(store.tree),
    )


def _router(routing: RoutingSettings, store: Store) -> LearnedRouter:
    """Starts from what was observed in the year that can still weigh."""
    manner = Manner(routing.prefer, routing.explore_rate, frozenset(routing.critical_tasks))
    observed = store.qualities.since(datetime.now(UTC) - FORGOTTEN)
    known = [Observation(q.task, q.provider, q.model, q.quality, q.weight, q.source, q.at, q.id) for q in observed]
    return LearnedRouter(manner, known=known, kept=store.qualities)


def _spec(spec: ProviderSpec, settings: Settings) -> ProviderSpec:
    """With `routing.pseudonyms` every provider gets placeholders, but a model of this process, which tells nobody."""
    hides = spec.vendor != "local" and (spec.pseudonyms or settings.routing.pseudonyms)
    return spec.model_copy(update={"pseudonyms": hides})


def _engine_url(settings: Settings) -> str:
    """Where the workflow engine keeps its own rows: a file beside SQLite's, the same server on Postgres."""
    if settings.storage_url.startswith("sqlite"):
        return f"sqlite:///{settings.below_home('workflows.db').absolute()}"
    return settings.storage_url


def audit_key(settings: Settings) -> bytes:
    """The key of the audit chain: from the environment, else made once and kept below ACCORD_HOME."""
    given = secret(AUDIT_KEY)
    if given:
        return given.encode()
    path = settings.below_home("audit.key")
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
    return path.read_text(encoding="utf-8").strip().encode()
