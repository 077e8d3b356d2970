"""Foreign code that fails, lies or hangs is named and does not harm its neighbours."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import EntryPoint

import pytest

from agents.extensions import Extensions, load_extensions
from agents.rehearsal import rehearse
from domain.ports import View
from domain.situations import Finding, Situation

NOW = datetime(2026, 3, 4, tzinfo=UTC)
VIEW = rehearse([], NOW)


class Sound:
    name = "sound"

    def find(self, view: View) -> Iterable[Finding]:
        yield Finding(
            kind="own.kind", key="k", entities=(), onset=view.now, seen=view.now, title="t", summary="s", evidence=()
        )


class Raises(Sound):
    def find(self, view: View) -> Iterable[Finding]:
        raise SystemExit("away")


class Lies(Sound):
    def find(self, view: View) -> Iterable[Finding]:
        return ["not a finding"]  # type: ignore[list-item]


class Unwritable(Sound):
    """A fact that JSON does not know would stop the round when it is stored."""

    def find(self, view: View) -> Iterable[Finding]:
        return [finding.model_copy(update={"facts": {"rate": object()}}) for finding in super().find(view)]


class Widened(Sound):
    """A subclass with fields of its own, such as a Situation, is taken as the finding that it is."""

    def find(self, view: View) -> Iterable[Finding]:
        return [Situation.open(finding, view.now) for finding in super().find(view)]


class Hangs(Sound):
    def find(self, view: View) -> Iterable[Finding]:
        threading.Event().wait(30)
        return []


def points(*names: str) -> list[EntryPoint]:
    return [EntryPoint(name, f"{__name__}:{name}", "accord.detectors") for name in names]


@pytest.fixture
def loaded() -> Extensions:
    class Here(EntryPoint):
        def load(self) -> object:
            return globals()[self.name]

    found = points("Sound", "Raises", "Lies", "Hangs", "Unwritable", "Widened", "Sound")
    return load_extensions([Here(point.name, point.value, point.group) for point in found], limit_s=0.2)


def test_one_that_cannot_be_loaded_is_named() -> None:
    (status,) = load_extensions([EntryPoint("gone", "no_such_module:x", "accord.detectors")]).status
    assert status.name == "gone"
    assert "ModuleNotFoundError" in (status.fault or "")


def test_the_sound_one_works_beside_the_others(loaded: Extensions) -> None:
    found = {detector.name: list(detector.find(VIEW)) for detector in loaded.detectors}
    assert {name for name, findings in found.items() if findings} == {"Sound", "Widened"}
    assert found["Sound"][0].key == "Sound/k"
    faults = {status.name: status.fault for status in loaded.status[:-1]}
    assert faults["Sound"] is None
    assert "away" in (faults["Raises"] or "")
    assert "'str'" in (faults["Lies"] or "")
    assert "did not answer" in (faults["Hangs"] or "")


def test_findings_are_plain_values_that_can_be_stored(loaded: Extensions) -> None:
    found = {detector.name: list(detector.find(VIEW)) for detector in loaded.detectors}
    assert [type(finding) for finding in found["Widened"]] == [Finding]
    assert "Unable to serialize" in (loaded.status[4].fault or "")


def test_a_name_is_given_once(loaded: Extensions) -> None:
    assert [detector.name for detector in loaded.detectors].count("Sound") == 1
    assert "is taken" in (loaded.status[6].fault or "")


def test_what_hung_once_is_not_waited_for_again(loaded: Extensions) -> None:
    hanging = loaded.detectors[3]
    list(hanging.find(VIEW))
    list(hanging.find(VIEW))
    assert loaded.status[3].failures == 1
