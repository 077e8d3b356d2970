"""What this machine can give a local model: memory and threads, and what the operator allows of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from domain.errors import ConfigError

_MEGABYTE = 1_000_000
_WORKING_BYTES = 300 * _MEGABYTE  # cache of a context of 4,096 tokens and buffers, as measured


def threads_for(environ: Mapping[str, str]) -> int:
    """`ACCORD_LOCAL_THREADS`, else all cores but one. Raises ConfigError."""
    # llama.cpp's threads spin: on busy cores, without one left alone, a call of 1 s took 30 s.
    return _number(environ, "ACCORD_LOCAL_THREADS") or max(1, (os.cpu_count() or 2) - 1)


def needed_bytes(size: int) -> int:
    """Memory that weights of `size` bytes take when loaded: at their highest half more than the file, and buffers."""
    return size + size // 2 + _WORKING_BYTES


def shortage(size: int, environ: Mapping[str, str], free: int | None = None) -> str | None:
    """Why weights of `size` bytes cannot be loaded into the `free` bytes; None when they fit or nothing is known.

    `ACCORD_LOCAL_MEMORY_MB` allows less than is free. Raises ConfigError when it is no number.
    """
    known = [free_bytes() if free is None else free]
    if allowed := _number(environ, "ACCORD_LOCAL_MEMORY_MB"):
        known.append(allowed * _MEGABYTE)
    limits = [limit for limit in known if limit is not None]
    if not limits or needed_bytes(size) <= min(limits):
        return None
    return (
        f"Needs {needed_bytes(size) / 1e9:.1f} GB of memory, and {min(limits) / 1e9:.1f} GB can be had. "
        "Choose a smaller one with ACCORD_LOCAL_MODEL (see `accord models list`)."
    )


def free_bytes(root: Path = Path("/")) -> int | None:
    """Memory that can be had now, by the kernel and by the container's limit; None where neither is told."""
    told = [value for value in (_of_machine(root), _of_container(root)) if value is not None]
    return min(told, default=None)


def _of_machine(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _of_container(root: Path) -> int | None:
    group = root / "sys/fs/cgroup"
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        return max(0, limit - int((group / "memory.current").read_text(encoding="ascii")))
    except (OSError, ValueError):
        return None  # no limit, or none that is told


def _number(environ: Mapping[str, str], variable: str) -> int | None:
    text = environ.get(variable, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"`{variable}` is {text!r}. Set it to a whole number from 1 on, or unset it.")
    return int(text)
