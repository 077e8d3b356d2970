"""Independent streams of chance: one generator per purpose and day, so that an action never shifts another draw."""

from __future__ import annotations

import unicodedata
import zlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def dice(seed: int, stream: str, day: int = 0) -> np.random.Generator:
    """The generator of `stream` on `day`; equal arguments give equal draws, whatever happened before."""
    return np.random.default_rng([seed, zlib.crc32(stream.encode()), day])


def autoregressive(rng: np.random.Generator, days: int, width: int, phi: float, sd: float) -> Floats:
    """Stationary AR(1) series, shape (days, width), with standard deviation `sd` at each day."""
    shocks = rng.normal(0.0, sd * np.sqrt(1 - phi**2), (days, width))
    shocks[0] = rng.normal(0.0, sd, width)
    for day in range(1, days):
        shocks[day] += phi * shocks[day - 1]
    return shocks


def slug(text: str) -> str:
    """Lower-case ASCII with dashes, for ids and e-mail addresses."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join("".join(c if c.isalnum() else " " for c in plain.lower()).split())
