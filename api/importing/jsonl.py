"""Signals from files of JSON lines, read one by one; a broken line is named and passed over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.errors import InputError

_KEPT_FAULTS = 20


class JsonLines:
    """The events of a `.jsonl` file, or of every one in a folder by name. Counts what it read and what it could not."""

    def __init__(self, path: Path) -> None:
        self._files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not self._files:
            raise InputError(f"{path}: there is no .jsonl file. Write one with `accord import … --out`.")
        self.read, self.rejected = 0, 0
        self.faults: list[str] = []

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        self.read, self.rejected, self.faults = 0, 0, []
        for path in self._files:
            yield from self._of_file(path)

    def _of_file(self, path: Path) -> Iterator[Mapping[str, Any]]:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    event = json.loads(line)
                except ValueError as error:
                    self._reject(f"{path}:{number}: {error}. Write one JSON object per line.")
                    continue
                if not isinstance(event, dict):
                    self._reject(f"{path}:{number}: {str(event)[:60]!r} is no event. Write one JSON object per line.")
                    continue
                self.read += 1
                yield event

    def _reject(self, fault: str) -> None:
        self.rejected += 1
        if len(self.faults) < _KEPT_FAULTS:
            self.faults.append(fault)
