"""Puts proof where deals die: existing assets first, a brief for what is missing, tasks on deals still open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

from agents.detectors.accounts import open_deals
from agents.pools import CONTENT_POOL
from agents.specialists.plan import lesson_factor, unmeasured
from domain.actions import ActionKind, ActionSpec, Brief, Task
from domain.money import money_text, to_minor
from domain.ports import Context, Told
from domain.proposals import Candidate, Expected, Measurement, Resource
from domain.prose import term
from domain.signals import AssetChanged, DealChanged
from domain.situations import Evidence, Situation, SituationKind

TOP_PRIORITY = 95
BRIEF_HOURS = 16.0
MOST_TASKS = 5
TASK_COST_MAJOR = 120
# Share of the excess losses that proof in the right hands saves: judgement until outcomes say otherwise.
_SAVED = {"published": (0.12, 0.0, 0.30), "queued": (0.08, -0.01, 0.22), "brief": (0.05, -0.02, 0.18)}
_TASK_SAVED = (0.04, 0.0, 0.10)
_KINDS = {"security": "compliance", "compliance": "compliance", "roi_proof": "roi_calculator"}


class ContentSpecialist:
    """Built-in specialist `content`."""

    name = "content"

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        if situation.kind not in {SituationKind.LOSS_PATTERN, SituationKind.LATE_COLLAPSE}:
            return
        reason = str(situation.facts["reason"])
        fitting = _fitting(context.view.assets(), reason)
        for told in fitting:
            now = priority_now(context, told.data)
            if now < TOP_PRIORITY and told.data.asset in context.view.tree:
                yield _prioritise(situation, context, told, now, first=told is fitting[0])
        if not any(told.data.stage == "verify" for told in fitting):
            yield _brief(situation, context, reason)
        if situation.kind == SituationKind.LATE_COLLAPSE:
            yield from _save_open(situation, context, reason)


def _fitting(assets: Sequence[Told[AssetChanged]], reason: str) -> list[Told[AssetChanged]]:
    """Assets on the topic: what is published comes first, and proof before comparison."""
    order = {"verify": 0, "compare": 1, "learn": 2}
    fitting = [told for told in assets if reason in told.data.topics and told.data.stage != "learn"]
    return sorted(fitting, key=lambda t: (t.data.status != "published", order[t.data.stage], t.data.asset))


def priority_now(context: Context, asset: AssetChanged) -> int:
    """Priority as the board shows it, else as last told; 0 when never set."""
    shown = context.state.get(asset.asset, {}).get(ActionKind.PRIORITY_SET)
    return int(shown if shown is not None else asset.priority or 0)


def _worth(situation: Situation, context: Context, rates: tuple[float, float, float], share: float = 1.0) -> Expected:
    """Money lost to the reason beyond its usual rate × margin × share saved, over what is left of the horizon."""
    lost = float(situation.facts["money_minor"]) * float(situation.facts.get("excess_rate", 1.0)) / 30
    # Content takes weeks to be found: the first month of the horizon counts for nothing.
    days = max(0, context.objective.horizon_days - 30)
    total = lost * days * context.objective.margin_rate * share * lesson_factor(context, _about(situation))
    mean, low, high = (round(total * rate) for rate in rates)
    return Expected(value=mean, low=low, high=high, currency=context.objective.currency)


def _about(situation: Situation) -> str:
    return f"content:{situation.facts['reason']}"


def _topic(situation: Situation) -> str:
    return term(str(situation.facts["reason"]))


def _prioritise(
    situation: Situation, context: Context, told: Told[AssetChanged], now: int, *, first: bool
) -> Candidate:
    asset = told.data
    published = asset.status == "published"
    # A second asset on the same topic adds less than the first.
    worth = _worth(situation, context, _SAVED["published" if published else "queued"], 1.0 if first else 0.4)
    verb = "Bring forward" if published else "Make next"
    return Candidate(
        key=f"priority:{asset.asset}",
        situation=situation.id,
        specialist="content",
        specs=(
            ActionSpec(
                kind=ActionKind.PRIORITY_SET, entity=asset.asset, value=TOP_PRIORITY, expect=now,
                reason=situation.title[:200],
            ),
        ),
        title=f"{verb}: {asset.title} (priority {now} to {TOP_PRIORITY})",
        why=f"{situation.summary} “{asset.title}” answers it and " + (
            "exists already, but stands where nobody finds it." if published else f"waits as {asset.status}."
        ),
        expected=worth,
        risk="Other content waits meanwhile.",
        uses=() if published else (Resource(pool=CONTENT_POOL, amount=asset.hours or BRIEF_HOURS),),
        measurement=_plan(situation, context),
        evidence=(*situation.evidence, _arithmetic(situation, worth, f"“{asset.title}” is {asset.status}")),
    )  # fmt: skip


def _brief(situation: Situation, context: Context, reason: str) -> Candidate:
    worth = _worth(situation, context, _SAVED["brief"])
    topic = term(reason)
    brief = Brief(
        title=f"Proof on {topic} for buyers who verify",
        kind=_KINDS.get(reason, "case_study"),
        topics=(reason,),
        stage="verify",
        evidence=tuple(fact.source for fact in situation.evidence if fact.quote)[:5],
    )
    return Candidate(
        key=f"brief:{reason}",
        situation=situation.id,
        specialist="content",
        specs=(ActionSpec(kind=ActionKind.BRIEF_CREATE, value=brief.model_dump(), reason=situation.title[:200]),),
        title=f"Commission proof on {topic}",
        why=f"{situation.summary} No asset for buyers who verify speaks of {topic}.",
        expected=worth,
        risk="It takes weeks to make and may come too late.",
        uses=(Resource(pool=CONTENT_POOL, amount=BRIEF_HOURS), Resource(pool=f"once:{reason}", amount=1)),
        measurement=_plan(situation, context),
        evidence=(*situation.evidence, _arithmetic(situation, worth, "nothing exists")),
    )


def _save_open(situation: Situation, context: Context, reason: str) -> Iterable[Candidate]:
    """Tasks on the largest deals that stand where the others fell."""
    at_risk = [told for told in open_deals(context.view) if told.data.deal in situation.facts.get("open_late", [])]
    at_risk.sort(key=lambda told: (-(told.data.amount or 0), told.data.deal))
    for told in at_risk[:MOST_TASKS]:
        if told.data.deal in context.view.tree:
            yield _task(situation, context, told, reason)


def _task(situation: Situation, context: Context, told: Told[DealChanged], reason: str) -> Candidate:
    currency = context.objective.currency
    cost = to_minor(TASK_COST_MAJOR, currency)
    amount = to_minor(told.data.amount or 0, currency) * context.objective.margin_rate
    mean, low, high = (round(amount * rate) - cost for rate in _TASK_SAVED)
    topic = reason.replace("_", " ")
    task = Task(
        title=f"Settle {topic} before the contract",
        assignee=told.data.owner or "sales",
        due=context.view.now + timedelta(days=2),
        body=f"{situation.summary} Check {topic} with the buyer now and attach the documents.",
    )
    worth = Expected(value=mean, low=low, high=high, currency=currency)
    return Candidate(
        key=f"task:{told.data.deal}",
        situation=situation.id,
        specialist="content",
        specs=(
            ActionSpec(
                kind=ActionKind.TASK_CREATE,
                entity=told.data.deal,
                value=task.model_dump(mode="json"),
                reason=situation.title[:200],
            ),
        ),
        title=f"Ask {task.assignee} to settle {topic} on {context.view.tree.name(told.data.deal)}",
        why=f"{situation.summary} This deal stands in {told.data.stage}, where the others fell.",
        expected=worth,
        cost_minor=cost,
        risk="A task costs time of the sales team.",
        measurement=unmeasured(context, "One deal is too few to tell an effect."),
        evidence=(*situation.evidence, _arithmetic(situation, worth, "this deal is one of those at risk")),
    )


def _plan(situation: Situation, context: Context) -> Measurement:
    return Measurement(
        metric="loss_rate",
        method="before_after",
        treated=(),
        start=context.view.now,
        days=context.objective.horizon_days,
        stop=f"After {context.objective.horizon_days} days: share of losses over {_topic(situation)}.",
    )


def _arithmetic(situation: Situation, worth: Expected, what: str) -> Evidence:
    lost = int(situation.facts["money_minor"])
    money = partial(money_text, currency=worth.currency)
    return Evidence(
        text=f"{money(lost)} lost over {_topic(situation)} in 30 days; {what}: "
        f"{money(worth.value)} expected ({money(worth.low)} to {money(worth.high)}; the share saved is assumed).",
        figures={"money_minor": lost, "value_minor": worth.value, "low": worth.low, "high": worth.high},
        source=f"lesson:{_about(situation)}",
    )
