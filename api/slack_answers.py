"""What a click or a form in Slack does: the same decisions as everywhere, by the person behind the Slack user."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agents import approve
from agents.people import known_people
from api.cards import changed_specs
from api.slack_cards import modify_form, reject_form
from domain.decisions import DecisionKind, DecisionRequest, Person, ReasonCode
from domain.errors import AccordError, InputError
from domain.lifecycle import refuse_unless_open

if TYPE_CHECKING:
    from agents.parts import Runtime
    from api.notice_writer import NoticeWriter

Payload = dict[str, Any]


class Workspace(Protocol):
    """The part of Slack that an answer needs."""

    def whisper(self, channel: str, user: str, text: str) -> None: ...
    def open_modal(self, trigger: str, view: Payload) -> None: ...
    def email_of(self, user: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class SlackAnswers:
    """Interactions of one workspace. Their signature was verified before."""

    runtime: Runtime
    writer: NoticeWriter
    workspace: Workspace

    def handle(self, payload: Payload) -> Payload | None:
        """Carries out one interaction; what Slack is answered, None for an empty answer.

        A refused click is told to who clicked, alone; a refused form shows its fault. Raises TransientError when
        Slack cannot be asked or told.
        """
        match payload.get("type"):
            case "block_actions":
                for action in payload.get("actions", ()):
                    self._clicked(payload, action)
                return None
            case "view_submission":
                return self._submitted(payload)
            case _:
                return None

    def person(self, user: str) -> Person:
        """The person behind a Slack user, by the configured id, else by e-mail address. Raises InputError."""
        people = known_people(self.runtime)
        named = self.runtime.settings.slack.users.get(user)
        if named is not None and named in people:
            return people[named]
        email = (self.workspace.email_of(user) or "").casefold()
        found = [person for person in people.values() if person.email and person.email.casefold() == email]
        if len(found) != 1:
            raise InputError(self.writer.words()("slack.unknown_user"))
        return found[0]

    def _clicked(self, payload: Payload, action: Payload) -> None:
        kind = action.get("action_id")
        if kind not in {"approve", "reject", "modify"}:
            return
        user = str(payload["user"]["id"])
        try:
            self._carry_out(str(kind), payload, json.loads(action["value"]), user)
        except AccordError as error:
            if error.status >= 500:
                raise
            self.workspace.whisper(str(payload["channel"]["id"]), user, error.detail)

    def _carry_out(self, kind: str, payload: Payload, seen: Payload, user: str) -> None:
        person = self.person(user)
        if kind == "approve":
            self._decide(seen, DecisionRequest(decision=DecisionKind.APPROVE, fingerprint=seen["fingerprint"]), person)
            return
        proposal = self.runtime.store.proposals.get(seen["proposal"])
        refuse_unless_open(proposal, seen["fingerprint"], self.runtime.clock.now())
        make = reject_form if kind == "reject" else modify_form
        words = self.writer.words(person.language)
        self.workspace.open_modal(str(payload["trigger_id"]), make(proposal, words, seen))

    def _submitted(self, payload: Payload) -> Payload:
        view = payload["view"]
        values, blocks = view["state"]["values"], [block.get("block_id") for block in view.get("blocks", ())]
        try:
            person = self.person(str(payload["user"]["id"]))
            seen = json.loads(view["private_metadata"])
            self._decide(seen, self._request(str(view["callback_id"]), seen, values), person)
        except AccordError as error:
            if error.status >= 500:
                raise
            at = next((name for name in (*values, *blocks) if name), "reason")
            return {"response_action": "errors", "errors": {at: error.detail}}
        return {"response_action": "clear"}

    def _request(self, form: str, seen: Payload, values: Payload) -> DecisionRequest:
        """Raises InputError for values that are none."""
        reason = str(values.get("reason", {}).get("reason", {}).get("value") or "")
        given: Payload = {"fingerprint": seen["fingerprint"], "reason": reason}
        if form == "reject":
            chosen: Payload | None = values.get("code", {}).get("code", {}).get("selected_option")
            code = _code(chosen["value"]) if chosen else None
            return DecisionRequest(decision=DecisionKind.REJECT, reason_code=code, **given)
        proposal = self.runtime.store.proposals.get(seen["proposal"])
        fields = {name: str(block.get("value", {}).get("value") or "") for name, block in values.items()}
        return DecisionRequest(decision=DecisionKind.MODIFY, actions=changed_specs(proposal, fields), **given)

    def _decide(self, seen: Payload, request: DecisionRequest, person: Person) -> None:
        approve.decide(self.runtime, seen["proposal"], request, person, channel="slack")


def _code(name: object) -> ReasonCode | None:
    return ReasonCode(name) if name in set(ReasonCode) else None
