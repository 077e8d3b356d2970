"""Wall time: DBOS keeps the queue, the waiting and the recovery of two workflows, `reason` and `act`.

The truth stays in our tables: a workflow only asks what is due and waits. So losing the engine's
database loses no decision. Workers that share a store give signs of life; the actions of one that fell silent
are taken over, and the compare-and-set of each move makes a double look harmless.
"""

from __future__ import annotations

import logging
import os
import queue
import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from agents.drivers.port import Work
from domain.errors import AccordError, NotFound
from memory.database import plain_engine

log = logging.getLogger(__name__)

WORKFLOW_VERSION = "1"
"""Changed by hand when a workflow body changes; waiting actions are then taken over from the former version."""
BEAT_S = 2.0
"""Seconds between two signs of life of a worker, and between two looks for dead ones."""
SILENT_S = 10.0
"""After so many seconds without a sign of life a worker is taken for dead, and another goes on with its actions.

A wrong guess costs a repeated look: the compare-and-set of each move and the key of each effect make it harmless.
"""
SWEEP_S = 5.0
"""Seconds between looks for actions that are due and that no workflow here is carrying."""
LISTEN_EVERY = 12
"""Sweeps between two readings of the connected tools: a minute."""
WATCH_S = 60.0
"""Seconds between two looks whether the providers' canary questions are due."""
LOOK_EVERY = 6
"""Sweeps between two in which every due action is told to look again, in case its workflow was lost: half a minute."""
RETRY_S = 15.0
"""Wait before a tool that could not be reached is tried again."""
_LONGEST_WAIT_S = 3600.0
_LAST_LOOK_S = 5
"""How long a stop waits for workflows to let go."""
_WAKE = "wake"
_OPEN = ["PENDING", "ENQUEUED"]


def _wall() -> datetime:
    """Workers keep the machine's time among each other, whatever clock their company has."""
    return datetime.now(UTC)


class DueActions(Protocol):
    """The part of the store that the driver reads."""

    def due(self, now: datetime) -> list[str]: ...
    def waiting(self) -> list[str]: ...


class Heartbeats(Protocol):
    """How workers know of each other."""

    def beat(self, worker: str, at: datetime) -> None: ...
    def leave(self, worker: str) -> None: ...
    def alive(self, since: datetime) -> set[str]: ...


