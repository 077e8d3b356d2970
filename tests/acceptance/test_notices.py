"""People are reached by a real mail server and a Slack emulator, and answer from there: once each, and safely."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit

import pytest
from aiosmtpd.controller import Controller

from agents.clock import ManualClock
from agents.notify.notifier import Notifier
from agents.notify.port import Ways
from agents.settings import AuthSettings, SlackSettings
from api.app import create_app
from api.slack_signature import sign
from connectors.mail.smtp import Mailer
from connectors.slack.messages import SlackMessages
from domain.decisions import Person
from tests.acceptance.conftest import NOW, Company

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from domain.proposals import Proposal

PEOPLE = (
    Person(id="ana", email="ana@example.org", roles=frozenset({"search_owner"}), language="fr"),
    Person(id="ben", email="ben@example.org", roles=frozenset({"finance"})),
    Person(id="chloe", email="chloe@example.org", roles=frozenset({"cmo"})),
    Person(id="eve", email="eve@example.org", roles=frozenset({"content_lead"})),
    Person(id="root", roles=frozenset({"admin"})),
)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class Postbox:
    """What arrived at the mail server; says `answer` to every message."""

    def __init__(self) -> None:
        self.answer = "250 taken"
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 — aiosmtpd's name
        if self.answer.startswith("2"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


def reachable(company: Company, **settings: Any) -> Company:
    """The company whose people have addresses; `settings` take the place of configured ones."""
    given = {"auth": AuthSettings(people=PEOPLE), "public_url": "https://accord.example.org", **settings}
    runtime = replace(company.runtime, settings=company.runtime.settings.model_copy(update=given))
    return Company(runtime, company.gate, create_app(runtime, gate=company.gate), company.clock)


def notifier(company: Company, wall: ManualClock, **ways: Any) -> Notifier:
    return Notifier(
        company.runtime, company.app.state.desk.writer, Ways(sender="Accord <accord@example.org>", **ways), wall
    )


def mailing(company: Company, url: str) -> tuple[Company, Notifier, ManualClock]:
    reached, wall = reachable(company), ManualClock(NOW)
    return reached, notifier(reached, wall, mail=Mailer(url, lambda: None)), wall


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    return cast("Any", mail.get_body((kind,))).get_content()


def link(mail: EmailMessage, word: str) -> str:
    """Path and query of the link behind `word`."""
    found = re.search(rf"^{word}\s?: (\S+/answer\?token=\S+)", text_of(mail), re.MULTILINE)
    assert found, text_of(mail)
    parts = urlsplit(found[1])
    return f"{parts.path}?{parts.query}"


def follow(client: TestClient, path: str) -> Any:
    return client.post("/answer", data={"token": path.partition("token=")[2]})


def test_who_is_asked_gets_one_mail_in_their_language_without_foreign_links(
    company: Company, waiting: Proposal, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    _, telling, _ = mailing(company, url)
    assert [telling.tell(), telling.tell()] == [2, 0]
    (french,), (english,) = box.to("ana@example.org"), box.to("ben@example.org")
    assert box.to("eve@example.org") == box.to("chloe@example.org") == []
    assert french["Subject"].startswith("Votre réponse est demandée")
    assert english["Subject"] == f"Your answer is asked: {waiting.title}"
    assert english["Message-ID"].endswith("@example.org>")
    assert french["Message-ID"] != english["Message-ID"]
    assert "€1,200 a day → €1,380 a day" in text_of(english)
    links = set(re.findall(r"https?://[^/\s\"<]+", text_of(english) + text_of(english, "html")))
    assert links == {"https://accord.example.org"}
    facts = [row for row in company.runtime.store.audit.rows() if row.subject == waiting.id]
    assert [row.verb for row in facts if row.actor == "notifier"] == ["notice.queued"] * 2 + ["notice.sent"] * 2


def test_looking_at_a_link_decides_nothing_and_its_button_decides_once(
    company: Company, waiting: Proposal, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    reached, telling, _ = mailing(company, url)
    telling.tell()
    yes, no = (link(box.to("ben@example.org")[0], word) for word in ("Approve", "Reject"))
    stranger = reached.stranger()
    for _ in range(3):
        assert stranger.get(yes).status_code == 200
        assert stranger.head(yes).status_code in {200, 405}
    assert reached.runtime.store.proposals.get(waiting.id).decisions == ()

    assert follow(stranger, yes).status_code == 200
    (decision,) = reached.runtime.store.proposals.get(waiting.id).decisions
    assert (decision.by, decision.channel, decision.role) == ("ben", "mail", "finance")
    for path in (yes, no):
        again = follow(stranger, path)
        assert again.status_code == 409
        assert "'ben' answered" in again.text
    ana = link(box.to("ana@example.org")[0], "Approuver")
    assert follow(stranger, ana).status_code == 200
    assert reached.runtime.store.proposals.get(waiting.id).status == "approved"
    assert "'ana' answered first" in stranger.get(link(box.to("ana@example.org")[0], "Refuser")).text


def test_a_link_is_of_no_use_when_forged_overtaken_or_expired(
    company: Company, waiting: Proposal, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    reached, telling, _ = mailing(company, url)
    telling.tell()
    yes, stranger = link(box.to("ben@example.org")[0], "Approve"), reached.stranger()
    packed, _, mac = yes.partition("token=")[2].partition(".")
    for token in (f"{packed}.{mac[:-2]}xx", f"{packed[:-4]}AAAA.{mac}", "", "x.y"):
        assert stranger.post("/answer", data={"token": token}).status_code in {401, 422}
    session = {"token": reached.gate.login_path("ana").partition("token=")[2]}
    assert stranger.post("/answer", data=session).status_code == 401
    path, spec = f"/v1/proposals/{waiting.id}/decisions", waiting.actions[0].spec.model_dump(mode="json")
    changed = {"decision": "modify", "fingerprint": waiting.fingerprint, "actions": [{**spec, "value": 130000}]}
    assert reached.client("ana").post(path, json=changed).status_code == 200
    overtaken = follow(stranger, yes)
    assert (overtaken.status_code, "'ana' changed it" in overtaken.text) == (409, True)
    reached.clock.set(waiting.expires_at + timedelta(seconds=1))
    assert follow(stranger, yes).status_code == 401
    assert [d.by for d in reached.runtime.store.proposals.get(waiting.id).decisions] == ["ana"]


def test_a_server_that_puts_us_off_is_tried_again_and_one_that_refuses_is_not(
    company: Company, waiting: Proposal, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    reached, telling, wall = mailing(company, url)
    box.answer = "451 later"
    assert telling.tell() == 0
    box.answer = "250 taken"
    assert telling.tell() == 0, "its time has not come"
    wall.set(NOW + timedelta(seconds=31))
    assert telling.tell() == 2
    assert len(box.mails) == 2
    box.answer = "550 no such user"
    company.clock.set(waiting.expires_at - timedelta(hours=1))
    wall.set(NOW + timedelta(hours=23))
    telling.tell()
    failed = reached.client("root").get("/v1/notices?status=failed").json()["items"]
    assert {each["kind"] for each in failed} == {"expiring"}
    assert "550" in failed[0]["detail"]


def test_escalation_reminder_question_and_answer_reach_whom_they_concern(
    company: Company, waiting: Proposal, postbox: tuple[Postbox, str]
) -> None:
    box, url = postbox
    reached, telling, wall = mailing(company, url)
    ana, ben = reached.client("ana"), reached.client("ben")
    asked = ana.post(
        f"/v1/proposals/{waiting.id}/questions", json={"text": "Booked? https://evil.example", "to": "ben"}
    )
    question = asked.json()["items"][0]["id"]
    ben.post(f"/v1/proposals/{waiting.id}/questions/{question}/answers", json={"text": "Until May."})
    body = {"decision": "escalate", "fingerprint": waiting.fingerprint, "reason": "not mine"}
    assert ana.post(f"/v1/proposals/{waiting.id}/decisions", json=body).status_code == 200
    telling.tell()
    assert [mail["Subject"].partition(":")[0] for mail in box.to("chloe@example.org")] == ["Handed on to you"]
    assert any("https[:]//evil[.]example" in text_of(mail) for mail in box.to("ben@example.org"))
    assert any("Until May." in text_of(mail) for mail in box.to("ana@example.org"))
    box.mails.clear()
    later = reached.runtime.store.proposals.get(waiting.id).expires_at - timedelta(hours=2)
    reached.clock.set(later)
    wall.set(later)
    telling.tell()
    assert [mail["Subject"].partition(" ")[0] for mail in box.to("ben@example.org")] == ["Expires"]


@pytest.fixture(scope="module")
def workspace() -> Iterator[tuple[str, str, Any]]:
    """A Slack emulator: address of its API, token, and Slack's own client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DO_NOT_TRACK", "1")
        import backlot
        from slack_sdk import WebClient

        with backlot.serve() as served:
            base = f"{served.base_url}/slack/api/"
            yield base, served.token, WebClient(token=served.token, base_url=base)


