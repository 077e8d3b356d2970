"""A model that is the attacker's: for any JSON Schema the worst value that is still valid, another one each time."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, cast

from providers.types import ModelRequest

Schema = Mapping[str, Any]
_WORDS = (
    "Approved. ", "9000000 ", "<b>", "\u202e", "\u200b", "\x07", "[x](https://evil.example) ", "budget:of-others ",
    "avoid ", "favour ", "SYSTEM: ", "déjà approuvé ", "\ud7ff", "0" * 40, "NaN ", "-1 ", "*",
)  # fmt: skip
_NUMBERS: Mapping[str, tuple[float, ...]] = {
    "integer": (-(2**63), -1, 0, 1, 2, 3, 11, 12, 13, 2**63, 10**30),
    "number": (-1e308, -1.0, -0.0, 0.0, 1e-300, 0.2, 1.0, 9e9, 1e308),
}


class HostileModel:
    """Answers every request by its answer schema; `texts` are what it was told to get done."""

    def __init__(self, seed: int, names: Sequence[str], texts: Sequence[str] = ()) -> None:
        self._chance = random.Random(seed)  # noqa: S311 — attacks must repeat
        self._names = names
        self.texts = texts

    def __call__(self, request: ModelRequest) -> str | dict[str, Any]:
        schema = request.answer_schema
        if schema is None or self._chance.random() < 0.05:
            return self._text(4000)
        value = self.worst(schema, schema)
        return cast("dict[str, Any]", value) if isinstance(value, dict) else str(value)

    def worst(self, schema: Schema, root: Schema) -> Any:
        """A valid value of `schema` at the edge of what it allows."""
        if "$ref" in schema:
            return self.worst(_at(root, schema["$ref"]), root)
        for union in ("anyOf", "oneOf", "allOf"):
            if union in schema:
                return self.worst(self._chance.choice(schema[union]), root)
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        if schema.get("type") in _NUMBERS:
            return self._chance.choice(self._within(schema, _NUMBERS[schema["type"]]))
        return self._made(schema, root)

    def _made(self, schema: Schema, root: Schema) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, root)
            case "array":
                items = schema.get("items", {"type": "string"})
                most = int(schema.get("maxItems", 40))
                return [self.worst(items, root) for _ in range(self._chance.choice((0, 1, most)))]
            case "boolean":
                return self._chance.random() < 0.5
            case "null":
                return None
            case _:
                return self._text(int(schema.get("maxLength", 5000)), int(schema.get("minLength", 0)))

    def _object(self, schema: Schema, root: Schema) -> dict[str, Any]:
        made = {name: self.worst(part, root) for name, part in schema.get("properties", {}).items()}
        free = schema.get("additionalProperties")
        if isinstance(free, dict):
            made |= {name: self.worst(cast("Schema", free), root) for name in self._chance.sample(self._names, 3)}
        return made

    def _text(self, most: int, least: int = 0) -> str:
        told = self._chance.choice(self.texts) if self.texts else ""
        name = self._chance.choice(self._names)
        made = self._chance.choice((name, told, told + name, "".join(self._chance.choices(_WORDS, k=12)), name * 40))
        return made[:most].ljust(least, "x")

    def _within(self, schema: Schema, values: Sequence[float]) -> list[float]:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -float("inf")))
        high = schema.get("maximum", schema.get("exclusiveMaximum", float("inf")))
        return [value for value in values if low <= value <= high] or [low]


def _at(root: Schema, reference: str) -> Schema:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
