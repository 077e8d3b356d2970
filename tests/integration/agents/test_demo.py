"""Three weeks of the demo company: whatever it did was authorised first, and done once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents.demo import run_demo
from agents.replay import everything
from agents.settings import Settings


def test_every_effect_of_the_demo_was_authorised(tmp_path: Path, assert_traced: Any) -> None:
    runtime = run_demo(Settings(home=tmp_path), weeks=3)
    try:
        assert list(everything(runtime.store.effects.page)), "nothing happened, so nothing was shown"
        assert_traced(runtime.store, runtime.tools.host())
    finally:
        runtime.close()
