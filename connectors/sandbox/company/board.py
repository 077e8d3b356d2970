"""The content board: assets with a place in the queue, made one after the other with limited hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from connectors.sandbox.company.dice import dice, slug
from connectors.sandbox.company.words import ASSETS, REASONS

_DRAFT_RATE = 0.4  # share of the hours after which an idea is a draft
_HELP_DAYS = 4.0  # time constant with which sales takes up a published asset
_HELP_FLOOR, _HELP_SLOPE = 0.1, 0.75  # how much of a hazard an asset of priority 0 removes, and what priority adds


@dataclass(frozen=True, slots=True)
class Asset:
    """One piece of content. `daily_value` (major units) is what it earns by reach once published."""

    id: str
    title: str
    kind: str
    topics: tuple[str, ...]
    stage: str
    status: str
    priority: int
    hours: float
    worked: float
    daily_value: float


class Board:
    """State of all assets; `help_rate` is the share of each loss hazard that content removes today."""

    def __init__(self, seed: int) -> None:
        rng = dice(seed, "board")
        self.assets = {asset.id: asset for asset in _draw_assets(rng)}
        self.hours_per_week = float(rng.integers(24, 41))
        self.help_rate = self._target()
        self._brief_hours = float(rng.integers(12, 25))

    def prioritise(self, asset: str, priority: int) -> None:
        # Lived again without its brief, a company lacks the asset that a later action ranks.
        if asset in self.assets:
            self.assets[asset] = replace(self.assets[asset], priority=priority)

    def add(self, brief: Mapping[str, Any]) -> Asset:
        """Queue an asset for `brief` (title, kind, topics, stage); its id follows from the title."""
        title = str(brief["title"])
        name = f"asset:{slug(title) or 'brief'}"
        same = sum(known == name or known.startswith(f"{name}--") for known in self.assets)
        asset = Asset(
            f"{name}--{same + 1}" if same else name, title, str(brief["kind"]), tuple(brief["topics"]),
            str(brief["stage"]), "queued", 60, self._brief_hours, 0.0, 10.0,
        )  # fmt: skip
        self.assets[asset.id] = asset
        return asset

    def step(self, weekday: int) -> tuple[list[Asset], float]:
        """One day of work: assets whose status changed, and what published content earned (major units)."""
        hours = self.hours_per_week / 5 if weekday < 5 else 0.0
        changed: list[Asset] = []
        open_assets = [a for a in self.assets.values() if a.status != "published"]
        for asset in sorted(open_assets, key=lambda a: (-a.priority, a.id)):
            if hours <= 0:
                break
            spent = min(hours, asset.hours - asset.worked)
            hours -= spent
            grown = _grown(asset, spent)
            self.assets[asset.id] = grown
            if grown.status != asset.status:
                changed.append(grown)
        self.help_rate = self.help_rate + (self._target() - self.help_rate) / _HELP_DAYS
        return changed, sum(a.daily_value for a in self.assets.values() if a.status == "published")

    def _target(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        target = np.zeros(len(REASONS))
        for asset in self.assets.values():
            if asset.status != "published":
                continue
            for topic in asset.topics:
                if topic in REASONS:
                    place = REASONS.index(topic)
                    target[place] = max(target[place], _HELP_FLOOR + _HELP_SLOPE * asset.priority / 100)
        return target


def _grown(asset: Asset, hours: float) -> Asset:
    worked = asset.worked + hours
    status = "draft" if worked >= _DRAFT_RATE * asset.hours else asset.status
    if worked >= asset.hours - 1e-9:
        status = "published"
    return replace(asset, worked=worked, status=status)


def _draw_assets(rng: np.random.Generator) -> list[Asset]:
    """Brand stories lead the queue, proof waits at its end: the habit that the losses will show to be wrong."""
    drawn: list[Asset] = []
    for title, kind, topics, stage in ASSETS:
        brand = "brand" in topics or "market" in topics
        status = ("idea", "queued", "published")[int(rng.choice(3, p=(0.2, 0.5, 0.3) if brand else (0.35, 0.3, 0.35)))]
        drawn.append(
            Asset(
                f"asset:{slug(title)}", title, kind, topics, stage, status,
                priority=int(rng.integers(45, 80)) if brand else int(rng.integers(5, 40)),
                hours=float(rng.integers(8, 30)), worked=0.0, daily_value=round(float(rng.uniform(15, 90)), 2),
            )
        )  # fmt: skip
    return drawn