def worker_name() -> str:
    """A name that no other process has, for workers that share a store."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class WallTimeDriver:
    """Runs rounds when poked, at most one at a time, and one durable workflow per open action."""

    def __init__(
        self,
        actions: DueActions,
        now: Callable[[], datetime],
        engine_url: str,
        executor: str = "local",
        *,
        workers: Heartbeats | None = None,
        version: str = WORKFLOW_VERSION,
    ) -> None:
        """Without `workers` this process is the only one, and what it left undone is its own."""
        self._actions, self._now, self._workers, self._version = actions, now, workers, version
        self._engine_url, self._executor = engine_url, executor
        self._work: Work | None = None
        self._wanted, self._worded, self._stopping = threading.Event(), threading.Event(), threading.Event()
        self._awake: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._rounds = 0

    def start(self, work: Work) -> None:
        """Launch the engine, recover what was under way, and begin to listen."""
        self._work = work
        self._stopping.clear()
        self._beat()
        self._launch()
        loops = [self._round_loop, self._begin_loop, self._sweep_loop, self._word_loop, self._watch_loop]
        for loop in [*loops, self._beat_loop] if self._workers is not None else loops:
            thread = threading.Thread(target=loop, name=f"accord{loop.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._take_over()
        self.wake(self._actions.waiting())
        self.poke()

    def poke(self) -> None:
        self._wanted.set()

    def wake(self, actions: Iterable[str]) -> None:
        # Workflows are begun by a thread of their own: a step of one may not start another.
        for action in actions:
            self._awake.put(action)

    def stop(self) -> None:
        """Stop taking new work; workflows go on from their last step at the next start."""
        if self._work is None:
            return
        from dbos import DBOS

        self._stopping.set()
        self._wanted.set()
        self._worded.set()
        self._awake.put(None)
        # A model may take a minute to end its sentence; its words are not waited for.
        for thread in (each for each in self._threads if not each.name.endswith(("_word_loop", "_watch_loop"))):
            thread.join(timeout=10)
        self._threads.clear()
        # A thread that waits for days would keep the process from ending.
        for waiting in DBOS.list_workflows(name="act", status="PENDING", executor_id=self._executor):
            DBOS.send(waiting.workflow_id, "stop", _WAKE)
        DBOS.destroy(workflow_completion_timeout_sec=_LAST_LOOK_S, destroy_registry=True)
        self._engine.dispose()
        if self._workers is not None:
            self._workers.leave(self._executor)
        self._work = None

    def _launch(self) -> None:
        from dbos import DBOS, DBOSConfig
        from dbos._serialization import DBOSPortableJSONSerializer

        self._engine = plain_engine(self._engine_url)
        DBOS(
            config=DBOSConfig(
                name="accord",
                system_database_engine=self._engine,
                executor_id=self._executor,
                application_version=self._version,
                serializer=DBOSPortableJSONSerializer(),
                console_log_level="ERROR",
            )
        )

        @DBOS.step(name="look")
        def look(action: str) -> float | None:
            return self._look(action)

        @DBOS.step(name="round")
        def reason() -> None:
            self._reason()

        @DBOS.workflow(name="act")
        def act(action: str) -> str:  # pyright: ignore[reportUnusedFunction] — registered by its decorator
            while (wait_s := look(action)) is not None:
                DBOS.recv(_WAKE, timeout_seconds=wait_s)
            return "closed"

        @DBOS.workflow(name="reason")
        def reason_round(round_: str) -> str:
            reason()
            return round_

        self._act, self._reason_round = act, reason_round
        DBOS.launch()

    def _look(self, action: str) -> float | None:
        """Seconds until the next look, None when the action's life is over."""
        if self._work is None or self._stopping.is_set():
            return None  # the next start begins a workflow for every open action
        try:
            move = self._work.act(action)
        except NotFound:
            return None  # a modified proposal got new actions
        except AccordError as error:
            log.warning("action %s waits: %s", action, error.detail)
            return RETRY_S
        if move.kind == "close":
            return None
        rest_s = (move.until - self._now()).total_seconds() if move.until else _LONGEST_WAIT_S
        return min(max(rest_s, 0.05), _LONGEST_WAIT_S)

    def _reason(self) -> None:
        if self._work is not None:
            self._work.reason()
            self._worded.set()

    def _begin(self, action: str) -> None:
        """Start the action's workflow, or tell the running one to look again."""
        from dbos import DBOS, SetWorkflowID

        known = DBOS.list_workflows(workflow_id_prefix=action, name="act", load_input=False, load_output=False)
        running = [each for each in known if each.status in _OPEN]
        for each in running:
            DBOS.send(each.workflow_id, "look", _WAKE)
        if not running:
            with SetWorkflowID(f"{action}@{len(known)}" if known else action):
                DBOS.start_workflow(self._act, action)

    def _take_over(self) -> None:
        """Goes on with the actions of workers that are dead, and of former versions of this one.

        Their workflows are ended and begun anew: what is due stands in our tables, not in the engine's.
        """
        from dbos import DBOS

        alive = self._alive()
        for each in DBOS.list_workflows(name="act", status=_OPEN, load_input=False, load_output=False):
            ours = each.executor_id == self._executor
            if each.executor_id not in alive or (ours and each.app_version != self._version):
                log.warning("%s was carried by %s; it is taken over", each.workflow_id, each.executor_id)
                DBOS.cancel_workflow(each.workflow_id)
                self._awake.put(each.workflow_id.partition("@")[0])

    def _alive(self) -> set[str]:
        """This worker, and all that were heard of lately."""
        known = self._workers.alive(_wall() - timedelta(seconds=SILENT_S)) if self._workers is not None else set[str]()
        return known | {self._executor}

    def _beat(self) -> None:
        if self._workers is not None:
            self._workers.beat(self._executor, _wall())

    def _beat_loop(self) -> None:
        while not self._stopping.wait(BEAT_S):
            try:
                self._beat()
                self._take_over()
            except Exception:  # edge: the worker's loop outlives a failed sign of life
                log.exception("no sign of life could be given; the next one tries again")

    def _begin_loop(self) -> None:
        while (action := self._awake.get()) is not None:
            try:
                self._begin(action)
            except Exception:  # edge: the worker's loop outlives a failed start; the sweep finds the action again
                log.exception("action %s could not be begun", action)

    def _round_loop(self) -> None:
        from dbos import DBOS, SetWorkflowID

        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if self._stopping.is_set():
                return
            self._rounds += 1
            try:
                with SetWorkflowID(f"reason:{self._executor}:{self._now().isoformat()}:{self._rounds}"):
                    DBOS.start_workflow(self._reason_round, str(self._rounds)).get_result()
            except Exception:  # edge: the worker's loop outlives a failed round
                log.exception("a round failed; the next signal or sweep starts another")

    def _sweep_loop(self) -> None:
        sweeps, known = 0, set[str]()
        while not self._stopping.is_set():
            try:
                if self._work is not None and sweeps % LISTEN_EVERY == 0:
                    self._work.listen()
                due = self._actions.due(self._now())
                # Newly due without our doing: another process decided. One that was due before paces its own retries.
                self.wake(due if sweeps % LOOK_EVERY == 0 else [action for action in due if action not in known])
                known = set(due)
            except Exception:  # edge: the worker's loop outlives a failed sweep
                log.exception("a sweep failed; the next one tries again")
            sweeps += 1
            self._stopping.wait(SWEEP_S)

    def _word_loop(self) -> None:
        while not self._stopping.is_set():
            self._worded.wait()
            self._worded.clear()
            if self._work is None or self._stopping.is_set():
                return
            try:
                self._work.enrich()
            except Exception:  # edge: words are a comfort; their loss stops nothing
                log.exception("rewording failed; the rules' words stay")

    def _watch_loop(self) -> None:
        while not self._stopping.wait(WATCH_S):
            try:
                if self._work is not None:
                    self._work.watch()
            except Exception:  # edge: watching is a comfort; its loss stops nothing
                log.exception("the canary questions failed; the next time is in a minute")