class WithModals:
    """The emulator serves no modals: they are kept here, everything else goes there."""

    def __init__(self, inner: SlackMessages) -> None:
        self._inner = inner
        self.opened: list[dict[str, Any]] = []
        self.whispers: list[str] = []

    def open_modal(self, trigger: str, view: dict[str, Any]) -> None:
        assert trigger
        self.opened.append(view)

    def whisper(self, channel: str, user: str, text: str) -> None:
        self._inner.whisper(channel, user, text)
        self.whispers.append(text)

    def email_of(self, user: str) -> str | None:
        return self._inner.email_of(user)


class Chat:
    """A company that shows its proposals in a channel of the emulator, and people who click there."""

    def __init__(self, company: Company, workspace: tuple[str, str, Any]) -> None:
        base, token, self.client = workspace
        self.channel = self.client.conversations_list().data["channels"][0]["id"]
        users = self.client.users_list().data["members"]
        self.users = {"ana": users[0]["id"], "ben": users[1]["id"], "foreign": users[2]["id"]}
        found = {user["id"]: user["profile"]["email"] for user in users}
        people = tuple(
            person.model_copy(update={"email": found.get(self.users.get(person.id, ""), person.email)})
            for person in PEOPLE
        )
        slack = SlackSettings(channel=self.channel, api_base=base, users={self.users["ben"]: "ben"})
        self.company = reachable(company, auth=AuthSettings(people=people), slack=slack)
        self.messages = SlackMessages(lambda: token, base)
        self.modals = WithModals(self.messages)
        desk = self.company.app.state.desk
        self.company.app.state.desk = replace(desk, slack=replace(desk.slack, workspace=self.modals), notifier=None)
        self.telling = notifier(self.company, ManualClock(NOW), slack=self.messages, channel=self.channel)

    def shown(self) -> str:
        """The newest message, as the emulator keeps it."""
        return self.client.conversations_history(channel=self.channel, limit=1).data["messages"][0]["text"]

    def send(self, payload: dict[str, Any], *, secret: str = SECRET, at: float | None = None) -> Any:
        body = urlencode({"payload": json.dumps(payload)}).encode()
        stamp = str(int(at if at is not None else time.time()))
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": sign(secret, stamp, body),
        }
        return self.company.stranger().post("/v1/slack/interactions", content=body, headers=headers)

    def click(self, who: str, kind: str, proposal: Proposal, **sent: Any) -> Any:
        value = json.dumps({"proposal": proposal.id, "fingerprint": proposal.fingerprint})
        payload = {
            "type": "block_actions",
            "trigger_id": f"t.{who}.{kind}.{time.monotonic_ns()}",
            "user": {"id": self.users[who]},
            "channel": {"id": self.channel},
            "actions": [{"action_id": kind, "value": value}],
        }
        return self.send(payload, **sent)

    def submit(self, who: str, view: dict[str, Any], **values: Any) -> Any:
        payload = {
            "type": "view_submission",
            "trigger_id": f"s.{time.monotonic_ns()}",
            "user": {"id": self.users[who]},
            "view": {**view, "state": {"values": values}},
        }
        return self.send(payload)

    def proposal(self, name: str) -> Any:
        return self.company.runtime.store.proposals.get(name)


