"""How often a pick stays when a text is typed differently but means the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from evals.routing.recorded import Recorded, split
from providers.routing.quality import QualityModel

TYPO_RATE = 0.02
"""Share of letters that are swapped with their neighbour."""


def spaced(text: str, draw: random.Random) -> str:
    """Doubled spaces and line breaks, and space at both ends."""
    return "  " + "".join(f"{mark} " if mark == " " and draw.random() < 0.3 else mark for mark in text) + "\n"


def cased(text: str, draw: random.Random) -> str:
    """A third of the words in capitals."""
    return " ".join(word.upper() if draw.random() < 1 / 3 else word for word in text.split(" "))


def mistyped(text: str, draw: random.Random) -> str:
    """Neighbouring letters swapped."""
    marks = list(text)
    for place in range(len(marks) - 1):
        if marks[place].isalpha() and marks[place + 1].isalpha() and draw.random() < TYPO_RATE:
            marks[place], marks[place + 1] = marks[place + 1], marks[place]
    return "".join(marks)


NOISES: Mapping[str, Callable[[str, random.Random], str]] = {"spacing": spaced, "case": cased, "typos": mistyped}


def unchanged_share(recorded: Recorded, seed: int) -> dict[str, float]:
    """By kind of noise, the share of test queries whose model stays, on average over three trade-offs."""
    train, test = (recorded.take(rows) for rows in split(len(recorded.ids), seed))
    model = QualityModel.fit(train.texts, train.tasks, train.scores, train.costs)
    mean = float(train.costs.mean()) or 1.0
    trade_offs = [share / mean for share in (0.0, 0.01, 0.1)]
    clean = model.expect(test.texts, test.tasks)
    found: dict[str, float] = {}
    for name, noise in NOISES.items():
        draw = random.Random(seed)  # noqa: S311 — no secret
        noisy = model.expect([noise(text, draw) for text in test.texts], test.tasks)
        same = [((clean[0] - t * clean[1]).argmax(1) == (noisy[0] - t * noisy[1]).argmax(1)).mean() for t in trade_offs]
        found[name] = round(float(sum(same) / len(same)), 4)
    return found
