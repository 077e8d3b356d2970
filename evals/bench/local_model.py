"""Measures the default local model as a user meets it: pull, import, first and later calls, over the whole gateway.

Run it by hand: `python evals/bench/local_model.py [NAME]`. It downloads up to 1.1 GB into the user's cache when absent.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from pydantic import BaseModel, Field

from providers.ledger import InMemoryCallLog, Ledger
from providers.opening import open_gateway
from providers.types import Message, ProviderSpec
from providers.weights import DEFAULT_NAME, ProgressBar, models_dir, pull

T = TypeVar("T")
STATIC = """You sort notes on lost deals. Answer with JSON only: the reason and a short quote.
Note: "The CISO wanted our SOC 2 report and we had none." {"reason": "security", "quote": "wanted our SOC 2 report"}
Note: "Twice what they pay today." {"reason": "price", "quote": "Twice what they pay today"}
Note: "The board asked for a payback period, no case study." {"reason": "roi_proof", "quote": "asked for a payback"}"""
NOTES = (
    ("Procurement failed us on the missing ISO 27001 certificate.", "security"),
    ("Ils trouvent l'offre trop chère pour cette année.", "price"),
    ("The CFO could not see hard numbers on the return.", "roi_proof"),
    ("Budget was cut by a third, our quote did not fit.", "price"),
    ("Leur responsable sécurité refuse l'hébergement hors d'Europe.", "security"),
)


class Reason(BaseModel):
    reason: Literal["security", "price", "roi_proof"]
    quote: str = Field(max_length=60)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result of `work` and the seconds it took."""
    began = time.monotonic()
    result = work()
    return result, round(time.monotonic() - began, 2)


def main(name: str) -> None:
    """Print one JSON object of seconds and of answers that were right."""
    _, pull_s = timed(
        lambda: pull(
            name, models_dir(os.environ), progress=ProgressBar(name), warn=lambda text: print(text, file=sys.stderr)
        )
    )
    spec = ProviderSpec(name="local", model=f"local/{name}")
    calls_s: list[float] = []
    right = 0
    with open_gateway([spec], Ledger(InMemoryCallLog(), currency="EUR", fx={}), os.environ) as gateway:
        for note, reason in NOTES:
            messages = [Message(role="system", content=STATIC), Message(role="user", content=f'Note: "{note}"')]
            (value, answer), seconds = timed(
                lambda given=messages: gateway.ask("classify", Reason, given, max_tokens=120)
            )
            calls_s.append(seconds)
            right += value.reason == reason
            print(f"{seconds:6.2f} s {value!r} {answer.usage!r}", file=sys.stderr)
    load = round(os.getloadavg()[0], 1)
    figures = {
        "pull_s": pull_s,
        "first_call_s": calls_s[0],
        "later_calls_s": calls_s[1:],
        "right": right,
        "load_1min": load,
    }
    print(json.dumps({"model": name, "of": len(NOTES), **figures}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_NAME)
