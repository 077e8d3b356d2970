"""What every test may rely on: no keys, no network beyond this machine, shared data if it is there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

_IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def _forget_the_outside() -> None:
    """Drop keys, proxies and settings of the person's shell, and tell vendors not to call home."""
    for name in list(os.environ):
        if name.upper().endswith(("_API_KEY", "_PROXY")) or name.startswith("ACCORD_"):
            del os.environ[name]
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["ANONYMIZED_TELEMETRY"] = "False"


def _stay_on_this_machine(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: a connection or look-up that would leave the machine fails as an unreachable host does."""
    if event == "socket.connect":
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if isinstance(host, str) and host and host not in _LOOPBACK:
        raise PermissionError(f"a test tried to reach {host!r}. Use a fake or a server on 127.0.0.1.")


# Before any test module is imported: vendors read their environment at import.
_forget_the_outside()
sys.addaudithook(_stay_on_this_machine)

hypothesis.settings.register_profile(
    "accord", deadline=None, derandomize=_IN_CI, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("accord")


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    """The repository."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """The folder of public data sets beside the repository; tests that need it skip where it is absent."""
    path = root.parent / "shared"
    if not path.is_dir():
        pytest.skip("no ../shared beside the repository")
    return path


def _skipped(config: pytest.Config) -> list[Any]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return [] if reporter is None else reporter.stats.get("skipped", [])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed run: nothing may hide behind a missing file or library."""
    if _IN_CI and session.exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was skipped where that fails the run."""
    if not _IN_CI:
        return
    for report in _skipped(config):
        terminalreporter.write_line(f"SKIPPED COUNTS AS FAILED (CI=true): {report.nodeid}", red=True)
