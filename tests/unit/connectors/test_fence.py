"""Foreign connectors behind their fence: what fails, hangs or lies becomes one of our errors, with its name kept."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import Actuator, Compensates, Compensation, Connector, Diff, Validates
from connectors.fence import CALLS_AT_ONCE, ExtensionStatus, fenced
from connectors.manifest import Manifest
from domain.actions import ActionSpec, Receipt
from domain.errors import Conflict, InputError, TerminalError, TransientError

SPEC = ActionSpec(kind="lamp.state.set", entity="asset:lamp", value="on", expect="off")


class Lamp:
    """Sound: does what it says."""

    def __init__(self) -> None:
        self.state = "off"

    def preview(self, action: ActionSpec) -> Diff:
        return Diff(action.kind, action.entity, self.state, action.value, None, drifted=False)

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        self.state = action.value
        return Receipt(idempotency_key=idempotency_key, at=datetime(2026, 3, 2, tzinfo=UTC))

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        return {action.kind: self.state}


class UndoableLamp(Lamp):
    def compensate(self, receipt: Receipt) -> Compensation:
        self.state = "off"
        return Compensation(done=True)


class WrongKey(Lamp):
    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        return super().apply(action, "another key")


class DeafLamp(Lamp):
    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        return super().apply(action.model_copy(update={"value": "off"}), idempotency_key)


class Failing(Lamp):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        raise self._error


class Hanging(Lamp):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        self.calls += 1
        threading.Event().wait()
        return {}


def behind(lamp: Lamp, limit_s: float = 2.0) -> tuple[Actuator, ExtensionStatus]:
    status = ExtensionStatus("accord.connectors", "lamp", "lamps:build")
    connector = fenced(Connector("own", Manifest(name="lamp", owner="me"), None, lamp), "hall", status, limit_s)
    assert connector.name == "hall"
    assert connector.source is None
    assert connector.actuator is not None
    return connector.actuator, status


def test_a_sound_connector_is_not_changed() -> None:
    actuator, status = behind(Lamp())
    assert actuator.apply(SPEC, "key").idempotency_key == "key"
    assert actuator.read_back(SPEC) == {"lamp.state.set": "on"}
    assert status.fault is None


def test_it_can_do_exactly_what_the_connector_can() -> None:
    assert not isinstance(behind(Lamp())[0], Compensates | Validates)
    assert isinstance(behind(UndoableLamp())[0], Compensates)
    assert not isinstance(behind(UndoableLamp())[0], Validates)


@pytest.mark.parametrize("liar", [WrongKey(), DeafLamp()])
def test_a_receipt_that_does_not_fit_leaves_the_outcome_unknown(liar: Lamp) -> None:
    actuator, status = behind(liar)
    with pytest.raises(TransientError) as raised:
        actuator.apply(SPEC, "key")
    assert raised.value.facts["outcome"] == "unknown"
    assert "gave a receipt" in (status.fault or "")


@pytest.mark.parametrize("error", [KeyError("token"), SystemExit("away")])
def test_what_is_no_error_of_ours_leaves_the_outcome_unknown_and_is_named(error: BaseException) -> None:
    actuator, status = behind(Failing(error))
    with pytest.raises(TransientError) as raised:
        actuator.apply(SPEC, "key")
    assert raised.value.facts["outcome"] == "unknown"
    assert type(error).__name__ in (status.fault or "")


@pytest.mark.parametrize(
    ("error", "raised"),
    [(Conflict("drifted"), Conflict), (TerminalError("no"), TerminalError), (InputError("bad"), TerminalError)],
)
def test_errors_of_ours_are_the_connectors_own_words_and_no_fault(error: Exception, raised: type[Exception]) -> None:
    actuator, status = behind(Failing(error))
    with pytest.raises(raised, match=str(error)):
        actuator.apply(SPEC, "key")
    assert status.fault is None


def test_what_hangs_leaves_few_threads_behind() -> None:
    lamp = Hanging()
    actuator, status = behind(lamp, limit_s=0.02)
    for _ in range(CALLS_AT_ONCE + 3):
        with pytest.raises(TransientError):
            actuator.read_back(SPEC)
    assert lamp.calls == CALLS_AT_ONCE
    assert "never came back" in (status.fault or "")
