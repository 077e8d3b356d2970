from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import BadAnswer
from providers.continuation import Seam, asked_to_go_on
from providers.types import ModelRequest

WHOLE = "Hold the budget of the north until the test of region four ends on Friday; then decide, with the figures."
CUTS = st.integers(1, len(WHOLE) - 1)
SIZES = st.integers(1, 30)


def joined(seam: Seam, continuation: str, size: int = 7) -> str:
    """All that is delivered, when `continuation` comes in pieces of `size`."""
    pieces = [continuation[start : start + size] for start in range(0, len(continuation), size)]
    return seam.said + "".join(seam.feed(piece) for piece in pieces) + seam.close()


@given(cut=CUTS, size=SIZES)
def test_what_simply_goes_on_is_joined_letter_for_letter(cut: int, size: int) -> None:
    assume(WHOLE[cut:].strip())
    assert joined(Seam(WHOLE[:cut], prefilled=True), WHOLE[cut:], size) == WHOLE


@given(cut=CUTS, size=SIZES)
def test_what_begins_anew_is_skipped_up_to_where_the_other_came(cut: int, size: int) -> None:
    assert joined(Seam(WHOLE[:cut]), WHOLE, size) == WHOLE


@given(cut=st.integers(20, len(WHOLE) - 2), size=SIZES, words=st.integers(2, 4))
def test_repeated_words_are_said_once(cut: int, size: int, words: int) -> None:
    said = WHOLE[:cut].rstrip()
    last = " ".join(said.split()[-words:])
    assume(len(last) >= 4)
    assert joined(Seam(said), last + WHOLE[len(said) :], size) == WHOLE
    assert joined(Seam(said, repeats=True), last + WHOLE[len(said) :], size) == WHOLE


@given(cut=CUTS, size=SIZES, blank=st.sampled_from([" ", "\n", "  "]))
def test_white_space_is_neither_doubled_nor_lost_at_the_seam(cut: int, size: int, blank: str) -> None:
    """Vendors strip the end of a half answer, so that the next word may or may not bring its own space."""
    at = WHOLE.find(" ", cut)
    assume(at > 0)
    said, rest = WHOLE[: at + 1], WHOLE[at + 1 :]
    assert joined(Seam(said, prefilled=True), rest, size) == WHOLE
    assert joined(Seam(said, prefilled=True), blank + rest, size) == WHOLE
    assert joined(Seam(said.rstrip(), prefilled=True), " " + rest, size) == WHOLE


@pytest.mark.parametrize(
    "continuation",
    [
        "The budget should move to the south at once.",
        "Sure! Here is the rest of the answer.",
        "Hello, I can help with that question of yours.",
        "Certainly: the budget stays where it is.",
        "```json\n{}\n```",
        "Hold the budget of the south until the test ends.",
        "Hold the line.",
        "",
    ],
)
def test_an_answer_of_its_own_is_never_appended(continuation: str) -> None:
    seam = Seam("Hold the budget of the north until the")
    with pytest.raises(BadAnswer):
        joined(seam, continuation)


@pytest.mark.parametrize(
    ("said", "continuation"),
    [
        ('{"action": "ho', '{"choice": "hold"}'),
        ("The first answer is done.", "The second answer begins."),
        ("The capital of France is", "Paris"),
    ],
)
def test_in_doubt_it_is_refused(said: str, continuation: str) -> None:
    with pytest.raises(BadAnswer):
        joined(Seam(said), continuation)


@pytest.mark.parametrize(
    ("said", "continuation", "whole"),
    [
        ('{"action": "ho', 'ld"}', '{"action": "hold"}'),
        ('{"action": "ho', '{"action": "hold"}', '{"action": "hold"}'),
        ("The capital of France is", " Paris.", "The capital of France is Paris."),
        ("One thing is done. ", "Another is not.", "One thing is done. Another is not."),
        ("All was said.", "", "All was said."),
        ("We recom", "recommend to wait.", "We recommend to wait."),
        ("The", "Therefore we wait.", "Therefore we wait."),
    ],
)
def test_plain_cases(said: str, continuation: str, whole: str) -> None:
    assert joined(Seam(said), continuation) == whole


def test_a_model_asked_to_repeat_the_last_words_has_to() -> None:
    with pytest.raises(BadAnswer, match="take up"):
        joined(Seam("Hold the budget of the north", repeats=True), " until the end of the week.")


def test_the_turn_that_asks_to_go_on_quotes_the_last_words() -> None:
    request = ModelRequest.model_validate({"task": "t", "messages": [{"role": "user", "content": "?"}]})
    asked = asked_to_go_on(request, WHOLE)
    assert [message.role for message in asked.messages] == ["user", "assistant", "user"]
    assert asked.messages[2].text.endswith("then decide, with the figures.")
