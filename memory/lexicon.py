"""Recall by words: an inverted index in memory, ranked by BM25."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"[a-z0-9]{2,}")
_STEM = 6
"""Leading letters that count: plurals and endings of French and English fall away."""
_K1, _B = 1.2, 0.75  # Robertson and Zaragoza 2009, The Probabilistic Relevance Framework, usual values


def words(text: str) -> list[str]:
    """Words without case, accents and endings."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return [word[:_STEM] for word in _WORD.findall(plain)]


class Lexicon:
    """Texts by id."""

    def __init__(self) -> None:
        self._lengths: dict[str, int] = {}
        self._uses: dict[str, dict[str, int]] = {}

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, name: str, text: str) -> None:
        """`name` must be new."""
        counted = Counter(words(text))
        self._lengths[name] = counted.total()
        for word, times in counted.items():
            self._uses.setdefault(word, {})[name] = times

    def nearest(self, query: str, k: int) -> list[str]:
        """Ids by falling score, at most `k`; those that share no word are not among them."""
        mean = sum(self._lengths.values()) / len(self._lengths) if self._lengths else 1.0
        scores: dict[str, float] = {}
        for word in sorted(set(words(query))):
            uses = self._uses.get(word, {})
            rarity = math.log(1 + (len(self._lengths) - len(uses) + 0.5) / (len(uses) + 0.5))
            for name, times in uses.items():
                length = _K1 * (1 - _B + _B * self._lengths[name] / (mean or 1.0))
                scores[name] = scores.get(name, 0.0) + rarity * times * (_K1 + 1) / (times + length)
        return sorted(scores, key=lambda name: (-scores[name], name))[:k]
