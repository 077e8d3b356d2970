from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import ConfigError
from providers.capacity import free_bytes, needed_bytes, shortage, threads_for
from providers.facts import known


def test_threads_are_what_the_operator_says_else_all_cores_but_one() -> None:
    assert threads_for({"ACCORD_LOCAL_THREADS": "3"}) == 3
    assert threads_for({}) >= 1
    for wrong in ("0", "-1", "two", "1.5"):
        with pytest.raises(ConfigError, match="ACCORD_LOCAL_THREADS"):
            threads_for({"ACCORD_LOCAL_THREADS": wrong})


def test_a_model_that_does_not_fit_says_what_it_needs_and_what_to_do() -> None:
    size = known().weights["qwen2.5-coder-1.5b"].size
    assert shortage(size, {}, free=needed_bytes(size)) is None
    told = shortage(size, {}, free=needed_bytes(size) - 1)
    assert told is not None
    assert "Needs 2.0 GB" in told
    assert "ACCORD_LOCAL_MODEL" in told
    assert "1.5 GB can be had" in str(shortage(size, {"ACCORD_LOCAL_MEMORY_MB": "1500"}, free=10**11))


def test_the_smaller_of_machine_and_container_counts(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   2000 kB\n")
    assert free_bytes(tmp_path) == 2_048_000
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("1000\n")
    assert free_bytes(tmp_path) == 2_048_000
    (group / "memory.max").write_text("5000\n")
    assert free_bytes(tmp_path) == 4_000
