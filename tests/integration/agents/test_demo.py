"""Three weeks of the demo company: whatever it did was authorised first, and done once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.demo import DemoProgress, as_served, open_demo, run_demo
from agents.replay import everything
from agents.settings import MemorySettings, SandboxSettings, Settings


def test_every_effect_of_the_demo_was_authorised(tmp_path: Path, assert_traced: Any) -> None:
    runtime = run_demo(Settings(home=tmp_path), weeks=3)
    try:
        assert list(everything(runtime.store.effects.page)), "nothing happened, so nothing was shown"
        assert_traced(runtime.store, runtime.tools.host())
    finally:
        runtime.close()


def test_a_served_demo_goes_on_where_it_was_cut_and_leaves_commands_its_settings(tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def cut(passed: DemoProgress) -> None:
        days.append(passed.done)
        if len(days) == 3:
            raise Cut

    days: list[int] = []
    settings = Settings(home=tmp_path, memory=MemorySettings(url="off"), sandbox=SandboxSettings(seed=5))
    with pytest.raises(Cut):
        open_demo(settings, weeks=1, watch=cut)
    open_demo(settings, weeks=1, watch=cut).close()
    runtime = open_demo(settings, weeks=1, watch=cut)
    runtime.close()
    assert days == [0, 1, 2, *range(2, 8)]
    assert as_served(settings.model_copy(update={"sandbox": SandboxSettings()})) == runtime.settings
