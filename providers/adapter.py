"""The port between the gateway and whatever answers: one try at one provider, nothing more."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from providers.deadlines import Deadlines
from providers.registry import Provider
from providers.types import ModelRequest, Piece


class Adapter(Protocol):
    """Retries, fallback, budgets, deadlines and the check of the answer are the gateway's. Called from any loop."""

    async def prepare(self, provider: Provider) -> None:
        """Whatever takes long once and is no silence of the vendor: an import, weights to load. Raises as `stream`."""
        ...

    def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        """The pieces of one answer as they come, its `Reply` last, and only when the vendor's end marker came.

        With a `prefix` the answer goes on from there, without repeating it. Raises an error of `providers.faults`.
        """
        ...
