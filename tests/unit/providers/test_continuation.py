from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import BadAnswer
from providers.continuation import Seam, asked_to_go_on
from providers.types import ModelRequest

WHOLE = (
    "Hold the budget of the north until the test of region four ends on Friday; then decide, with the figures. "
    "So says the plan:\n- The north: 4.5 % more.\n- The south: very, very little.\nNothing else changes. (See page 3.)"
)
CUTS = st.integers(1, len(WHOLE) - 1)
SIZES = st.integers(1, 30)
WORDS = ("the", "budget", "north", "of", "until", "we", "4", "%", "very", "region,", "Friday", "plan.", "so:", "(then)")
PROSE = st.lists(st.sampled_from(WORDS), min_size=2, max_size=30).map(" ".join)
ANSWERS = st.builds(
    lambda opening, rest: opening[:-1] + opening[-1].upper() + rest if opening[-1:].isalpha() else opening + rest,
    st.sampled_from(
        ["t", "t", "è", "1. ", "- ", "# ", "**b", "“t", "(t", "«t", "{", "[", "```", "日", "sure, ", "\nthe "]
    ),
    PROSE,
)
JSON = '{"action": "hold", "share": 0.25, "why": "It runs until Friday. Then decide.", "more": [true, {"n": -1}]}'


def joined(seam: Seam, continuation: str, size: int = 7) -> str:
    """All that is delivered, when `continuation` comes in pieces of `size`."""
    pieces = [continuation[start : start + size] for start in range(0, len(continuation), size)]
    return seam.said + "".join(seam.feed(piece) for piece in pieces) + seam.close()


def rescued(said: str, bare: str, asked: str, size: int = 7) -> str | None:
    """What is delivered of a model that says `bare`, and `asked` when it has to repeat; None for an error."""
    for seam, continuation in ((Seam(said), bare), (Seam(said, repeats=True), asked)):
        with suppress(BadAnswer):
            return joined(seam, continuation, size)
    return None


def repeating(said: str, rest: str) -> str:
    """What a model says that was asked to begin with the last words."""
    return said[-80:].lstrip() + rest


class TestNeverASecondAnswer:
    @given(
        said=PROSE.map(str.capitalize),
        ends=st.sampled_from(["", " ", ".", ". ", ":\n", "\n\n"]),
        other=ANSWERS,
        size=SIZES,
    )
    def test_another_answer_is_not_delivered_in_part_or_whole(
        self, said: str, ends: str, other: str, size: int
    ) -> None:
        """But where all that was said is the beginning of the other, which is then the whole answer."""
        found = rescued(said + ends, other, other, size)
        assert found is None or " ".join(found.split()) == " ".join(other.split())

    @given(said=PROSE.map(str.capitalize), other=PROSE, size=SIZES, ends=st.sampled_from([". ", ".", "?\n", ":", '."']))
    def test_nor_after_a_finished_sentence_whatever_it_looks_like(
        self, said: str, other: str, size: int, ends: str
    ) -> None:
        assert rescued(said + ends, other, other, size) is None

    @pytest.mark.parametrize(
        "continuation",
        [
            "The budget should move to the south at once.",
            " The budget should move to the south at once.",
            "Sure! Here is the rest of the answer.",
            "certainly: the budget stays where it is.",
            "```json\n{}\n```",
            "Hold the budget of the south until the test ends.",
            "Hold the line.",
            "the\nbudget of the north until",
            "until the budget is spent.",
            "",
        ],
    )
    def test_an_answer_of_its_own_is_refused(self, continuation: str) -> None:
        with pytest.raises(BadAnswer):
            joined(Seam("Hold the budget of the north until the"), continuation)

    @pytest.mark.parametrize(
        ("said", "continuation"),
        [
            ('{"action": "ho', '{"choice": "hold"}'),
            ('{"action": ', "the budget stays as it is"),
            ("The first answer is done.", "The second answer begins."),
            ("The first answer is done. ", "The second answer begins."),
            ("The capital of France is", " Paris."),
            ("It is said. The", "The south gets all of it now."),
            ("Here is the list:", ""),
        ],
    )
    def test_in_doubt_it_is_refused(self, said: str, continuation: str) -> None:
        with pytest.raises(BadAnswer):
            joined(Seam(said), continuation)


