"""Looking back with the policy in force changes nothing; with another it says what would have been otherwise."""

from __future__ import annotations

from typing import Any

from agents.hindsight import look_back
from agents.policies import load_policy


def test_the_policy_that_judged_judges_the_same_again(company: Any) -> None:
    asked, small = company.ask(), company.ask("budget:b", 1_040)
    company.answer(asked)
    company.work(hours=1)
    frozen = company.ask("budget:frozen", 1_010)
    found = look_back(company.runtime, company.runtime.policies.current(), 90)
    assert (found.proposals, found.changed) == (3, ())
    assert found.was == found.would_be == {"auto": 1, "ask": 1, "deny": 1}
    assert (found.moved_by_itself_minor, found.most_in_a_day_minor) == (4_000, 19_000)
    assert {small.verdict.kind, frozen.verdict.kind} == {"auto", "deny"}


def test_a_bolder_policy_lets_run_until_its_own_sums_are_reached(company: Any) -> None:
    for budget in ("budget:a", "budget:b", "budget:c"):
        company.ask(budget, 1_180)
    bolder = company.policy.with_name("bolder.yaml")
    bolder.write_text(company.policy.read_text().replace("delta_abs_max: 50", "delta_abs_max: 200"))
    found = look_back(company.runtime, load_policy(bolder), 90)
    assert [(one.was, one.would_be, one.rule) for one in found.changed] == [
        ("ask", "auto", "small"),
        ("ask", "auto", "small"),
        ("ask", "deny", "limits.daily_spend_moved"),
    ]
    assert found.most_in_a_day_minor == 36_000


def test_what_is_older_is_left_out(company: Any) -> None:
    company.ask()
    company.work(days=40)
    assert look_back(company.runtime, company.runtime.policies.current(), 30).proposals == 0
