"""Joins an answer that broke off with what another model says next, so that the two are one answer, or refuses.

A model asked to go on may (a) begin anew from the first word, (b) repeat the last words, or (c) simply go on. (a)
proves itself by agreeing with all that was said, (b) by the words it was asked to repeat. (c) proves nothing, and is
believed only in the middle of a sentence, where no answer begins. In doubt it is refused, since a second answer after
half of a first one is worse than an error; who was not asked to repeat may then be (`facts["ask_by_turn"]`).
"""

from __future__ import annotations

import re

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.types import Message, ModelRequest

_JUDGED_FROM = 16  # characters of a continuation that are held back before it is judged
_TAIL = 240  # of the end of what was said, where repeated words are looked for
_QUOTED = 80  # characters that a model is asked to repeat
_PROOF = 12  # characters in common that are no chance
_SHORT_WORD = 3
_STOPS = ".!?…。！？"
_CLOSERS = "\"')]}»”’*_`"
_ENDED = re.compile(rf"(?:[{re.escape(_STOPS)}:][{re.escape(_CLOSERS)}]*|\n)\s*$")
_FINISHED = _STOPS + "\"')]}»”`"
_WITHIN = ",.;:!?…)]}%»”’/–—=+"
_IN_JSON = re.compile(r'[",:\]}]|-?\d|true|false|null')
_OPENERS = "\"'“‘«(-*_"
_LISTED = re.compile(r"\d+[.)]\s")
_OPENINGS = re.compile(
    r"(sure|certainly|of course|hello|hi|okay|ok|great|absolutely|apologies|sorry|i'm sorry|i am sorry|i apologi[sz]e"
    r"|as an ai|here is|here's|here are|let me|continuing|bonjour|bien sûr|voici|désolé|d'accord)\b",
    re.IGNORECASE,
)


def asked_to_go_on(request: ModelRequest, said: str) -> ModelRequest:
    """`request` with a turn that asks for the rest of what was said, beginning with its last words."""
    ask = (
        "Your answer broke off. Write the rest of it, and nothing else. Begin by repeating these last words of it "
        f"exactly, then go on from there:\n{_quote(said)}"
    )
    turns = (Message(role="assistant", content=said), Message(role="user", content=ask))
    return request.model_copy(update={"messages": (*request.messages, *turns)})


class Seam:
    """Holds back the beginning of a continuation of `said` until it is judged.

    `repeats` when the model was asked to begin with the last words.
    """

    def __init__(self, said: str, *, repeats: bool = False) -> None:
        self.said = said
        self._repeats = repeats
        self._held = ""
        self._open = False
        self._restart = _Restart(said)
        self._tail = _spaced(said.rstrip()[-_TAIL:])
        self._quote = _spaced(_quote(said).rstrip())
        self._finished = said.rstrip()[-1:] in _FINISHED

    def feed(self, text: str) -> str:
        """What of the continuation so far may be delivered. Raises BadAnswer when it does not continue `said`."""
        if self._open:
            return text
        self._held += text
        if self._restart.undecided(self._held):
            return ""
        if not self._restart.covered and (len(self._held.strip()) < _JUDGED_FROM or self._may_repeat_more()):
            return ""
        return self._judged()

    def close(self) -> str:
        """What is still held when the continuation is over. Raises BadAnswer as `feed`."""
        if self._open:
            return ""
        if self._restart.undecided(self._held) and not self._restart.over(self._held):
            raise self._unlike("ended before where the other had come to")
        return self._judged()

    def _judged(self) -> str:
        known = self._known()
        rest, blank = self._held[known:], self.said[len(self.said.rstrip()) :]
        self._open = True
        if not blank or self._held[:known][-1:].isspace():
            return rest
        # Vendors strip the end of a half answer, so that its blank may come again.
        return rest[len(blank) :] if rest.startswith(blank) else rest.lstrip()

    def _known(self) -> int:
        """How many characters of what is held were said before. Raises BadAnswer unless the rest continues them."""
        if self._restart.covered:
            return self._restart.read
        if self._restart.is_one(self._held):
            raise self._unlike("began anew and went another way")
        if not self._held.strip():
            if self._finished:
                return len(self._held)
            raise self._unlike("said nothing more")
        lengths = _repeated(self._tail, self._held)
        if self._repeats:
            return self._repeated_as_asked(lengths)
        if lengths:
            raise self._unlike("repeated words unasked")
        if not _in_mid_sentence(self.said, self._held):
            raise self._unlike("may be an answer of its own")
        return 0

    def _repeated_as_asked(self, lengths: list[int]) -> int:
        """The length of the repetition: as quoted, else the only one that is no chance."""
        proven = [length for length in lengths if length >= _PROOF]
        if len(self._quote) in lengths:
            proven = [len(self._quote)]
        if len(proven) != 1:
            raise self._unlike("did not take up the last words")
        length = _raw_length(self._held, proven[0])
        if not self._held[length:].strip() and not self._finished:
            raise self._unlike("only repeated the last words")
        return length

    def _may_repeat_more(self) -> bool:
        """Whether all that is held could still be words from the end of what was said."""
        return _spaced(self._held.strip()) in self._tail

    def _unlike(self, how: str) -> AccordError:
        detail = f"The continuation {how}, so it cannot complete the answer. Ask again."
        return failure(Fault.BAD_ANSWER, detail, ask_by_turn=not self._repeats)


