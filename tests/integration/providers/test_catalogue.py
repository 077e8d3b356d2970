"""The whole catalogue of vendors' failures through the gateway, over real sockets, judged by the vendors' own log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.peer.catalogue import CASES
from tests.peer.drive import Place, script, twice_judged, warmed_up
from tests.peer.ours import our_gateway
from tests.peer.server import closed_port, running


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running(script) as peer, closed_port() as refused:
        yield Place(peer.url, refused, peer.count)


def test_every_case_ends_right(place: Place) -> None:
    """One test, since the cases run beside each other: told apart they would take ten times as long."""

    async def run() -> list[str]:
        await warmed_up(our_gateway(), place)
        found = await twice_judged(CASES, our_gateway(), place)
        return [str(one) for one in found if not one.passed]

    assert asyncio.run(run()) == []


def test_the_catalogue_is_as_wide_as_it_says() -> None:
    assert len({case.id for case in CASES}) == len(CASES) > 800
    assert {case.source for case in CASES} >= {
        f"S{number:02}" for number in (*range(1, 7), *range(7, 16)) if number != 10
    }
