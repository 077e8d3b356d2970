"""Models are asked in bounded terms, and what they answer beyond those is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel

from agents.answers import Reading
from agents.arbitrate import label
from agents.consult import Consultant, read_into
from domain.actions import ActionSpec
from domain.entities import Entity, EntityTree
from domain.errors import TerminalError
from domain.ports import Told
from domain.proposals import Candidate, Expected, Measurement
from domain.signals import Note, Trust
from domain.situations import Evidence, Hypothesis, Situation
from providers.types import DataClass, Message, ModelAnswer

NOW = datetime(2026, 3, 4, tzinfo=UTC)
TREE = EntityTree([Entity(id="product:atlas", name="Atlas"), Entity(id="product:beacon", name="Beacon")])
T = TypeVar("T", bound=BaseModel)


class Says:
    """A gateway that answers every call with one JSON object; None has no provider."""

    def __init__(self, answer: dict[str, object] | None) -> None:
        self.answer, self.calls = answer, list[str]()

    def ask(
        self, task: str, model_type: type[T], messages: Sequence[Message], *, data_class: DataClass = "internal",
        max_tokens: int = 512, deadline_s: float = 120.0,
    ) -> tuple[T, ModelAnswer]:  # fmt: skip
        self.calls.append(task)
        if self.answer is None:
            raise TerminalError("No provider is configured. Add one.")
        told = ModelAnswer(text="", provider="scripted", model="m", usage=None, cost_nano=None, currency=None,
                           attempts=(), latency_s=0.0, finish="stop")  # fmt: skip
        return model_type.model_validate(self.answer), told


def situation() -> Situation:
    return Situation(
        id="sit_1", kind="demand.rise", key="k", entities=(), onset=NOW, seen=NOW, title="Queries +38 %",
        summary="Queries +38 % in 3 places.", opened_at=NOW, updated_at=NOW,
        evidence=(Evidence(text="Queries +38 %", source="s"),),
        hypotheses=(
            Hypothesis(name="real demand", odds=0.6, because=""),
            Hypothesis(name="bots", odds=0.4, because=""),
        ),
    )  # fmt: skip


def candidate(budget: str) -> Candidate:
    spec = ActionSpec(kind="ads.budget.set", entity=budget, value=11_000, expect=10_000, currency="EUR")
    return Candidate(
        key=budget, situation="sit_1", specialist="demand", specs=(spec,), title=f"Raise {budget} by 10 %", why="",
        expected=Expected(value=900, low=100, high=1700, currency="EUR"),
        measurement=Measurement(metric="x", method="none", start=NOW, days=0, stop=""),
    )  # fmt: skip


def told(text: str, trust: Trust = "internal") -> Told[Note]:
    return Told(NOW, "signal:n/1", trust, Note(team="ops", text=text, trust=trust))


def test_odds_go_to_known_rivals_only_and_sum_to_one() -> None:
    reading = Reading(odds={"real demand": 3.0, "bots": 0.25, "aliens": 9.0}, summary="Up 38 %. Earn 5000.")
    read = read_into(situation(), reading)
    assert [(h.name, h.odds, h.origin) for h in read.hypotheses] == [
        ("real demand", 0.8, "model"),
        ("bots", 0.2, "model"),
    ]
    assert read.summary == "Up 38 %."


def test_nothing_said_about_the_rivals_changes_nothing() -> None:
    assert read_into(situation(), Reading(odds={"aliens": 1.0})) == situation()


def test_moves_are_bounded_and_options_must_exist() -> None:
    moves = [{"option": 1, "rate": 9.0, "reason": "r"}, {"option": 7, "rate": 0.1, "reason": ""}]
    shown = [candidate("budget:a"), candidate("budget:b")]
    rank = Consultant(Says({"moves": moves})).rank(shown, [told("hello")])
    assert dict(rank.moves) == {label(shown[0]): (0.2, "r")}
    assert not rank.untrusted
    assert Consultant(Says({"moves": moves})).rank(shown, [told("hello", "external")]).untrusted


def test_a_note_is_read_about_the_things_it_names() -> None:
    answer: dict[str, object] = {"stance": "avoid", "entities": ["product:beacon", "product:atlas"], "quote": "made up"}
    read = Consultant(Says(answer)).read_note(told("Legal worries about Atlas"), TREE)
    assert read is not None
    assert (read.entities, read.origin, read.quote) == (("product:atlas",), "model", "Legal worries about Atlas")


def test_words_with_invented_numbers_are_not_taken() -> None:
    good = Consultant(Says({"title": "Up 38 % in queries", "why": "It rose 38 %. You gain 9000."}))
    words = good.words("Queries +38 %", "38 %", {38.0})
    assert words is not None
    assert words.why == "It rose 38 %."
    assert Consultant(Says({"title": "Gain 9000 now", "why": "Sure."})).words("t", "w", {38.0}) is None


def test_no_answer_leaves_everything_to_the_rules() -> None:
    consultant = Consultant(Says(None))
    assert consultant.interpret(situation(), ()) == situation()
    assert consultant.rank([candidate("budget:a"), candidate("budget:b")], []).moves == {}
    assert any("rules used" in line for line in consultant.log)
