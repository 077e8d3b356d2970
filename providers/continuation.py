"""Joins an answer that broke off with what another model says next, so that the two are one answer, or refuses.

A model asked to go on may (a) begin anew from the first word, (b) repeat the last words, or (c) simply go on. What was
said already is skipped in (a) and (b). (c) is believed only when it reads like a continuation; in doubt it is refused,
since a second answer after half of a first one is worse than an error.
"""

from __future__ import annotations

import re

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.types import Message, ModelRequest

_JUDGED_FROM = 16  # characters of a continuation that are held back before it is judged
_TAIL = 240  # of the end of what was said, where repeated words are looked for
_SHORT_WORD = 3
_LONG_REPEAT = 24  # of a model that goes on by itself only this much is taken for a repetition
_QUOTED = 80  # characters that a model without prefill is asked to repeat
_RESTART = 12  # characters in common with the beginning that are no chance
_STOPS = ".!?…:;"
_ENDINGS = _STOPS + "\"')]}»`"
_OPENINGS = re.compile(
    r"(sure|certainly|of course|hello|hi|okay|ok|great|absolutely|apologies|sorry|i'm sorry|i am sorry|i apologi[sz]e"
    r"|as an ai|here is|here's|here are|let me|continuing|bonjour|bien sûr|voici|désolé|d'accord)\b|```",
    re.IGNORECASE,
)


GOES_ON = frozenset({"anthropic", "gemini", "mistral", "codestral", "deepseek", "local"})
"""Vendors known to go on from a last assistant message, as far as a model of theirs takes one at all."""


def asked_to_go_on(request: ModelRequest, said: str) -> ModelRequest:
    """`request` with a turn that asks for the rest of what was said: for models that refuse a half answer."""
    last = said[-_QUOTED:].lstrip()
    ask = (
        "Your answer broke off. Write the rest of it, and nothing else. Begin by repeating these last words of it "
        f"exactly, then go on from there:\n{last}"
    )
    turns = (Message(role="assistant", content=said), Message(role="user", content=ask))
    return request.model_copy(update={"messages": (*request.messages, *turns)})


class Seam:
    """Holds back the beginning of a continuation of `said` until it is judged.

    `repeats` when the model was asked to begin with the last words; `prefilled` when its vendor is known to go on from
    a half answer.
    """

    def __init__(self, said: str, *, prefilled: bool = False, repeats: bool = False) -> None:
        self.said = said
        self._prefilled = prefilled
        self._repeats = repeats
        self._held = ""
        self._open = False
        self._restart = _Restart(said)
        self._tail = _spaced(said.rstrip()[-_TAIL:])

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
            raise _unlike("ended before where the other had come to")
        return self._judged()

    def _judged(self) -> str:
        if self._restart.covered:
            rest = self._held[self._restart.read :]
        elif self._restart.is_one(self._held):
            raise _unlike("began anew and went another way")
        elif repeated := _repeated(self._tail, self._held, _LONG_REPEAT if self._prefilled else 0):
            rest = self._held[repeated:]
            if not rest.strip() and self.said.rstrip()[-1:] not in _ENDINGS:
                raise _unlike("only repeated the last words")
        elif self._repeats:
            raise _unlike("did not take up the last words")
        else:
            self._must_go_on()
            rest = self._held
        self._open = True
        return rest.lstrip() if self.said[-1:].isspace() else rest

    def _may_repeat_more(self) -> bool:
        """Whether all that is held could still be words from the end of what was said."""
        return _spaced(self._held.strip()) in self._tail

    def _must_go_on(self) -> None:
        """Raises unless the held text reads like the continuation of a half sentence, or of a finished one."""
        begins, said = self._held.lstrip(), self.said.rstrip()
        if not begins:
            if said[-1:] in _ENDINGS:
                return
            raise _unlike("said nothing more")
        if _OPENINGS.match(begins):
            raise _unlike("opened an answer of its own")
        if begins[0] in "{[" and said.lstrip()[:1] == begins[0]:
            raise _unlike("opened an answer of its own")
        apart = self.said[-1:].isspace()
        spaced = self._held[0].isspace() and not apart
        finished = said[-1:] in _STOPS
        new_word = begins[0].isupper() and not spaced and not (apart and (finished or self._prefilled))
        if new_word or (finished and begins[0].isalnum() and not spaced and not apart):
            raise _unlike("begins like an answer of its own")


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
        return self.read >= _RESTART or (len(words) == 2 and words == self._said.split()[:2])

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


def _repeated(tail: str, held: str, least: int) -> int:
    """How many characters of `held` repeat the end of `tail`; 0 when none do, or so few that it may be chance."""
    begins = _spaced(held.lstrip())
    for start in range(max(0, len(tail) - len(begins)), len(tail)):
        length = len(tail) - start
        if length < least or not begins.startswith(tail[start:]):
            continue
        at_word = start == 0 or not tail[start - 1].isalnum()
        whole = length == len(begins) or not (begins[length - 1].isalnum() and begins[length].isalnum())
        if length >= _RESTART or (at_word and length >= _SHORT_WORD and (whole or not held[0].isspace())):
            return _raw_length(held, length)
    return 0


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


def _unlike(how: str) -> AccordError:
    return failure(Fault.BAD_ANSWER, f"The continuation {how}, so it cannot complete the answer. Ask again.")
