"""The peer as a process of its own, so that what a caller costs is not mixed with what the vendor costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.peer.drive import Place

ROOT = Path(__file__).parents[2]


class Remote:
    """A peer elsewhere, asked over its control routes."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)

    async def visits(self, address: str) -> list[dict[str, Any]]:
        return (await self._client.get(f"/-/visits/{address}")).json()

    async def count(self, address: str) -> int:
        return len(await self.visits(address))

    async def forget(self) -> None:
        """Empties the log and starts every script anew."""
        await self._client.post("/-/forget")

    async def close(self) -> None:
        await self._client.aclose()


@asynccontextmanager
async def elsewhere() -> AsyncGenerator[tuple[Place, Remote]]:
    """A peer in a process of its own, for as long as the block lasts."""
    command = [sys.executable, "-m", "tests.peer"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: ASYNC220 - once, at the start
        assert process.stdout is not None
        url, refused = process.stdout.readline().split()
        remote = Remote(url)
        try:
            yield Place(url, int(refused), remote.count), remote
        finally:
            await remote.close()
            process.terminate()
