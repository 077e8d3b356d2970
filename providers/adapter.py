"""The port between the gateway and whatever answers: one try at one provider, nothing more."""

from __future__ import annotations

from typing import Protocol

from providers.registry import Provider
from providers.types import ModelRequest, Reply


class Adapter(Protocol):
    """Retries, fallback, budgets and validation of the answer are the gateway's."""

    def complete(self, provider: Provider, request: ModelRequest, *, deadline_s: float) -> Reply:
        """One whole answer within `deadline_s`. Raises an error of `providers.faults` when there is none."""
        ...
