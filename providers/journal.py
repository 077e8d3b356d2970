"""Writes the account of calls from one thread: whatever waits together becomes one transaction of the store.

Records that nobody waits for may linger 50 ms, and are lost with the process if it is killed meanwhile; what a budget
covers is not: its reservation was written at once, before the call.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import TransientError
from providers.ledger import Posting, Refusal

log = logging.getLogger(__name__)

_LINGER_S = 0.05
_RETRY_S = 1.0
_TRIES = 5
_LARGEST = 500
_FLUSH_S = 5.0


class CallTable(Protocol):
    """The store's side, which the memory package has."""

    def write(self, postings: Sequence[Posting]) -> list[Refusal | None]:
        """One transaction. Writing a posting twice changes nothing."""
        ...


@dataclass(slots=True)
class _Entry:
    posting: Posting
    done: Future[Refusal | None] = field(default_factory=Future[Refusal | None])


class Journal:
    """A `CallLog` over `table`. Safe to share between threads; close it at the end, before the store."""

    def __init__(self, table: CallTable, *, linger_s: float = _LINGER_S) -> None:
        self._table = table
        self._linger_s = linger_s
        self._waiting: list[_Entry] = []
        self._change = threading.Condition()
        self._urgent = self._closing = False
        self._posted = self._written = 0
        self._thread: threading.Thread | None = None

    def post(self, posting: Posting) -> Future[Refusal | None]:
        """As `CallLog.post`. After `close`, what is posted is written before this returns."""
        entry = _Entry(posting)
        entry.done.set_running_or_notify_cancel()  # from here on nobody can cancel it
        with self._change:
            late = self._closing
            if not late:
                self._take_in(entry)
        if late:
            self._write([entry])
        return entry.done

    def flush(self) -> None:
        """Returns once all that was posted so far is written, or after 5 s."""
        with self._change:
            last = self._posted
            self._urgent = True
            self._change.notify_all()
            self._change.wait_for(lambda: self._written >= last, timeout=_FLUSH_S)

    def close(self) -> None:
        """Writes what waits. Posting stays possible."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _take_in(self, entry: _Entry) -> None:
        self._waiting.append(entry)
        self._posted += 1
        self._urgent = self._urgent or bool(entry.posting.limits)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="accord-journal", daemon=True)
            self._thread.start()
        if self._urgent or len(self._waiting) == 1:
            self._change.notify_all()

    def _run(self) -> None:
        while batch := self._next():
            self._write(batch)
            with self._change:
                self._written += len(batch)
                self._change.notify_all()

    def _next(self) -> list[_Entry]:
        """What is to be written together, in order; nothing once closed and all is written."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closing)
            self._change.wait_for(lambda: self._urgent or self._closing, timeout=self._linger_s)
            batch, self._waiting = self._waiting[:_LARGEST], self._waiting[_LARGEST:]
            self._urgent = any(entry.posting.limits for entry in self._waiting)
            return batch

    def _write(self, batch: list[_Entry]) -> None:
        """Tries again while the store is away; reservations are not kept waiting for it."""
        for number in range(_TRIES):
            error = self._attempt(batch)
            if error is None:
                return
            for entry in batch:
                if entry.posting.limits:
                    _fail(entry, error)
            batch = [entry for entry in batch if not entry.posting.limits]
            if not batch:
                return
            if number < _TRIES - 1:
                with self._change:
                    self._change.wait_for(lambda: self._closing, timeout=_RETRY_S)
        for entry in batch:
            # One that can never be written does not take the others with it.
            error = self._attempt([entry])
            if error is not None:
                _fail(entry, error)

    def _attempt(self, batch: list[_Entry]) -> Exception | None:
        try:
            refusals = self._table.write([entry.posting for entry in batch])
        except Exception as error:  # edge: whatever the database throws, the account goes on
            return error
        for entry, refusal in zip(batch, refusals, strict=True):
            entry.done.set_result(refusal)
        return None


def _fail(entry: _Entry, error: Exception) -> None:
    log.error("the call %s is not in the account: %s", entry.posting.id, error)
    failed = TransientError("The account of calls cannot be written. Check the store, then try again.")
    failed.__cause__ = error
    entry.done.set_exception(failed)
