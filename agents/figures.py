"""Keeps model prose honest: a sentence with a number nobody computed is dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable

from domain.proposals import Candidate, Proposal
from domain.situations import Evidence, Situation

# A number with decimals and thousands in French or English writing; ids such as `d-17` are no numbers.
_NUMBER = re.compile(r"(?<![\w#:/-])[+-]?\d+(?:[\s\u00a0\u202f'’,.]\d{3})*(?:[.,]\d+)?(?![\w:/])")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


def numbers_in(text: str) -> list[float]:
    """Every number written in `text`; `1 200,5`, `1,200.5` and `1200.5` are the same."""
    return [_parse(found) for found in _NUMBER.findall(text)]


def _parse(written: str) -> float:
    plain = re.sub(r"[\s\u00a0\u202f'’]", "", written)
    if re.search(r"[.,]\d{3}(?:[.,]|$)", plain) and not re.fullmatch(r"[+-]?0[.,]\d+", plain):
        plain = re.sub(r"[.,](?=\d{3}(?:[.,]|$))", "", plain)
    return abs(float(plain.replace(",", ".")))


def known_numbers(texts: Iterable[str], evidence: Iterable[Evidence]) -> set[float]:
    """Numbers that may be written: those in texts made by code and the figures of evidence, also as per cent."""
    known: set[float] = set()
    for text in texts:
        known.update(numbers_in(text))
    for fact in evidence:
        known.update(numbers_in(fact.text))
        figures = [abs(float(v)) for v in fact.figures.values() if isinstance(v, int | float)]
        known.update(value * scale for value in figures for scale in (1, 100, 0.01))
    return known


def honest(text: str, known: set[float]) -> str:
    """`text` without the sentences that hold a number outside `known` (rounding as written is allowed)."""
    kept = [s for s in _SENTENCE.split(text.strip()) if all(_is_known(number, known) for number in numbers_in(s))]
    return " ".join(kept).strip()


def _is_known(number: float, known: set[float]) -> bool:
    return any(abs(number - value) <= max(0.005 * value, 1e-9) for value in known)


def of_candidate(candidate: Candidate) -> set[float]:
    return known_numbers([candidate.title, candidate.why, candidate.risk], candidate.evidence)


def of_proposal(proposal: Proposal) -> set[float]:
    return known_numbers([proposal.title, proposal.why, proposal.risk], proposal.evidence)


def of_situation(situation: Situation) -> set[float]:
    return known_numbers([situation.title, situation.summary], situation.evidence)
