"""A proposal in Block Kit: the card in a channel, and the forms to change or reject it. Pure.

Everything is plain text, so that nothing of a model or from outside becomes a link, a mention or markup.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from agents.notify.port import SlackCard
from api.cards import Card, Field, card, spoken
from api.wording import Wording
from domain.decisions import DecisionKind, ReasonCode
from domain.proposals import Proposal, ProposalStatus
from domain.prose import unlinked

Block = dict[str, Any]
MOST_ROWS = 20
_TITLE, _SECTION, _MODAL_TITLE, _LABEL = 150, 2900, 24, 150
"""What Slack takes of each, in characters."""


def slack_card(proposal: Proposal, words: Wording, base: str, horizon_days: int) -> SlackCard:
    """The card of `proposal`: what would change, what it brings, who has answered, and buttons while it waits."""
    shown = card(proposal, None, words.now, words)
    blocks: list[Block] = [{"type": "header", "text": _plain(unlinked(proposal.title), _TITLE)}]
    blocks += [_section(_row_text(shown, place)) for place in range(min(len(shown.rows), MOST_ROWS))]
    blocks.append(_section(f"“{unlinked(proposal.why)}”"))
    blocks.append(_context(*_facts(shown, words, horizon_days)))
    blocks += [_context(line) for line in _answers(shown, words)][-10:]
    blocks.append({"type": "actions", "elements": _buttons(shown, words, base)})
    status = words.label("status", proposal.status)
    return SlackCard(tuple(blocks), words("slack.notify", title=unlinked(proposal.title), status=status))


def _row_text(shown: Card, place: int) -> str:
    row = shown.rows[place]
    where = f" ({row.entity})" if row.entity else ""
    line = f"{row.what}{where}: {row.before} → {row.after}"
    if row.status == "pending":
        return line
    told = " · ".join(part for part in (row.status_text, row.detail, row.receipt) if part)
    return f"{line}\n{told}"


def _facts(shown: Card, words: Wording, horizon_days: int) -> list[str]:
    value = words("slack.expected", value=shown.expected, low=shown.low, high=shown.high, days=horizon_days)
    found = [value, words("slack.signs", signs=shown.signs)]
    if shown.valued:
        found.insert(1, shown.valued)
    if shown.proposal.status is ProposalStatus.PENDING:
        found.append(words("slack.expires", at=words.moment(shown.proposal.expires_at)))
    return found


def _answers(shown: Card, words: Wording) -> list[str]:
    lines: list[str] = []
    for decision in shown.proposal.decisions:
        said = words(
            "slack.decided",
            name=spoken(decision, words),
            decision=words.label("decision", decision.kind),
            at=words.moment(decision.at),
        )
        code = f" · {words.label('reason', decision.reason_code)}" if decision.reason_code else ""
        reason = f" · “{unlinked(decision.reason)}”" if decision.reason else ""
        lines.append(f"{said}{code}{reason}")
    return lines


def _buttons(shown: Card, words: Wording, base: str) -> list[Block]:
    proposal = shown.proposal
    opening = {
        "type": "button",
        "action_id": "open",
        "text": _plain(words("slack.open")),
        "url": f"{base}/proposals/{quote(proposal.id)}",
    }
    if proposal.status is not ProposalStatus.PENDING or proposal.verdict.kind != "ask":
        return [opening]
    value = json.dumps({"proposal": proposal.id, "fingerprint": proposal.fingerprint})
    approve = _button(DecisionKind.APPROVE, words, value) | {"style": "primary"}
    reject = _button(DecisionKind.REJECT, words, value) | {"style": "danger"}
    modify = [_button(DecisionKind.MODIFY, words, value)] if any(row.field for row in shown.rows) else []
    return [approve, *modify, reject, opening]


def _button(kind: DecisionKind, words: Wording, value: str) -> Block:
    return {"type": "button", "action_id": kind.value, "text": _plain(words(f"slack.{kind.value}")), "value": value}


def reject_form(proposal: Proposal, words: Wording, seen: Block) -> Block:
    """The modal that asks why; `seen` comes back with it."""
    options = [{"text": _plain(words.label("reason", code)), "value": code.value} for code in ReasonCode]
    select = {"type": "static_select", "action_id": "code", "options": options, "initial_option": options[-1]}
    blocks = [_section(unlinked(proposal.title)), _input("code", words("slack.reason_code"), select), _reason(words)]
    return _modal("reject", words, seen, blocks)


def modify_form(proposal: Proposal, words: Wording, seen: Block) -> Block:
    """The modal with one field for each value that can be changed; `seen` comes back with it."""
    shown = card(proposal, None, words.now, words)
    blocks = [_section(unlinked(proposal.title))]
    blocks += [_value_input(row.field, words) for row in shown.rows[:MOST_ROWS] if row.field]
    return _modal("modify", words, seen, [*blocks, _reason(words)])


def _value_input(field: Field, words: Wording) -> Block:
    element = {"type": "plain_text_input", "action_id": "value", "initial_value": field.value}
    hint = _plain(words("slack.value_hint", now=field.now, proposed=field.proposed, currency=field.unit))
    return _input(field.name, words("slack.value", what=field.what, entity=field.entity), element) | {"hint": hint}


def _reason(words: Wording) -> Block:
    element = {"type": "plain_text_input", "action_id": "reason", "multiline": True, "max_length": 3000}
    return _input("reason", words("slack.reason"), element) | {"optional": True}


def _input(name: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": name, "label": _plain(label, _LABEL), "element": element}


def _modal(kind: str, words: Wording, seen: Block, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": kind,
        "private_metadata": json.dumps(seen),
        "title": _plain(words(f"slack.title_{kind}"), _MODAL_TITLE),
        "submit": _plain(words("slack.send")),
        "close": _plain(words("slack.cancel")),
        "blocks": blocks,
    }


def _plain(text: str, most: int = 75) -> Block:
    return {"type": "plain_text", "text": text if len(text) <= most else f"{text[: most - 1]}…", "emoji": False}


def _section(text: str) -> Block:
    return {"type": "section", "text": _plain(text, _SECTION)}


def _context(*lines: str) -> Block:
    return {"type": "context", "elements": [_plain(line, _SECTION) for line in lines[:10]]}
