"""What works and what does not, each with the way to mend it: for `doctor`, `/readyz` and the pages."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from domain.errors import AccordError
from domain.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.parts import Runtime

LEAST_FREE_BYTES = 500_000_000


class HealthCheck(Record):
    """One thing looked at. `needed` ones decide readiness; others only cost comfort."""

    name: str
    ok: bool
    needed: bool
    detail: str
    fix: str = ""


def checks(runtime: Runtime) -> list[HealthCheck]:
    """Every check, in the order a person would want to mend them."""
    return [
        _store(runtime),
        _disk(runtime),
        _policy(runtime),
        *_connectors(runtime),
        *_providers(runtime),
        *_drift(runtime),
        *_extensions(runtime),
    ]


def _store(runtime: Runtime) -> HealthCheck:
    try:
        count = runtime.store.signals.count()
    except AccordError as error:
        fix = "Check `storage.url`, then run `accord migrate`."
        return HealthCheck(name="store", ok=False, needed=True, detail=error.detail, fix=fix)
    return HealthCheck(name="store", ok=True, needed=True, detail=f"{count} signals at {_redacted(runtime)}")


def _redacted(runtime: Runtime) -> str:
    return runtime.store.engine.url.render_as_string(hide_password=True)


def _disk(runtime: Runtime) -> HealthCheck:
    free = shutil.disk_usage(runtime.settings.home).free
    fix = "" if free >= LEAST_FREE_BYTES else "Free some space, or move ACCORD_HOME to a larger disk."
    return HealthCheck(
        name="disk", ok=not fix, needed=True, detail=f"{free / 1e9:.1f} GB free at {runtime.settings.home}", fix=fix
    )


def _policy(runtime: Runtime) -> HealthCheck:
    policy = runtime.policies.current()
    fault = runtime.policies.fault
    if fault is not None:
        fix = "Mend the file; until then the last good policy stays in force."
        return HealthCheck(name="policy", ok=False, needed=False, detail=fault, fix=fix)
    source = runtime.settings.policy or "the built-in one, which asks for everything"
    return HealthCheck(
        name="policy", ok=True, needed=False, detail=f"{len(policy.rules)} rules, version {policy.version}: {source}"
    )


def _connectors(runtime: Runtime) -> Iterator[HealthCheck]:
    for name, connector in runtime.tools.connectors.items():
        acts = len(connector.manifest.kinds) if connector.actuator is not None else 0
        detail = f"reads: {'yes' if connector.source else 'no'}; acts on {acts} kinds"
        yield HealthCheck(name=f"connector {name}", ok=True, needed=False, detail=detail)
    for name, reason in runtime.tools.broken.items():
        fix = f"Mend `connectors.{name}` in the configuration."
        yield HealthCheck(name=f"connector {name}", ok=False, needed=False, detail=reason, fix=fix)


def _providers(runtime: Runtime) -> Iterator[HealthCheck]:
    lacking = runtime.gateway.registry.lacking
    for provider in runtime.gateway.registry.providers:
        missing = lacking.get(provider.name)
        yield HealthCheck(
            name=f"provider {provider.name}",
            ok=missing is None,
            needed=False,
            detail=missing or f"{provider.spec.model} can be called",
            fix="Without any provider Accord works by rules alone and says so." if missing else "",
        )


def _drift(runtime: Runtime) -> Iterator[HealthCheck]:
    from agents.drift import drift, in_words

    for name, state in drift(runtime).items():
        if state.runs:
            yield HealthCheck(
                name=f"answers of {name}",
                ok=not state.shifts,
                needed=False,
                detail=f"changed: {in_words(state)}, since {state.since:%Y-%m-%d %H:%M}"
                if state.since
                else "as before",
                fix="Compare it with the others by `accord eval providers`, or take it out." if state.shifts else "",
            )


def _extensions(runtime: Runtime) -> Iterator[HealthCheck]:
    for status in runtime.extensions:
        yield HealthCheck(
            name=f"extension {status.group.removeprefix('accord.')}/{status.name}",
            ok=status.fault is None,
            needed=False,
            detail=status.fault or f"{status.group} from {status.origin}",
            fix="Mend or uninstall that package; Accord goes on without it." if status.fault else "",
        )
