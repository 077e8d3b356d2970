"""`/v1/policy`: the rules in force, where they stand, why they say what they say, and what they would have said."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from agents.hindsight import look_back
from agents.judgement import explain_now
from api.given import Used, asking
from api.routes.proposals import specs_of
from api.schemas.policy import (
    ActionsToExplain,
    Explained,
    ExplainedActions,
    Hindsight,
    RuleReading,
    RulesInForce,
    Standing,
)
from api.schemas.proposals import Check
from domain.explain import Explanation

router = APIRouter(prefix="/v1/policy", tags=["policy"])


@router.get("", summary="Read the policy", **asking("read"))
def read_policy(runtime: Used) -> RulesInForce:
    """The rules in force and how far each is trusted."""
    policy = runtime.policies.current()
    standings = runtime.track_record.standings(policy)
    return RulesInForce(
        version=policy.version,
        limits=policy.limits.model_dump(mode="json"),
        rules=[rule.model_dump(mode="json") for rule in policy.rules],
        trust={rule: Standing.model_validate(standing) for rule, standing in standings.items()},
        fault=runtime.policies.fault,
    )


@router.post("/explain", summary="Explain a verdict", **asking("read", 400, 422))
def explain_actions(body: ActionsToExplain, runtime: Used) -> ExplainedActions:
    """What policy says of each action by itself as things stand now, rule by rule. Nothing is done or kept."""
    return ExplainedActions(items=[_shown(explain_now(runtime, spec)) for spec in specs_of(body.actions)])


@router.get("/simulation", summary="Simulate the policy", **asking("read", 422))
def simulate(
    runtime: Used, days: Annotated[int, Query(ge=1, le=730, description="How far to look back.", examples=[90])] = 90
) -> Hindsight:
    """Judges the proposals of the last `days` days by the policy in force; `accord policy simulate` takes any file."""
    return Hindsight.model_validate(look_back(runtime, runtime.policies.current(), days))


def _shown(found: Explanation) -> Explained:
    return Explained(
        verdict=found.verdict.kind,
        rule=found.verdict.rule,
        reason=found.verdict.reason,
        rules=[RuleReading.model_validate(reading) for reading in found.rules],
        checks=[Check.model_validate(check) for check in found.verdict.checks],
    )
