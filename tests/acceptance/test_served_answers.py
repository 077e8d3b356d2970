"""`accord serve` beside a mail server: people are written to, servers killed or not, and answer by link or CLI."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller

from api.cli import run
from tests.acceptance.test_serve import Server, capped, declared, environment, serve, until

PEOPLE = [
    {"id": "emma", "email": "emma@example.org", "roles": ["admin"], "language": "fr"},
    {"id": "ben", "email": "ben@example.org", "roles": ["finance"]},
]
__all__ = ["serve"]


class Postbox:
    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 — aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def postbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postbox]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("ACCORD_MAIL__URL", f"smtp://127.0.0.1:{port}")
    monkeypatch.setenv("ACCORD_AUTH__PEOPLE", json.dumps(PEOPLE))
    yield box
    controller.stop()


def test_a_link_outlives_the_server_that_sent_it(serve: Callable[[], Server], postbox: Postbox) -> None:
    life = serve()
    life.send(declared("budget:a"), capped("budget:a"))
    proposal = life.proposal("budget:a")
    (mail,) = until(lambda: list(postbox.mails))
    assert (mail["To"], proposal["title"] in mail["Subject"]) == ("emma@example.org", True)
    life.kill()
    life = serve()
    found = re.search(r"^Approuver\s?: (\S+)", mail.get_body(("plain",)).get_content(), re.MULTILINE)
    assert found
    link = urlsplit(found[1])
    shown = life.client.get(f"{link.path}?{link.query}", headers={"authorization": ""})
    assert (shown.status_code, "rien n’est encore décidé" in shown.text) == (200, True)
    assert life.proposal("budget:a")["status"] == "pending"
    token = link.query.partition("=")[2]
    assert life.client.post(link.path, data={"token": token}, headers={"authorization": ""}).status_code == 200
    life.done(proposal)
    decided = life.proposal("budget:a")["decisions"]
    assert [(d["by"], d["channel"]) for d in decided] == [("emma", "mail")]
    assert life.client.post(link.path, data={"token": token}).status_code == 409
    assert life.stop() == (0, "")
    assert len(postbox.mails) == 1


def test_every_answer_can_be_given_beside_the_server(
    serve: Callable[[], Server], postbox: Postbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands run in this process, for the sake of their imports."""
    life = serve()
    for name, value in environment(life.home).items():
        monkeypatch.setenv(name, value)
    budgets = [f"budget:{name}" for name in "abcd"]
    life.send(*map(declared, budgets), *map(capped, budgets))
    a, b, c, d = (life.proposal(budget) for budget in budgets)

    def told(*words: str) -> Any:
        code, said = run([*words, "--as", "emma", "--json"]), capsys.readouterr()
        assert code == 0, said.err
        return json.loads(said.out)

    checked = told("modify", a["id"], "--set", "value=880,00", "--check")
    assert (checked["changes"][0]["wanted"], checked["valuation"]) == (88_000, "rescaled")
    assert told("modify", a["id"], "--set", "budget:a.value=880")["actions"][0]["value"] == 88_000
    assert told("ask", b["id"], "Why now?", "--to", "ben")["items"][0]["to"] == "ben"
    assert [p["status"] for p in told("approve", b["id"], c["id"])["items"]] == ["approved"] * 2
    rejected = told("reject", d["id"], "--reason-code", "bad_timing")
    assert rejected["decisions"][0]["reason_code"] == "bad_timing"
    assert told("delegate", "ben", "--until", "2999-01-01", "--from", "2998-12-01")["to"] == "ben"
    for words in (["escalate", b["id"]], ["reject", b["id"]], ["modify", b["id"], "--set", "price=1"]):
        assert run([*words, "--as", "emma"]) in {1, 2}
    until(lambda: any("Question" in mail["Subject"] for mail in postbox.mails))
    life.done(a)
    assert life.stop() == (0, "")
