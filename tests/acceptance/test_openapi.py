"""The OpenAPI description, walked: what it promises of every operation holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from api.openai.errors import covers
from api.openapi import operations

if TYPE_CHECKING:
    from tests.acceptance.conftest import Company

OPEN = {"/healthz", "/readyz"}
SIGNED = {"/v1/webhooks/{name}", "/v1/slack/interactions"}
Description = dict[str, Any]


@pytest.fixture
def described(company: Company) -> Description:
    return company.client().get("/openapi.json").json()


def test_every_operation_is_told_in_full(described: Description) -> None:
    names: set[str] = set()
    for path, operation in operations(described):
        assert operation["operationId"] not in names
        names.add(operation["operationId"])
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter)
            assert "example" in parameter or "examples" in parameter["schema"], (path, parameter)
        for status, content in _contents(operation):
            assert "example" in content or "examples" in content, (path, status)
        if path not in OPEN:
            assert "401" in operation["responses"], path
            assert problem_type(path) in operation["responses"]["401"]["content"], path
    assert described["openapi"].startswith("3.1")
    assert set(described["components"]["securitySchemes"]) == {"key", "writeKey", "session"}


def test_examples_fit_their_schemas(described: Description) -> None:
    for _, operation in operations(described):
        for _, content in _contents(operation):
            schema = {**content.get("schema", {}), "components": described["components"]}
            for example in [content["example"]] if "example" in content else _values(content["examples"]):
                jsonschema.validate(example, schema)


def test_every_field_is_documented(described: Description) -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in described["components"]["schemas"].items()
        for field, told in schema.get("properties", {}).items()
        if not told.get("description")
    ]
    assert silent == []


def test_without_a_key_nothing_but_health_answers(company: Company, described: Description) -> None:
    client = company.stranger()
    for path, item in described["paths"].items():
        for method in item:
            url = path.replace("{", "").replace("}", "")
            answer = client.request(method, url, json={} if method in {"post", "put"} else None)
            if path in OPEN:
                assert answer.status_code == 200
            else:
                assert answer.status_code == (404 if path in SIGNED else 401), (method, path)
                assert answer.headers["content-type"] == problem_type(path)


def test_a_key_without_scopes_that_fit_is_forbidden(company: Company, described: Description) -> None:
    clients = {scope: company.client("eve", scope) for scope in ("models", "signals")}
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if "x-accord-scope" in operation:
                client = clients["signals" if operation["x-accord-scope"] == "models" else "models"]
                assert client.request(method, path, json={}).status_code == 403, (method, path)


def test_lists_page_through_and_refuse_what_is_no_cursor(company: Company, described: Description) -> None:
    client = company.client()
    lists = [path for path, item in described["paths"].items() if _is_list(item)]
    assert len(lists) >= 9
    for path in lists:
        assert set(client.get(path).json()) == {"items", "next"}
        assert client.get(f"{path}?limit=0").status_code == 422
        assert client.get(f"{path}?limit=201").status_code == 422
        foreign = client.get(f"{path}?cursor=nonsense")
        assert (foreign.status_code, foreign.json()["code"]) == (422, "invalid_input"), path
    seen: list[str] = []
    for name in "abc":
        client.post("/v1/keys", json={"name": name, "person": "ana", "scopes": ["read"]})
    page = client.get("/v1/keys?limit=2").json()
    while True:
        seen += [key["id"] for key in page["items"]]
        if page["next"] is None:
            break
        page = client.get("/v1/keys", params={"limit": 2, "cursor": page["next"]}).json()
    assert len(seen) == len(set(seen)) == 5


def problem_type(path: str) -> str:
    """Content type of errors: OpenAI's clients read its own shape."""
    return "application/json" if covers(path) else "application/problem+json"


def _is_list(item: Description) -> bool:
    return any(parameter["name"] == "cursor" for parameter in item.get("get", {}).get("parameters", []))


def _contents(operation: Description) -> Iterator[tuple[str, Description]]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield "request", content
    for status, told in operation["responses"].items():
        for content in told.get("content", {}).values():
            yield status, content


def _values(examples: Description) -> list[Any]:
    return [example["value"] for example in examples.values()]
