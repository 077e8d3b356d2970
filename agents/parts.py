"""The parts of a running Accord, as every use case receives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.clock import Clock, ManualClock
from agents.drivers.port import Driver, Work
from agents.policies import Policies, PolicyHistory
from agents.settings import Settings
from agents.tools import Tools
from agents.trust import TrackRecord
from connectors.fence import ExtensionStatus
from domain.ports import Detector, Specialist
from domain.signals import SignalData
from memory.recall import Recall
from memory.store import Store
from providers.gateway import Gateway
from providers.routing.learned import LearnedRouter

if TYPE_CHECKING:
    from agents.graph import Graph


@dataclass(frozen=True, slots=True)
class Runtime:
    """A wired Accord. Use cases take it as their first argument."""

    settings: Settings
    clock: Clock
    store: Store
    tools: Tools
    gateway: Gateway
    router: LearnedRouter
    recall: Recall
    policies: Policies
    policy_history: PolicyHistory
    track_record: TrackRecord
    detectors: tuple[Detector, ...]
    outside_detectors: tuple[Detector, ...]
    """A second set, since detectors keep state: it looks at what untrusted senders told besides."""
    specialists: tuple[Specialist, ...]
    signal_types: Mapping[str, type[SignalData]]
    extensions: tuple[ExtensionStatus, ...]
    graph: Graph
    driver: Driver
    _work: Callable[[Runtime], Work]
    _resources: ExitStack

    def start(self) -> None:
        """Begin to work: what waits in the store is taken up."""
        # Event time recalls by words alone: what is indexed by when would depend on the machine.
        if not isinstance(self.clock, ManualClock):
            self.recall.start()
        self.driver.start(self._work(self))

    def close(self) -> None:
        """Stop the driver and let go of every file and connection."""
        self.driver.stop()
        self._resources.close()
