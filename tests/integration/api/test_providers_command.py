"""`accord providers` without a server: one real call to a peer, and what the log then tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.cli import run
from tests.peer import faults
from tests.peer.faults import OK
from tests.peer.server import running

Ask = Callable[..., Any]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    def asked(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert run([*words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    with running(lambda _case, name: [faults.status(401) if name == "locked" else OK]) as peer:
        base = f"{peer.url}/command/all"
        known = {"model": "openai/gpt-5-mini", "api_key_env": "PEER_KEY"}
        config = {
            "sandbox": {"world": "empty"},
            "memory": {"url": "off"},
            "providers": [
                {"name": "main", "api_base": f"{base}/main/v1", **known},
                {"name": "locked", "api_base": f"{base}/locked/v1", **known},
                {"name": "keyless", "model": "openai/gpt-5-mini", "api_key_env": "NO_SUCH_KEY"},
                {"name": "dark", "api_base": f"{base}/dark/v1", **known, "model": "openai/nobody-knows"},
            ],
            "budgets": [{"scope": "provider:main", "month": 5}, {"scope": "provider:gone", "month": 5}],
        }
        (tmp_path / "accord.yaml").write_text(json.dumps(config), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PEER_KEY", "sk-of-the-peer")
        yield asked


def test_a_call_is_told_attempt_by_attempt_and_stands_in_the_log(ask: Ask) -> None:
    answered = ask("providers", "test", "main")
    assert (answered["answered"], [one["outcome"] for one in answered["attempts"]]) == (True, ["answered"])
    refused = ask("providers", "test", "locked", code=1)
    assert {one["error_code"] for one in refused["attempts"]} == {"unauthorised"}
    assert ask("providers", "test", "nobody", code=1)["error"]["code"] == "not_found"

    found = ask("providers")
    main, locked, keyless, dark = found["items"]
    assert (found["live"], found["recent"], main["health"]) == (False, [], None)
    assert (main["answered"], main["failures"], main["latency"]["p50_s"] > 0) == (1, {}, True)
    assert (locked["answered"], list(locked["failures"])) == (0, ["unauthorised"])
    assert float(main["spent"]) + float(main["budget_left"]) == pytest.approx(5)
    assert main["price"]["source"].startswith("table of 20")
    assert "NO_SUCH_KEY" in keyless["missing"]
    assert dark["price"] is None
    assert (main["quality"], main["drift"]) == (None, None)


def test_the_doctor_names_what_costs_money_or_helps_nobody(ask: Ask) -> None:
    checks = {check["name"]: check for check in ask("doctor")["checks"]}
    assert checks["price dark"]["level"] == "warn"
    assert "confidential" in checks["data classes"]["detail"]
    assert checks["budget provider:gone"]["level"] == "warn"
    assert checks["budget provider:main"]["level"] == "ok"
    assert "fx: {USD: …}" in checks["fx USD"]["fix"]
    assert {name for name in checks if name.startswith("reach")} == set()
    reached = {check["name"]: check["level"] for check in ask("doctor", "--online")["checks"]}
    assert (reached["reach main"], reached["reach locked"]) == ("ok", "warn")
