"""The model hub as a source: resuming, refusing what is not the file, and being away."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from domain.errors import TerminalError, TransientError
from providers.facts import Weights
from providers.weights import HubSource, verify

FILE = bytes(range(256)) * 4096  # 1 MiB
WANTED = Weights(
    sha256=hashlib.sha256(FILE).hexdigest(), size=len(FILE), hub_path="Some/Model/file.gguf", pins="", licence="MIT"
)


class Hub(BaseHTTPRequestHandler):
    ranges: list[str | None]
    ignores_ranges = False
    content = FILE
    breaks_after: int | None = None

    def do_GET(self) -> None:
        wanted = self.headers.get("range")
        self.ranges.append(wanted)
        start = 0 if wanted is None or self.ignores_ranges else int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200 if self.path.endswith("/Some/Model/file.gguf") else 404)
        self.send_header("content-length", str(len(self.content) - start))
        self.end_headers()
        self.wfile.write(self.content[start : self.breaks_after])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Quiet."""


@pytest.fixture
def hub() -> Generator[tuple[type[Hub], str]]:
    handler = type("OneHub", (Hub,), {"ranges": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_address[1]}/mirror/"
        server.shutdown()
        thread.join()


def test_a_download_that_broke_goes_on_where_it_stopped(hub: tuple[type[Hub], str], tmp_path: Path) -> None:
    handler, address = hub
    part, told = tmp_path / "x.part", list[int]()
    handler.breaks_after = 700_000
    with pytest.raises(TransientError, match="ACCORD_MODEL_HUB"):
        HubSource(address).fetch(WANTED, part, lambda done, _: told.append(done))
    have = part.stat().st_size
    handler.breaks_after = None
    HubSource(address).fetch(WANTED, part, lambda done, _: told.append(done))
    verify(part, WANTED)
    assert handler.ranges == [None, f"bytes={have}-"]
    assert 0 < have <= 700_000
    assert (told == sorted(told), told[-1]) == (True, len(FILE))


def test_a_hub_that_ignores_ranges_is_read_from_the_start(hub: tuple[type[Hub], str], tmp_path: Path) -> None:
    handler, address = hub
    handler.ignores_ranges = True
    (tmp_path / "x.part").write_bytes(b"half of something")
    HubSource(address).fetch(WANTED, tmp_path / "x.part", lambda *_: None)
    verify(tmp_path / "x.part", WANTED)


def test_more_than_the_file_is_refused(hub: tuple[type[Hub], str], tmp_path: Path) -> None:
    handler, address = hub
    handler.content = FILE * 2
    with pytest.raises(TerminalError, match="more than"):
        HubSource(address).fetch(WANTED, tmp_path / "x.part", lambda *_: None)


def test_a_hub_without_the_file_or_away_is_a_transient_fault(hub: tuple[type[Hub], str], tmp_path: Path) -> None:
    elsewhere = WANTED.model_copy(update={"hub_path": "Other/file.gguf"})
    with pytest.raises(TransientError):
        HubSource(hub[1]).fetch(elsewhere, tmp_path / "x.part", lambda *_: None)
    for address in ("http://127.0.0.1:9", "no address"):
        with pytest.raises(TransientError):
            HubSource(address).fetch(WANTED, tmp_path / "x.part", lambda *_: None)