@pytest.fixture
def chat(company: Company, workspace: Any, monkeypatch: pytest.MonkeyPatch) -> Chat:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    return Chat(company, workspace)


def test_a_card_in_slack_is_answered_by_two_people_and_follows_the_proposal(chat: Chat, waiting: Proposal) -> None:
    assert [chat.telling.tell(), chat.telling.tell()] == [1, 0]
    assert chat.shown() == f"{waiting.title} (waiting)"
    assert chat.click("foreign", "approve", waiting).status_code == 200
    assert "does not know you" in chat.modals.whispers[-1]
    assert chat.click("ana", "approve", waiting).status_code == 200
    assert chat.click("ana", "approve", waiting).status_code == 200
    assert [d.by for d in chat.proposal(waiting.id).decisions] == ["ana"]
    assert chat.telling.tell() == 1
    assert chat.click("ben", "approve", waiting).status_code == 200
    assert [(d.by, d.channel) for d in chat.proposal(waiting.id).decisions] == [("ana", "slack"), ("ben", "slack")]
    chat.telling.tell()
    assert chat.shown() == f"{waiting.title} (approved)"
    chat.click("ana", "reject", waiting)
    assert "'ben' answered first" in chat.modals.whispers[-1]
    chat.company.work()
    assert chat.telling.tell() == 1, "the receipt is shown"
    assert chat.company.runtime.store.outbox.open_cards() == []