class TestOneAnswer:
    @given(whole=st.sampled_from([WHOLE, JSON]) | PROSE, share=st.floats(0.01, 0.99), size=SIZES)
    def test_who_goes_on_honestly_is_joined_letter_for_letter_or_not_at_all(
        self, whole: str, share: float, size: int
    ) -> None:
        cut = max(1, int(share * len(whole)))
        said, rest = whole[:cut], whole[cut:]
        assume(rest.strip() and not rest.lstrip().startswith(said.strip()))
        assert rescued(said, rest, repeating(said, rest), size) in {whole, None}

    @given(cut=CUTS, size=SIZES)
    def test_who_repeats_as_asked_is_always_joined(self, cut: int, size: int) -> None:
        said, rest = WHOLE[:cut], WHOLE[cut:]
        assert joined(Seam(said, repeats=True), repeating(said, rest), size) == WHOLE

    @given(cut=CUTS, size=SIZES)
    def test_what_begins_anew_is_skipped_up_to_where_the_other_came(self, cut: int, size: int) -> None:
        assert joined(Seam(WHOLE[:cut]), WHOLE, size) == WHOLE

    @given(cut=st.integers(30, len(WHOLE) - 2), size=SIZES, words=st.integers(3, 6))
    def test_fewer_words_than_asked_will_do(self, cut: int, size: int, words: int) -> None:
        said = WHOLE[:cut].rstrip()
        last = " ".join(said.split()[-words:])
        assume(len(last) >= 12 and WHOLE.count(last) == 1)
        assert " ".join(joined(Seam(said, repeats=True), last + WHOLE[len(said) :], size).split()) == " ".join(
            WHOLE.split()
        )

    @given(cut=CUTS, size=SIZES)
    def test_white_space_is_neither_doubled_nor_lost_at_the_seam(self, cut: int, size: int) -> None:
        """Vendors strip the end of a half answer, so that the next word may or may not bring its own space."""
        at = WHOLE.find(" ", cut)
        assume(at > 0)
        said, rest = WHOLE[: at + 1], WHOLE[at + 1 :]
        for begun, goes_on in ((said, rest), (said, f" {rest}"), (said.rstrip(), f" {rest}")):
            assert rescued(begun, goes_on, repeating(said, rest), size) == WHOLE

    @pytest.mark.parametrize(
        ("said", "next_words"),
        [
            ("Hold the budget of the no", "rth until Friday, as finance asks."),
            ('{"action": "ho', 'ld", "share": 0.25}'),
            ("w0 w1 w2 w3 w4", "b0 b1 b2 b3 b4 b5 b6 b7"),
            ("w0 w1 w2 w3 w4 ", "b0 b1 b2 b3 b4 b5 b6 b7"),
            ("and the clocks were striking", "backup answer: hens sing"),
        ],
    )
    def test_what_begins_without_a_blank_has_to_prove_itself(self, said: str, next_words: str) -> None:
        with pytest.raises(BadAnswer) as refused:
            joined(Seam(said), next_words, 3)
        assert refused.value.facts["ask_by_turn"]
        assert joined(Seam(said, repeats=True), said + next_words, 3) == said + next_words

    @pytest.mark.parametrize(
        ("said", "continuation", "whole"),
        [
            ("It gains 4", ".5 % a week", "It gains 4.5 % a week"),
            ("It gains", " 4 % a week", "It gains 4 % a week"),
            ("All regions", ", the north too.", "All regions, the north too."),
            ('He said "go', '" and left.', 'He said "go" and left.'),
            ('{"action": "hold', '"}', '{"action": "hold"}'),
            ('{"share": ', "0.25}", '{"share": 0.25}'),
            ('{"action": "ho', '{"action": "hold"}', '{"action": "hold"}'),
            ("All was said.", "", "All was said."),
            ("The", "Therefore we wait.", "Therefore we wait."),
        ],
    )
    def test_plain_cases(self, said: str, continuation: str, whole: str) -> None:
        assert joined(Seam(said), continuation) == whole


def test_words_that_fit_in_two_ways_prove_nothing() -> None:
    said = "Row: " + "0 | " * 40
    with pytest.raises(BadAnswer, match="take up"):
        joined(Seam(said, repeats=True), "0 | " * 5 + "end of it")


def test_a_model_asked_to_repeat_the_last_words_has_to() -> None:
    with pytest.raises(BadAnswer, match="take up") as caught:
        joined(Seam("Hold the budget of the north", repeats=True), " until the end of the week.")
    assert not caught.value.facts["ask_by_turn"]


def test_the_turn_that_asks_to_go_on_quotes_the_last_words() -> None:
    request = ModelRequest.model_validate({"task": "t", "messages": [{"role": "user", "content": "?"}]})
    asked = asked_to_go_on(request, WHOLE)
    assert [message.role for message in asked.messages] == ["user", "assistant", "user"]
    assert asked.messages[2].text.endswith("Nothing else changes. (See page 3.)")
