"""The peer itself: it breaks as it says, keeps a true log, and its judgement finds a client that believes too much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.peer import faults
from tests.peer.answers import TEXT
from tests.peer.cases import Judgement
from tests.peer.catalogue import BY_ID
from tests.peer.drive import Place, judged, script
from tests.peer.faults import Fault
from tests.peer.faults import Place as At
from tests.peer.rivals import bare_httpx
from tests.peer.server import Peer, closed_port, running
from tests.peer.wires import Wire

WIRES = tuple(Wire)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with running(script) as started:
        yield started


def judge(peer: Peer, case: str) -> Judgement:
    """What the judgement says of a client that takes every stream that ends for whole."""
    with closed_port() as refused:
        place = Place(peer.url, refused, peer.count)
        return asyncio.run(judged(BY_ID[case], bare_httpx(20.0), place, "run", kinds=False))


def ended(peer: Peer) -> list[str]:
    """How the visits ended, once they have: the vendor notes it a moment after the client knows."""
    for _ in range(500):
        if all(visit.ended != "going" for visit in peer.visits):
            break
        time.sleep(0.01)
    return [visit.ended for visit in peer.visits]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("asks", ["ok", "tool", "schema"])
def test_what_is_in_order_is_read_by_any_client(peer: Peer, wire: Wire, mode: str, asks: str) -> None:
    assert judge(peer, f"{wire}.{mode}.{asks}").passed
    assert ended(peer) == ["whole"]


@pytest.mark.parametrize("wire", WIRES)
def test_a_client_that_takes_a_cut_stream_for_whole_is_caught(peer: Peer, wire: Wire) -> None:
    found = judge(peer, f"{wire}.stream.cut-clean-mid")
    assert found.lied
    assert not found.passed


def test_a_call_too_many_is_caught(peer: Peer) -> None:
    with closed_port() as refused:
        place = Place(peer.url, refused, peer.count)
        case = BY_ID["openai.plain.ok"]
        found = [asyncio.run(judged(case, bare_httpx(20.0), place, "run", kinds=False)) for _ in range(2)]
    assert [one.passed for one in found] == [True, False]
    assert "p0 was called 2 times" in str(found[1])


def test_a_client_that_leaves_is_seen(peer: Peer) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{peer.url}/run/openai.plain.silent/p0/v1/chat/completions",
            json={"messages": [{"role": "user"}]},
            timeout=0.3,
        )
    assert ended(peer) == ["left"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.RESET, httpx.ReadError),
        (faults.CLOSED, httpx.RemoteProtocolError),
        (faults.GARBAGE, httpx.RemoteProtocolError),
        (faults.half_chunk(At.MID), httpx.RemoteProtocolError),
        (faults.cut(At.MID, faults.End.RESET), httpx.ReadError),
        (faults.PROMISING_MORE, httpx.RemoteProtocolError),
        (faults.GZIP_CUT, None),
    ],
)
def test_bytes_break_as_named(fault: Fault, error: type[httpx.HTTPError] | None) -> None:
    with running(lambda *_: (fault,)) as peer:
        body = {
            "messages": [{"role": "user", "content": "?"}],
            "stream": "chunk" in fault.name or "cut (" in fault.name,
        }
        url = f"{peer.url}/run/any/p0/v1/chat/completions"
        if error is None:
            assert TEXT not in httpx.post(url, json=body).text
            return
        with pytest.raises(error):
            httpx.post(url, json=body)
