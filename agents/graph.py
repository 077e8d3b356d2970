"""The reasoning graph, node by node: recall → interpret → specialists in parallel → arbitrate → write.

It has no side effects: it reads values and returns values. Every node works by rules alone; models add readings,
bounded preferences and words, each marked as theirs, and nothing they say can enter the automatic set.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Protocol, TypedDict

from agents import figures
from agents.arbitrate import Arbitration, Choice, arbitrate, label
from agents.consult import AskModel, Consultant, unread
from agents.guidance import read_notes, recent_since
from agents.pools import Recent
from domain.guidance import Guidance
from domain.ports import Context, Specialist
from domain.proposals import Candidate, Proposal
from domain.situations import Situation

MODEL_SITUATIONS = 3
MODEL_NOTES = 3
MODEL_WORDS = 3


class Recall(Protocol):
    """Finds texts near a query: past situations with what came of them, playbooks, notes."""

    def __call__(self, query: str, /) -> Sequence[Recalled]: ...


@dataclass(frozen=True, slots=True)
class Recalled:
    """A text that recall brought up, with where it stands."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """What a round of thinking amounts to; `choices` are best first.

    `lost` says why each other candidate was not taken; `model_use` lists model calls in words, none when rules did all.
    """

    situations: tuple[Situation, ...]
    choices: tuple[Choice, ...]
    guidance: tuple[Guidance, ...]
    lost: Mapping[str, str] = field(default_factory=dict[str, str])
    model_use: tuple[str, ...] = ()


class State(TypedDict):
    """What the nodes hand on."""

    context: Context
    recent: Recent
    consultant: Consultant
    plain: tuple[Situation, ...]
    """As the rules read them: the only reading the automatic set may rest on."""
    recalled: Mapping[str, tuple[Recalled, ...]]
    situations: tuple[Situation, ...]
    guidance: tuple[Guidance, ...]
    candidates: Annotated[list[Candidate], operator.add]
    arbitration: Arbitration
    choices: tuple[Choice, ...]


Update = Mapping[str, Any]
"""The part of the state that a node sets."""


class Graph:
    """The graph with the model port it was built for; compiled when first used, since its engine imports slowly."""

    def __init__(self, compile_: Callable[[], Any], gateway: AskModel | None) -> None:
        self._compile = compile_
        self.gateway = gateway

    @cached_property
    def compiled(self) -> Any:
        return self._compile()


def build_graph(recall: Recall | None, gateway: AskModel | None, specialists: Sequence[Specialist]) -> Graph:
    """The graph with its ports bound. Specialists run side by side; without `gateway` rules do everything."""
    return Graph(lambda: _compiled(recall, specialists), gateway)


def _compiled(recall: Recall | None, specialists: Sequence[Specialist]) -> Any:
    from langgraph.graph import END, START, StateGraph

    graph: Any = StateGraph(State)
    graph.add_node("recall", recalling(recall))
    graph.add_node("interpret", interpret)
    for specialist in specialists:
        graph.add_node(_node(specialist), proposing(specialist))
    graph.add_node("arbitrate", weigh)
    graph.add_node("write", write)

    graph.add_edge(START, "recall")
    graph.add_edge("recall", "interpret")
    for specialist in specialists:
        graph.add_edge("interpret", _node(specialist))
    graph.add_edge([_node(specialist) for specialist in specialists], "arbitrate")
    graph.add_edge("arbitrate", "write")
    graph.add_edge("write", END)
    return graph.compile()


def _node(specialist: Specialist) -> str:
    """Apart from the names of other nodes and of the state, which a foreign specialist may bear."""
    return f"specialist {specialist.name.replace('|', ' ').replace(':', ' ')}"


def think(
    graph: Graph,
    situations: Sequence[Situation],
    context: Context,
    language: str = "en",
    *,
    recent: Recent | None = None,
    use_model: bool = True,
) -> Thought:
    """One round over `situations`: what they mean, what to do, what was weighed. No side effects."""
    consultant = Consultant(graph.gateway if use_model else None, language)
    start: Update = {
        "context": context,
        "recent": recent or Recent(),
        "consultant": consultant,
        "plain": tuple(situations),
        "candidates": [],
    }
    end: State = graph.compiled.invoke(start)
    return Thought(
        situations=end["situations"],
        choices=end["choices"],
        guidance=end["guidance"],
        lost=end["arbitration"].lost,
        model_use=tuple(consultant.log),
    )


def recalling(recall: Recall | None) -> Callable[[State], Update]:
    """Node `recall`: what the company knows that resembles each situation."""

    def node(state: State) -> Update:
        if recall is None:
            return {"recalled": {}}
        fresh = [situation for situation in state["plain"] if not situation.recalled]
        return {"recalled": {s.id: tuple(recall(f"{s.title}. {s.summary}")) for s in fresh}}

    return node


def interpret(state: State) -> Update:
    """Node `interpret`: notes become guidance; a model may weigh the rivals of the largest situations anew."""
    view, consultant, recalled = state["context"].view, state["consultant"], state["recalled"]
    notes = view.notes(recent_since(view.now))
    guidance = list(read_notes(notes, view.tree))
    if consultant.gateway is not None:
        readings = [consultant.read_note(told, view.tree) for told in unread(notes, guidance, view.now)[:MODEL_NOTES]]
        guidance.extend(reading for reading in readings if reading is not None)
    heavy = {s.id for s in sorted(state["plain"], key=lambda s: (-s.worth_minor, s.id))[:MODEL_SITUATIONS]}
    read: list[Situation] = []
    for situation in state["plain"]:
        known = tuple(item for item in recalled.get(situation.id, ()) if item.id != situation.id)
        seen = situation.model_copy(update={"recalled": tuple(item.id for item in known) or situation.recalled})
        texts = [item.text for item in known]
        read.append(consultant.interpret(seen, texts) if situation.id in heavy else seen)
    return {"situations": tuple(read), "guidance": tuple(guidance)}


def proposing(specialist: Specialist) -> Callable[[State], Update]:
    """Node of one specialist. What it proposes only on a model's reading is tainted."""

    def node(state: State) -> Update:
        context = replace(state["context"], guidance=state["guidance"])
        found: dict[str, Candidate] = {}
        for plain, read in zip(state["plain"], state["situations"], strict=True):
            outside = plain.trust == "external"
            for candidate in specialist.propose(plain, context):
                found[_identity(candidate)] = _tainted(candidate) if outside else candidate
            if read.hypotheses != plain.hypotheses:
                for candidate in specialist.propose(read, context):
                    found.setdefault(_identity(candidate), _tainted(candidate))
        return {"candidates": list(found.values())}

    return node


