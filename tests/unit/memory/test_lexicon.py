"""Words in French and English find their texts whatever their case, accents and endings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memory.lexicon import Lexicon, words

TEXTS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text("lmno pq", max_size=30), max_size=8)


def test_endings_accents_and_case_fall_away() -> None:
    assert words("Les Budgets GELÉS, budget gelé!") == ["les", "budget", "geles", "budget", "gele"]


def test_a_rare_word_weighs_more_than_a_frequent_one() -> None:
    lexicon = Lexicon()
    for name, text in (("a", "budget freeze"), ("b", "budget rise"), ("c", "budget note")):
        lexicon.add(name, text)
    assert lexicon.nearest("budget freeze", 3) == ["a", "b", "c"]
    assert lexicon.nearest("freeze", 3) == ["a"]
    assert lexicon.nearest("nothing", 3) == []


@given(TEXTS, st.text("lmno pq", max_size=12))
def test_the_order_of_adding_means_nothing(texts: dict[str, str], query: str) -> None:
    forward, backward = Lexicon(), Lexicon()
    for name, text in texts.items():
        forward.add(name, text)
    for name, text in reversed(texts.items()):
        backward.add(name, text)
    assert forward.nearest(query, 5) == backward.nearest(query, 5)
    asked = set(words(query))
    assert set(forward.nearest(query, 99)) == {name for name, text in texts.items() if asked & set(words(text))}
