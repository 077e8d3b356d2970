"""The only place that changes a connected tool: dry run, re-check, write down, act, read back.

The effect row is written before the call and its idempotency key is unique, so a killed worker finds
on return what it may have begun. A tool that neither confirms nor denies, or that shows something else than
it confirmed, leaves `unknown`, for a person; one that wrote nothing and may do so later puts the action back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from agents.judgement import judge_now, judge_undo
from agents.modes import is_read_only
from domain.actions import Action, ActionKind, ActionStatus, Receipt
from domain.audit import Fact
from domain.effects import Effect, EffectStatus
from domain.errors import Conflict, ExternalError, TerminalError, TransientError
from domain.ids import derive_id
from domain.policy import VerdictKind
from domain.ports import View
from domain.proposals import Proposal
from memory.crash import reached

if TYPE_CHECKING:
    from agents.parts import Runtime

SETTLE_LAG = timedelta(days=2)
"""Reported figures of a day arrive up to two days later; measuring waits that long after its window."""
SLOW_TO_SHOW = timedelta(minutes=10)
"""How long a tool may confirm and go on showing what was before, until a person is asked."""


_OVERTAKEN = (
    ActionStatus.EXECUTING,
    ActionStatus.UNKNOWN,
    ActionStatus.PENDING,
    ActionStatus.DRIFTED,
    ActionStatus.DENIED,
)
"""What an action may have become for one worker while another one's call was under way."""


def execute(runtime: Runtime, proposal: Proposal, action: Action) -> None:
    """Carry out a pending action of an approved proposal, or say why not.

    Raises TransientError when the tool wrote nothing and may be tried again: the action then is pending as before.
    In read-only mode it is left as it is.
    """
    if is_read_only(runtime) or _refused(runtime, proposal, action):
        return
    state = runtime.tools.read_back(action.spec)
    if action.spec.expect is not None and not same_state(state, action.spec.expect):
        _drift(runtime, action, f"{action.spec.entity} is {state!r} now, not {action.spec.expect!r}", state)
        return
    if _dry_run_refused(runtime, action):
        return
    reached("action.validated")
    if _claim(runtime, proposal, action, state):
        settle(runtime, proposal, runtime.store.actions.get(action.id))


def _refused(runtime: Runtime, proposal: Proposal, action: Action, view: View | None = None) -> bool:
    refusal = _refusal(runtime, proposal, action, view)
    if refusal is not None:
        _close(runtime, action, ActionStatus.DENIED, "action.denied", refusal)
    return refusal is not None


def _dry_run_refused(runtime: Runtime, action: Action) -> bool:
    """Whether the vendor's own dry run says no; then nothing was written, and its reason is kept."""
    try:
        runtime.tools.validate(action.spec)
    except Conflict as error:
        _drifted(runtime, action, error)
        return True
    except TerminalError as error:
        _close(runtime, action, ActionStatus.DENIED, "action.denied", f"the tool's dry run refused: {error.detail}")
        return True
    return False


def _claim(runtime: Runtime, proposal: Proposal, action: Action, state: object) -> bool:
    """Judge once more and claim, as one transaction over all processes; False when another judgement or worker won.

    Of two actions that fit the limits alone but not together, one runs. What was heard meanwhile is judged too.
    """
    while True:
        now = runtime.clock.now()
        view = runtime.store.view(now)
        # Read before nobody else can write, so that the transaction is short.
        _ = view.tree, view.limits()
        with runtime.store.alone("claim"):
            if runtime.store.view(now).seq != view.seq:
                continue
            if is_read_only(runtime) or _refused(runtime, proposal, action, view):
                return False
            return runtime.store.actions.move(
                action.id, ActionStatus.PENDING, ActionStatus.EXECUTING, due_at=now, facts=[], state_before=state
            )


def settle(runtime: Runtime, proposal: Proposal, action: Action) -> None:
    """Finish an action that is executing, begun by us now or by a worker that died."""
    begun = _begin(runtime, action)
    if begun is None:
        return
    effect, begun_now = begun
    if effect.status is EffectStatus.CONFIRMED:
        _confirm(runtime, proposal, action, effect.receipt)
    elif begun_now or runtime.tools.repeatable(action.spec):
        _call(runtime, proposal, action, effect, first=begun_now)
    else:
        _after_silence(runtime, proposal, action, effect, "the worker died while the tool was being called")


def _call(runtime: Runtime, proposal: Proposal, action: Action, effect: Effect, *, first: bool) -> None:
    """Call the tool. What it refuses says that nothing was written only if nobody else called."""
    reached("tool.called")
    try:
        receipt = runtime.tools.apply(action, effect)
    except (Conflict, ExternalError) as error:
        if first and _after_failure(runtime, action, effect, error):
            return
        if isinstance(error, TransientError) and error.facts.get("outcome") != "unknown":
            raise
        _after_silence(runtime, proposal, action, effect, error.detail)
    else:
        reached("tool.answered")
        _believe(runtime, proposal, action, effect, receipt)


