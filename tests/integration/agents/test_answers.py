"""Answers and questions that would be passed over in silence are refused instead."""

from __future__ import annotations

from typing import Any

import pytest

from agents.questions import Remark, ask
from domain.errors import InputError, NotFound
from domain.questions import LONGEST


def test_an_approval_with_other_values_is_refused_and_with_the_same_ones_counts(company: Any) -> None:
    proposal = company.ask()
    spec = proposal.actions[0].spec
    with pytest.raises(InputError, match="Give other values with `modify`"):
        company.answer(proposal, actions=(spec.model_copy(update={"value": spec.value - 100}),))
    assert company.runtime.store.proposals.get(proposal.id).decisions == ()
    assert company.answer(proposal, actions=(spec,)).status == "approved"


@pytest.mark.parametrize("to", ["ben", "finance", None])
def test_people_roles_and_nobody_in_particular_can_be_asked(company: Any, to: str | None) -> None:
    (said,) = ask(company.runtime, company.ask().id, Remark("Is it booked?", to), company.person("ana"))
    assert said.to == to


def test_a_question_to_somebody_unknown_or_without_end_is_refused(company: Any) -> None:
    proposal = company.ask()
    with pytest.raises(NotFound, match="Nobody is called 'zoe'"):
        ask(company.runtime, proposal.id, Remark("Is it booked?", "zoe"), company.person("ana"))
    with pytest.raises(InputError, match="too long"):
        ask(company.runtime, proposal.id, Remark("?" * (LONGEST + 1)), company.person("ana"))
    assert company.runtime.store.questions.of(proposal.id) == []
