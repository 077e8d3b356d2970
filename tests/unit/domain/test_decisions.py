"""Decisions: what a request must say, and which answers are the same answer."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.decisions import DecisionKind, DecisionRequest, decision_id


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "approve"}, "fingerprint"),
        ({"decision": "perhaps", "fingerprint": "f"}, "decision"),
        ({"decision": "approve", "fingerprint": "f", "force": True}, "force"),
        ({"decision": "approve", "fingerprint": "f", "reason": "x" * 4001}, "reason"),
        ({"decision": "modify", "fingerprint": "f", "actions": [{"kind": "ads.budget.set", "value": "x"}]}, "actions"),
    ],
)
def test_a_malformed_request_names_the_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        DecisionRequest.model_validate(body)


def test_a_repeat_is_the_same_decision_and_any_difference_another() -> None:
    first = decision_id("prop_1", "ana", DecisionKind.APPROVE, "f")
    assert first == decision_id("prop_1", "ana", DecisionKind.APPROVE, "f")
    others = {
        decision_id("prop_2", "ana", DecisionKind.APPROVE, "f"),
        decision_id("prop_1", "bob", DecisionKind.APPROVE, "f"),
        decision_id("prop_1", "ana", DecisionKind.REJECT, "f"),
        decision_id("prop_1", "ana", DecisionKind.APPROVE, "g"),
    }
    assert len(others | {first}) == 5