def _after_failure(runtime: Runtime, action: Action, effect: Effect, error: Conflict | ExternalError) -> bool:
    """The only call failed and wrote nothing: drifted, refused, or to be tried again; False when that is not sure.

    Raises TransientError for what waits for its next try.
    """
    later = isinstance(error, TransientError) and error.facts.get("outcome") != "unknown"
    if not later and not isinstance(error, Conflict | TerminalError):
        return False
    with runtime.store.alone("effect.postponed" if later else "effect.failed"):
        stored = runtime.store.effects.get(effect.idempotency_key)
        if stored is None or stored.repeated or not _finish(runtime, effect, EffectStatus.FAILED, error.detail):
            return False
        if later:
            _put_back(runtime, action, effect, error)
        elif isinstance(error, Conflict):
            _drifted(runtime, action, error)
        else:
            _close(runtime, action, ActionStatus.DENIED, "effect.failed", f"the tool refused: {error.detail}")
    if later:
        raise error
    return True


def _believe(runtime: Runtime, proposal: Proposal, action: Action, effect: Effect, receipt: Receipt) -> None:
    """Confirm what the tool answered, once it also shows it.

    Raises TransientError while it may only be slow to show it; afterwards a person is asked.
    """
    try:
        shown = runtime.tools.read_back(action.spec)
    except ExternalError as error:
        said = f"it could not be read back: {error.detail}"
        receipt = receipt.model_copy(update={"detail": f"{receipt.detail}; {said}" if receipt.detail else said})
        _confirm(runtime, proposal, action, receipt)
        return
    if same_state(shown, action.spec.value) or (shown is None and not action.spec.reversible):
        _confirm(runtime, proposal, action, receipt)
        return
    said = f"the tool confirmed it, but shows {shown!r} where {action.spec.value!r} was set"
    if runtime.clock.now() < effect.started_at + SLOW_TO_SHOW:
        raise TransientError(f"{action.id}: {said}. It is looked at again.", outcome="unknown")
    _ask(runtime, action, effect, said)


def _put_back(runtime: Runtime, action: Action, effect: Effect, error: Conflict | ExternalError) -> None:
    """Nothing was written: the action waits as before, to be judged and compared anew at the next try."""
    now = runtime.clock.now()
    fact = _fact(runtime, "effect.postponed", action.id, effect=effect.id, because=error.detail)
    runtime.store.actions.move(
        action.id, ActionStatus.EXECUTING, ActionStatus.PENDING, due_at=now, facts=[fact], detail=error.detail
    )


def _after_silence(runtime: Runtime, proposal: Proposal, action: Action, effect: Effect, why: str) -> None:
    """The tool may or may not have acted: believe what it shows now, or ask a person."""
    reached("silence.met")
    try:
        shown = runtime.tools.read_back(action.spec)
    except ExternalError as error:
        shown, why = None, f"{why}; reading back failed too: {error.detail}"
    if shown is not None and same_state(shown, action.spec.value):
        receipt = Receipt(idempotency_key=effect.idempotency_key, at=runtime.clock.now(), read_back=shown, detail=why)
        _confirm(runtime, proposal, action, receipt)
        return
    _ask(runtime, action, effect, why)


def _ask(runtime: Runtime, action: Action, effect: Effect, why: str) -> None:
    """Nobody but a person can tell what happened."""
    detail = f"{why}. Look into the tool, then say whether it happened."
    fact = _fact(runtime, "effect.unknown", action.id, proposal=action.proposal, because=detail)
    with runtime.store.alone("effect.unknown"):
        if _finish(runtime, effect, EffectStatus.UNKNOWN, detail):
            for status in _OVERTAKEN:
                if runtime.store.actions.move(
                    action.id, status, ActionStatus.UNKNOWN, due_at=None, facts=[fact], detail=detail
                ):
                    return


def _refusal(runtime: Runtime, proposal: Proposal, action: Action, view: View | None) -> str | None:
    """Why the action may no longer happen; policy and limits may have changed since the decision."""
    if action.undo_of is not None:
        verdict = judge_undo(runtime, action.spec, view)
    else:
        verdict = judge_now(runtime, [action.spec], tainted=proposal.tainted, demanded=proposal.mandatory, view=view)
    if verdict.kind is VerdictKind.DENY:
        if verdict.rule == "finance.limit" and _cut_to_come(runtime, proposal, action):
            raise TransientError(f"{action.id} waits for the cut of the same proposal that makes room under a cap.")
        return f"policy denies it now: {verdict.reason} ({verdict.rule})"
    by_rule = (action.authorised_by or "").startswith("rule:")
    if by_rule and verdict.kind is not VerdictKind.AUTO:
        return f"a rule let it run by itself, but now it must be asked: {verdict.reason} ({verdict.rule})"
    return None


def _cut_to_come(runtime: Runtime, proposal: Proposal, action: Action) -> bool:
    """Whether another action of the proposal, not done yet, lowers a budget."""
    others = (each for each in runtime.store.proposals.get(proposal.id).actions if each.id != action.id)
    open_ones = (each.spec for each in others if each.status in {ActionStatus.PENDING, ActionStatus.EXECUTING})
    return any(spec.kind == ActionKind.BUDGET_SET and spec.value < (spec.expect or 0) for spec in open_ones)


