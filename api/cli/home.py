"""One server for one ACCORD_HOME: its embedded store, simulated tools and index belong to a single process."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

from domain.errors import ConfigError

LOCK = "serving.lock"
_ADDRESS = "serving.url"


@contextlib.contextmanager
def held(home: Path) -> Generator[None]:
    """Holds `home` until the process ends, however it ends. Raises ConfigError when another server holds it."""
    with contextlib.closing(_opened(home)) as lock:
        try:
            # SQLite's own lock works on every platform, and the system lets go of it when the process dies.
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise ConfigError(
                f"Another `accord serve` runs on {str(home)!r}. Stop it, or set ACCORD_HOME to another directory."
            ) from error
        yield


def _opened(home: Path) -> sqlite3.Connection:
    try:
        home.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(home / LOCK, timeout=0, isolation_level=None)
    except (OSError, sqlite3.OperationalError) as error:
        raise ConfigError(f"Cannot write to {str(home)!r}: {error}. Set ACCORD_HOME to a directory you own.") from error


@contextlib.contextmanager
def announced(home: Path, url: str) -> Generator[None]:
    """Leaves the server's address in `home` while it runs, for commands beside it."""
    path = home / _ADDRESS
    home.mkdir(parents=True, exist_ok=True)
    path.write_text(url, encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def serving(home: Path) -> str | None:
    """The address of the server on `home`; a server that was killed leaves one behind that does not answer."""
    try:
        return (home / _ADDRESS).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
