"""Completes the OpenAPI description: security of each operation, and an example for every body and parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.openai.errors import covers
from api.problems import MEDIA_TYPE, problem

Schema = dict[str, Any]

_OPEN = frozenset({"/healthz", "/readyz"})
_METHODS = frozenset({"get", "post", "put", "delete", "patch"})
_FASTAPIS = ("HTTPValidationError", "ValidationError")
_FORMATS = {"date-time": "2026-03-04T09:00:00Z", "uri": "urn:accord:example"}
_BLANK: dict[str, Any] = {"string": "…", "integer": 1, "number": 0.5, "boolean": True, "null": None}
SCHEMES: Schema = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key (`accord keys create`, `POST /v1/keys`)."},
    "writeKey": {"type": "http", "scheme": "basic", "description": "An API key as user name, for Segment's senders."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "accord_session",
        "description": "A browser session; calls that change something need its token in `x-accord-csrf` besides.",
    },
}
TAGS = [
    {"name": "signals", "description": "What marketing sees, sales hears and finance blocks."},
    {"name": "situations", "description": "What the signals amount to."},
    {"name": "proposals", "description": "What Accord would do, and what people answer."},
    {"name": "actions", "description": "What is done in the tools, and setting it back."},
    {"name": "results", "description": "What it brought: outcomes, lessons, the ledger of value."},
    {"name": "models", "description": "OpenAI's protocol over every provider: point its clients' `base_url` here."},
    {"name": "tools", "description": "Connected tools and model providers."},
    {"name": "keys", "description": "API keys."},
    {"name": "audit", "description": "Who did what, in a chain that shows tampering."},
    {"name": "policy", "description": "Which actions run by themselves, which ask whom, which never happen."},
    {"name": "modes", "description": "The read-only switch and the kill switch."},
    {"name": "demo", "description": "The demo company."},
    {"name": "health", "description": "Whether it works."},
]
ABOUT = (
    "Accord listens to the company's tools, proposes what to do across them, and acts only with consent.\n\n"
    "Money is in integer minor units plus currency; times are UTC; rates are 0..1. Lists answer `{items, next}` and "
    "take `?limit&cursor`. Errors are problem+json; the last sentence of `detail` says what to do. The doors tagged "
    "`models` answer as OpenAI does, errors too."
)


def describe(app: FastAPI) -> Schema:
    """The complete OpenAPI 3.1 description of `app`, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=ABOUT,
            routes=app.routes,
            tags=TAGS,
            openapi_version="3.1.0",
        )
        made.setdefault("components", {})["securitySchemes"] = SCHEMES
        for path, operation in operations(made):
            _complete(made, path, operation)
        for name in _FASTAPIS:
            made["components"]["schemas"].pop(name, None)
        app.openapi_schema = made
    return app.openapi_schema


def operations(description: Schema) -> Iterator[tuple[str, Schema]]:
    """Every operation with its path."""
    for path, item in description["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, operation


def _complete(made: Schema, path: str, operation: Schema) -> None:
    if path in _OPEN:
        operation["security"] = []
    elif "security" not in operation:
        basic = [{"writeKey": list[str]()}] if path.startswith("/v1/segment/") else []
        operation["security"] = [{"key": list[str]()}, {"session": list[str]()}, *basic]
    scope = operation.get("x-accord-scope")
    if scope:
        operation["description"] = f"{operation['description']}\n\nNeeds the scope `{scope}`."
    if covers(path):
        # What FastAPI would answer with 422 is a 400 there, as OpenAI's clients expect.
        operation["responses"].pop("422", None)
    _tell_invalid(operation)
    for content in _contents(operation):
        if "example" not in content and "examples" not in content and "schema" in content:
            content["example"] = sample(made, content["schema"])


def _tell_invalid(operation: Schema) -> None:
    """FastAPI's own description of a 422 gives way to what we answer."""
    told = operation["responses"].get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if str(told.get("$ref", "")).endswith(_FASTAPIS):
        found = problem("/v1/…", 422, "`id`: Input should be a valid string. Mend the request and send it again.")
        schema = {"$ref": "#/components/schemas/Problem"}
        content = {MEDIA_TYPE: {"schema": schema, "example": found.model_dump()}}
        operation["responses"]["422"] = {"description": f"{found.title}.", "content": content}


def _contents(operation: Schema) -> Iterator[Schema]:
    """Every media type of the request and of the answers; a problem is described once, under its own type."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for status, told in operation["responses"].items():
        content = told.get("content", {})
        if status.startswith(("4", "5")) and MEDIA_TYPE in content:
            schema = content.pop("application/json", {}).get("schema")
            if schema is not None:
                content[MEDIA_TYPE]["schema"] = schema
        yield from content.values()


def sample(made: Schema, schema: Schema, depth: int = 0) -> Any:
    """A value that fits `schema`: its own example where it has one, else one made of its parts."""
    if depth > 12:
        return None
    if "$ref" in schema:
        return sample(made, made["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], depth + 1)
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if "const" in schema:
        return schema["const"]
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return sample(made, schema[union][0], depth + 1)
    return _by_type(made, schema, depth)


def _by_type(made: Schema, schema: Schema, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {})
            return {name: sample(made, part, depth + 1) for name, part in parts.items()}
        case "array":
            return [sample(made, schema.get("items", {}), depth + 1)]
        case "string":
            return _FORMATS.get(schema.get("format", ""), schema.get("default", "…"))
        case kind:
            return schema.get("default", _BLANK.get(str(kind)))