def _identity(candidate: Candidate) -> str:
    return f"{label(candidate)} {[spec.argument_hash for spec in candidate.specs]}"


def _tainted(candidate: Candidate) -> Candidate:
    return candidate.model_copy(update={"tainted": True})


def weigh(state: State) -> Update:
    """Node `arbitrate`: the best set under what is shared, with a model's bounded preference if there is one."""
    context, candidates = state["context"], sorted(state["candidates"], key=label)
    notes = context.view.notes(recent_since(context.view.now))
    rank = state["consultant"].rank(candidates, notes)
    return {"arbitration": arbitrate(candidates, context, state["recent"], guidance=state["guidance"], rank=rank)}


def write(state: State) -> Update:
    """Node `write`: a model may rewrite the words of the first few; numbers stay the computed ones."""
    choices = state["arbitration"].chosen
    written = [_reworded(choice, state["consultant"]) for choice in choices[:MODEL_WORDS]]
    return {"choices": (*written, *choices[MODEL_WORDS:])}


def _reworded(choice: Choice, consultant: Consultant) -> Choice:
    candidate = choice.candidate
    words = consultant.words(candidate.title, candidate.why, figures.of_candidate(candidate))
    if words is None:
        return choice
    update = {"title": words.title, "why": words.why}
    return replace(choice, candidate=candidate.model_copy(update=update), origin="model", worded_by=words.by)


def enrich(
    proposal: Proposal, situation: Situation, gateway: AskModel, language: str = "en"
) -> tuple[Proposal, Situation]:
    """The same proposal and situation in a model's words and odds; actions, numbers and verdict stay as they are."""
    consultant = Consultant(gateway, language)
    words = consultant.words(proposal.title, proposal.why, figures.of_proposal(proposal))
    read = consultant.interpret(situation, ())
    if words is None:
        return proposal, read
    update = {"title": words.title, "why": words.why, "origin": "model", "worded_by": words.by}
    return proposal.model_copy(update=update), read