def _in_mid_sentence(said: str, held: str) -> bool:
    """Whether `said` stops where no answer ends and `held` begins as no answer does."""
    begins = held.lstrip()
    before, blank = said[len(said.rstrip()) :], held[: len(held) - len(begins)]
    quotes = said.count('"') - said.count('\\"')
    if said.lstrip()[:1] in {"{", "["} and quotes % 2 == 0:  # between the values of JSON
        return _IN_JSON.match(begins) is not None
    if before and blank and len(before + blank) > 2:  # an indentation, or the same blank twice
        return False
    if _ENDED.search(said) or "\n" in blank or _LISTED.match(begins) or _OPENINGS.match(begins):
        return False
    if begins[0] in _WITHIN or (begins[0] == '"' and quotes % 2):
        return True
    if before or not blank:  # answers of their own begin in small letters too, but hardly ever with a blank
        return False
    word = begins.lstrip(_OPENERS)[:1]
    return word.islower() or word.isdigit()


class _Restart:
    """Follows how far a continuation repeats the answer from its first word; any white space equals any other."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._at = len(said) - len(said.lstrip())
        self.read = 0
        self.covered = False
        self._lost = False

    def undecided(self, held: str) -> bool:
        """Whether `held` agrees so far and has not come to the end of what was said."""
        self._follow(held)
        return not self.covered and not self._lost

    def is_one(self, held: str) -> bool:
        """Whether so much agreed that `held` is a restart, though it went another way."""
        words = held.split()[:2]
        return self.read >= _PROOF or (len(words) == 2 and words == self._said.split()[:2])

    def over(self, held: str) -> bool:
        """Whether nothing but white space is left of what was said, or nothing of it was repeated at all."""
        return not self._said[self._at :].strip() or not held.strip()

    def _follow(self, held: str) -> None:
        said, at, read = self._said, self._at, self.read
        if read == 0:
            read = len(held) - len(held.lstrip())
        while at < len(said) and read < len(held) and not self._lost:
            if said[at] == held[read]:
                at, read = at + 1, read + 1
            elif said[at].isspace() and held[read - 1 : read].isspace():
                at += 1
            elif held[read].isspace() and said[at - 1 : at].isspace():
                read += 1
            elif not said[at:].strip():
                at = len(said)
            else:
                self._lost = True
        self._at, self.read, self.covered = at, read, at == len(said)


def _repeated(tail: str, held: str) -> list[int]:
    """How many characters of `held` may repeat the end of `tail`, in their spaced form: every length that fits."""
    begins = _spaced(held.lstrip())
    found: list[int] = []
    for start in range(max(0, len(tail) - len(begins)), len(tail)):
        length = len(tail) - start
        at_word = start == 0 or not tail[start - 1].isalnum()
        if begins.startswith(tail[start:]) and (length >= _PROOF or (at_word and length >= _SHORT_WORD)):
            found.append(length)
    return found


def _raw_length(held: str, length: int) -> int:
    """The length in `held` of the first `length` characters of its spaced form."""
    for end in range(len(held) - len(held.lstrip()), len(held) + 1):
        if len(_spaced(held[:end].lstrip())) == length and not (
            end < len(held) and held[end - 1].isspace() and held[end].isspace()
        ):
            return end
    return len(held)


def _spaced(text: str) -> str:
    """`text` with each run of white space as one space."""
    return re.sub(r"\s+", " ", text)


def _quote(said: str) -> str:
    """The last words of `said`, which a model is asked to repeat."""
    return said[-_QUOTED:].lstrip()
