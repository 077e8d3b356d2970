"""Asks every provider the same questions on a schedule, keeps what came back, and tells when it has changed.

Off unless `routing.canaries_h` says every how many hours. Local models are left out: their weights cannot change.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from domain.audit import Fact
from domain.errors import AccordError
from providers.drift import LATEST, TASK, CanaryRun, Shift, canaries, outlived, remembered, shifts, summed_up
from providers.registry import KEYLESS_VENDORS, Provider
from providers.types import ModelAnswer

if TYPE_CHECKING:
    from agents.parts import Runtime
    from providers.drift import Canary

log = logging.getLogger(__name__)

FLAG = "drift"
_DEADLINE_S = 30.0


class Observe(Protocol):
    """Told how well a provider did on a task (0..1), so that routing learns from canaries too."""

    def __call__(
        self, task: str, provider: Provider, quality: float, *, source: Literal["check"], at: datetime
    ) -> None: ...


class DriftState(BaseModel):
    """What is known of one provider's answers; `shifts` tells what has changed, `since` its first changed run."""

    model_config = ConfigDict(frozen=True)

    model: str
    runs: tuple[CanaryRun, ...] = ()
    shifts: tuple[Shift, ...] = ()
    since: datetime | None = None


class CanaryWatch:
    """Called every minute or so; asks whom it is time to ask."""

    def __init__(self, runtime: Runtime, observe: Observe | None = None) -> None:
        self._runtime = runtime
        self._observe = observe

    def __call__(self) -> None:
        every_h = self._runtime.settings.routing.canaries_h
        if every_h is None:
            return
        known = drift(self._runtime)
        for provider in self._runtime.gateway.registry.usable:
            if provider.spec.vendor in KEYLESS_VENDORS - {"scripted"}:
                continue
            state = known.get(provider.name)
            if state is None or state.model != provider.spec.model:
                state = DriftState(model=provider.spec.model)
            now = self._runtime.clock.now()
            if not state.runs or now - state.runs[-1].at >= timedelta(hours=every_h):
                self._ask(provider, state, now)

    def _ask(self, provider: Provider, state: DriftState, now: datetime) -> None:
        run = summed_up(now, self._answers(provider))
        if run is None:
            log.warning("no canary came back from %s", provider.name)
            return
        history = (*state.runs, run)
        found = () if outlived(history, state.since) else tuple(shifts(history, state.since))
        since = (state.since or history[-LATEST].at) if found else None
        runs = tuple(remembered(history, since))
        self._keep(provider.name, state, DriftState(model=state.model, runs=runs, shifts=found, since=since))
        if self._observe is not None:
            self._observe(TASK, provider, run.quality_rate, source="check", at=now)

    def _answers(self, provider: Provider) -> list[tuple[Canary, ModelAnswer]]:
        """What came back; a provider that answers some of them only is judged by those."""
        answers: list[tuple[Canary, ModelAnswer]] = []
        for canary in canaries():
            try:
                answers.append((canary, self._runtime.gateway.complete(canary.request(provider.name, _DEADLINE_S))))
            except AccordError as error:
                log.info("canary %s of %s: %s", canary.id, provider.name, error.detail)
        return answers

    def _keep(self, name: str, before: DriftState, after: DriftState) -> None:
        facts: list[Fact] = []
        if bool(before.shifts) != bool(after.shifts):
            verb = "provider.drifted" if after.shifts else "provider.steady"
            told = {"model": after.model, "shifts": [shift.model_dump() for shift in after.shifts]}
            facts = [Fact(at=after.runs[-1].at, actor="worker", verb=verb, subject=name, facts=told)]
        states = {**drift(self._runtime), name: after}
        text = {each: state.model_dump(mode="json") for each, state in states.items()}
        self._runtime.store.flags.set(FLAG, text, facts=facts)


def drift(runtime: Runtime) -> Mapping[str, DriftState]:
    """By provider: its canary runs, oldest first, and whether its answers have changed."""
    kept = runtime.store.flags.get(FLAG, {})
    return {name: DriftState.model_validate(state) for name, state in kept.items()}


def in_words(state: DriftState) -> str:
    """What has changed, for a person."""
    return ", ".join(_told(shift) for shift in state.shifts)


def _told(shift: Shift) -> str:
    match shift.what:
        case "quality":
            return f"right answers {shift.before:.0%} → {shift.now:.0%}"
        case "length":
            return f"a typical answer {shift.before:.0f} → {shift.now:.0f} signs"
