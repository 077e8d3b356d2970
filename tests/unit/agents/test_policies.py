"""The policy in force: faults name their line, and a broken edit never takes the last good policy away."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.policies import DEFAULT_POLICY, Policies, load_policy
from domain.errors import ConfigError
from domain.policy import VerdictKind

GOOD = """limits: {daily_spend_moved: 5000, max_step_rate: 0.2}
rules:
  - id: small
    match: {kind: ads.budget.set, delta_abs_max: 500}
    verdict: auto
  - {id: budgets, match: {kind: ads.budget.set}, verdict: ask, roles: [finance], quorum: 2}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    return file


def test_without_a_file_everything_asks() -> None:
    assert Policies(None).current() == DEFAULT_POLICY
    assert {rule.verdict for rule in DEFAULT_POLICY.rules} == {VerdictKind.ASK}


def test_every_policy_that_comes_into_force_is_kept_once(path: Path) -> None:
    kept: list[str] = []
    policies = Policies(path, lambda policy: kept.append(policy.version))
    first = policies.current().version
    assert policies.current().version == first
    path.write_text(GOOD.replace("5000", "50"))
    second = policies.current().version
    path.write_text("rules: [")
    policies.current()
    assert kept == [first, second]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("verdict: auto", "verdict: perhaps", "line 5: `rules.0.verdict`"),
        ("delta_abs_max: 500", "delta_abs_max: -1", "line 4: `rules.0.match.delta_abs_max`"),
        ("quorum: 2", "quorum: 0", "line 6: `rules.1.quorum`"),
        ("quorum: 2", "qourum: 2", "line 6: `rules.1.qourum`"),
        ("    verdict: auto\n", "", "line 3: `rules.0.verdict`"),
        ("max_step_rate: 0.2", "max_step_rate: often", "line 1: `limits.max_step_rate`"),
        ("id: budgets", "id: small", "rule id 'small' stands twice"),
        ("rules:\n", "rules: [\n", "line "),
    ],
)
def test_a_fault_is_named_with_its_line(path: Path, old: str, new: str, named: str) -> None:
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as raised:
        load_policy(path)
    assert named in raised.value.detail
    with pytest.raises(ConfigError):
        Policies(path)


def test_an_edit_is_in_force_at_once_and_a_broken_one_keeps_the_last_good_policy(path: Path) -> None:
    policies = Policies(path)
    path.write_text(GOOD.replace("5000", "50"))
    edited = policies.current()
    assert (edited.limits.daily_spend_moved, policies.fault) == (50, None)
    path.write_text(GOOD.replace("verdict: auto", "verdict: perhaps"))
    assert policies.current() == edited
    assert "line 5" in (policies.fault or "")
    path.write_text(GOOD)
    assert policies.current().limits.daily_spend_moved == 5000
    assert policies.fault is None


def test_a_file_that_vanishes_keeps_the_last_good_policy(path: Path) -> None:
    policies = Policies(path)
    before = policies.current()
    path.unlink()
    assert policies.current() == before
    assert policies.fault is not None
