"""What any simulated tool checks before it acts: that the value fits the kind and the state is as expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MONEY_KINDS = frozenset({"ads.budget.set", "ads.bid.set"})
SET_KINDS = MONEY_KINDS | {"ads.status.set", "account.play.set", "content.priority.set"}
CREATE_KINDS = frozenset({"content.brief.create", "task.create", "message.post", "experiment.start"})
ENTITY_OPTIONAL = frozenset({"content.brief.create", "message.post"})

_CHOICES = {
    "ads.status.set": ("active", "paused"),
    "account.play.set": ("educate", "verify", "expand", "pause"),
}
_FIELDS = {
    "content.brief.create": ("title", "kind", "topics", "stage"),
    "task.create": ("title",),
    "message.post": ("text",),
    "experiment.start": ("name", "treated", "control", "metric", "days"),
}


def refusal(action: Mapping[str, Any], state: Mapping[str, Any]) -> str | None:
    """Why `action` cannot be applied to an entity in `state`; None when it can.

    A state is set only if it is `expect` now; an action without the key `expect` asks for no check,
    `expect` None means "not set yet".
    """
    kind = str(action.get("kind"))
    if kind not in SET_KINDS | CREATE_KINDS:
        return f"unknown kind {kind!r}"
    if kind not in state:
        return f"{kind} does not apply to {action.get('entity')!r}"
    fault = _value_fault(kind, action.get("value"))
    if fault:
        return fault
    currency = action.get("currency")
    if kind in MONEY_KINDS and currency not in (None, state.get("currency", currency)):
        return f"currency is {state.get('currency')!r}, not {currency!r}"
    if kind in SET_KINDS and "expect" in action and action["expect"] != state[kind]:
        return f"drifted: {kind} is {state[kind]!r}, expected {action['expect']!r}"
    return None


def _value_fault(kind: str, value: object) -> str | None:
    if kind in _CHOICES:
        return None if value in _CHOICES[kind] else f"value must be one of {', '.join(_CHOICES[kind])}, got {value!r}"
    if kind in _FIELDS:
        lacking = [name for name in _FIELDS[kind] if not isinstance(value, Mapping) or name not in value]
        return f"value lacks {', '.join(lacking)}" if lacking else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return f"value must be an integer of 0 or more, got {value!r}"
    if kind == "content.priority.set" and value > 100:
        return f"value must lie in 0..100, got {value!r}"
    if kind == "ads.bid.set" and value == 0:
        return "a bid must be above 0"
    return None
