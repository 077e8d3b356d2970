"""Text as a few numbers: hashed words and word pairs, weighted by rarity, on the main directions of the seen texts.

Case, spacing, digits' values and accents' encodings do not count, so that they do not change a route.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
BUCKETS = 1 << 15
DIRECTIONS = 200
_EXTRA = 16  # columns beyond DIRECTIONS that make the random range finder accurate (Halko et al., 0909.4061)
_RARE = 2  # texts that must share a bucket before it counts
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")


def words(text: str) -> list[str]:
    """Words in lower case, compatibility forms joined, every digit a 0."""
    return _WORD.findall(_DIGIT.sub("0", unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=1 << 18)
def _bucket(term: str) -> int:
    return zlib.crc32(term.encode("utf-8", "replace")) % BUCKETS


def counted(text: str) -> dict[int, float]:
    """Damped counts (1 + log n) of the buckets of words and neighbouring pairs."""
    found: dict[int, int] = {}
    before = ""
    for word in words(text):
        for term in (word, f"{before} {word}") if before else (word,):
            place = _bucket(term)
            found[place] = found.get(place, 0) + 1
        before = word
    return {place: 1.0 + math.log(count) for place, count in found.items()}


@dataclass(frozen=True, slots=True)
class Directions:
    """`rarity` weighs each bucket (0: too rare to count); `axes` has a row for each bucket, a column a direction."""

    rarity: Matrix
    axes: NDArray[np.float32]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> tuple[Directions, Matrix]:
        """The main directions of `texts`, and the texts along them. The same texts give the same directions."""
        rows = _matrix(texts)
        shared: Any = np.bincount(rows.indices, minlength=BUCKETS)
        rarity = np.where(shared >= min(_RARE, len(texts)), np.log((1 + len(texts)) / (1 + shared)) + 1, 0.0)
        scaled = _unit(rows, rarity)
        count = min(DIRECTIONS + _EXTRA, len(texts))
        draw = np.random.default_rng(0).standard_normal((len(texts), count))
        span = np.linalg.qr(scaled @ (scaled.T @ (scaled @ (scaled.T @ draw))))[0]
        axes = _axes(np.asarray(scaled.T @ span))
        return cls(rarity, axes.astype(np.float32)), np.asarray(scaled @ axes)

    def along(self, texts: Sequence[str]) -> Matrix:
        """Each text's place along the directions, (texts, directions)."""
        return np.stack([self.place(text) for text in texts]) if texts else np.zeros((0, self.axes.shape[1]))

    def place(self, text: str) -> Matrix:
        """One text's place along the directions; zeros for one of unseen words."""
        found = counted(text)
        at: NDArray[np.int64] = np.fromiter(found, dtype=np.int64, count=len(found))
        weights: Matrix = np.fromiter(found.values(), dtype=np.float64, count=len(found)) * self.rarity[at]
        length = math.sqrt(float(weights @ weights))
        if length == 0:
            return np.zeros(len(self.axes[0]))
        axes: Matrix = self.axes[at].astype(np.float64)
        place: Matrix = np.dot(weights / length, axes)
        return place


def _axes(shadow: Matrix) -> Matrix:
    """The first right singular vectors, from the small Gram matrix, which is much faster than the whole."""
    strength, turn = np.linalg.eigh(shadow.T @ shadow)
    strongest = np.argsort(strength)[::-1][:DIRECTIONS]
    strongest = strongest[strength[strongest] > 1e-9]
    return shadow @ (turn[:, strongest] / np.sqrt(strength[strongest]))


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    rows = [counted(text) for text in texts]
    places = np.concatenate([np.fromiter(row, dtype=np.int64, count=len(row)) for row in rows])
    values = np.concatenate([np.fromiter(row.values(), dtype=np.float64, count=len(row)) for row in rows])
    ends = np.cumsum([0, *(len(row) for row in rows)])
    return csr_matrix((values, places, ends), shape=(len(texts), BUCKETS))


def _unit(rows: Any, rarity: Matrix) -> Any:
    """Rows weighed by rarity and brought to length 1."""
    from scipy import sparse

    diags = cast("Any", sparse).diags
    weighed = rows @ diags(rarity)
    lengths = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    return (diags(1.0 / np.maximum(lengths, 1e-12)) @ weighed).tocsr()