def _begin(runtime: Runtime, action: Action) -> tuple[Effect, bool] | None:
    """The effect row of this action, and whether it was written just now; None when another worker ended it."""
    effect = Effect(
        id=derive_id("eff", action.idempotency_key),
        action=action.id,
        proposal=action.proposal,
        connector=runtime.tools.name_for(action.spec),
        idempotency_key=action.idempotency_key,
        argument_hash=action.spec.argument_hash,
        authorised_by=action.authorised_by or "",
        state_before=action.state_before,
        started_at=runtime.clock.now(),
    )
    facts = [
        _fact(
            runtime,
            "effect.started",
            action.id,
            effect=effect.id,
            proposal=effect.proposal,
            argument_hash=effect.argument_hash,
            authorised_by=effect.authorised_by,
            kind=action.spec.kind,
            entity=action.spec.entity,
            # What is created or said may speak of people; its hash says enough.
            value=action.spec.value if action.spec.reversible else None,
        )
    ]
    with runtime.store.alone("effect.started"):
        if runtime.store.actions.get(action.id).status is not ActionStatus.EXECUTING:
            return None
        if runtime.store.effects.begin(effect, facts=facts):
            return effect, True
        return runtime.store.effects.get(effect.idempotency_key) or effect, False


def _confirm(runtime: Runtime, proposal: Proposal, action: Action, receipt: Receipt | None) -> None:
    """The tool acted: keep its receipt with what it shows now, and say when to measure."""
    now = runtime.clock.now()
    if receipt is None:
        raise AssertionError("a confirmed effect has a receipt")
    shown = receipt.read_back if action.spec.reversible else None
    facts = [_fact(runtime, "effect.confirmed", action.id, read_back=shown, vendor_id=receipt.vendor_id)]
    key, confirmed = receipt.idempotency_key, EffectStatus.CONFIRMED
    with runtime.store.alone("effect.confirmed"):
        runtime.store.effects.finish(key, confirmed, at=now, receipt=receipt, facts=facts)
        mark_done(runtime, proposal, action.id, receipt)


def mark_done(runtime: Runtime, proposal: Proposal, action_id: str, receipt: Receipt) -> None:
    """The action of a confirmed effect is done, also when another worker had given it up or put it back meanwhile."""
    now = runtime.clock.now()
    action = runtime.store.actions.get(action_id)
    measure_at = _measure_at(proposal, action, now)
    done = {"receipt": receipt, "executed_at": now, "measure_at": measure_at, "detail": None}
    for status in _OVERTAKEN:
        if runtime.store.actions.move(action_id, status, ActionStatus.DONE, due_at=measure_at, facts=[], **done):
            return


def _measure_at(proposal: Proposal, action: Action, now: datetime) -> datetime | None:
    """An undo is not measured; everything else with a plan is, once its window and the reporting lag are over."""
    if proposal.measurement.method == "none" or action.undo_of is not None:
        return None
    return now + timedelta(days=proposal.measurement.days) + SETTLE_LAG


def _finish(runtime: Runtime, effect: Effect, status: EffectStatus, detail: str) -> bool:
    """Whether it ended so; not when another worker heard the tool confirm it."""
    return runtime.store.effects.finish(
        effect.idempotency_key, status, at=runtime.clock.now(), receipt=None, detail=detail, facts=[]
    )


def _drifted(runtime: Runtime, action: Action, error: Conflict) -> None:
    """The tool itself says that it shows another state."""
    state = cast("dict[str, object]", error.facts.get("state") or {})
    _drift(runtime, action, error.detail, state.get(action.spec.kind))


def _drift(runtime: Runtime, action: Action, detail: str, state: object) -> None:
    """Somebody else changed it since the proposal was computed: nothing was done."""
    _close(runtime, action, ActionStatus.DRIFTED, "action.drifted", detail, state_before=state)


def _close(
    runtime: Runtime, action: Action, status: ActionStatus, verb: str, detail: str, *, state_before: object = None
) -> None:
    fact = _fact(runtime, verb, action.id, proposal=action.proposal, because=detail)
    kept = action.state_before if state_before is None else state_before
    runtime.store.actions.move(
        action.id, action.status, status, due_at=None, facts=[fact], detail=detail, state_before=kept
    )


def same_state(shown: object, wanted: object) -> bool:
    """Whether a tool shows what was wanted; mappings match when every wanted key does."""
    if isinstance(wanted, Mapping) and isinstance(shown, Mapping):
        expected = cast("Mapping[object, object]", wanted)
        found = cast("Mapping[object, object]", shown)
        return all(same_state(found.get(key), value) for key, value in expected.items())
    return shown == wanted


def _fact(runtime: Runtime, verb: str, subject: str, **facts: object) -> Fact:
    return Fact(at=runtime.clock.now(), actor="worker", verb=verb, subject=subject, facts=facts)