def test_slack_forms_change_values_and_name_reasons(chat: Chat, waiting: Proposal) -> None:
    chat.click("ana", "modify", waiting)
    form = chat.modals.opened[-1]
    bad = chat.submit("ana", form, value_0={"value": {"value": "much"}}, reason={"reason": {"value": None}})
    assert bad.json()["response_action"] == "errors"
    assert chat.submit("ana", form, value_0={"value": {"value": "1 300,00"}}).json() == {"response_action": "clear"}
    changed = chat.proposal(waiting.id)
    assert (changed.actions[0].spec.value, changed.valuation) == (130000, "rescaled")
    stale = chat.click("ben", "approve", waiting)
    assert (stale.status_code, "'ana' changed it" in chat.modals.whispers[-1]) == (200, True)
    chat.click("ben", "reject", changed)
    code = {"code": {"selected_option": {"value": "bad_timing"}}}
    chat.submit("ben", chat.modals.opened[-1], code=code, reason={"reason": {"value": "after the sales"}})
    last = chat.proposal(waiting.id).decisions[-1]
    assert (last.kind, last.reason_code, last.reason) == ("reject", "bad_timing", "after the sales")


def test_what_slack_did_not_sign_lately_and_once_is_refused(chat: Chat, waiting: Proposal) -> None:
    payload = {"type": "block_actions", "user": {"id": chat.users["ana"]}, "channel": {"id": "C"}, "actions": []}
    assert chat.send(payload, secret="another").status_code == 401
    assert chat.send(payload, at=time.time() - 301).status_code == 401
    assert chat.send(payload, at=time.time() + 301).status_code == 401
    now = time.time()
    assert [chat.send(payload, at=now).status_code for _ in range(2)] == [200, 401]
    assert chat.company.stranger().post("/v1/slack/interactions", content=b"payload={}").status_code == 401
    assert chat.proposal(waiting.id).decisions == ()


def test_cards_and_forms_are_blocks_that_slack_takes(chat: Chat, waiting: Proposal) -> None:
    """Judged by Slack's own models, since the emulator keeps the text alone."""
    from slack_sdk.models.blocks import Block
    from slack_sdk.models.views import View

    from api.slack_cards import modify_form, reject_form

    hostile = waiting.model_copy(update={"title": "<!channel> <https://evil.example|ok> " * 20, "why": "x" * 9000})
    words = chat.company.app.state.desk.writer.words("en")
    card = chat.company.app.state.desk.writer.card(hostile)
    for block in card.blocks:
        cast("Any", Block.parse(block)).validate_json()
    for form in (modify_form(hostile, words, {}), reject_form(hostile, words, {})):
        View(**form).validate_json()
    texts = re.findall(r'"type": "(\w+)", "text": ', json.dumps(card.blocks))
    assert set(texts) <= {"plain_text", "header", "section", "button"}
    assert "mrkdwn" not in json.dumps(card.blocks)
    assert "https://evil.example" not in json.dumps(card.blocks)


def test_the_served_address_stands_in_links_when_no_other_is_given(company: Company, waiting: Proposal) -> None:
    with closing(company.stranger()):
        writer = create_app(company.runtime, gate=company.gate, url="http://127.0.0.1:9").state.desk.writer
    assert writer.card(waiting).blocks[-1]["elements"][-1]["url"] == f"http://127.0.0.1:9/proposals/{waiting.id}"
