"""Serves the whole catalogue in a process of its own: `python -m tests.peer` prints its address and a refusing port."""

from __future__ import annotations

import asyncio

from tests.peer.drive import script
from tests.peer.server import Peer, closed_port


def main() -> None:
    peer = Peer(script)
    with closed_port() as refused:
        asyncio.run(peer.serve(lambda: print(peer.url, refused, flush=True)))  # noqa: T201 - this is how it is found


main()
