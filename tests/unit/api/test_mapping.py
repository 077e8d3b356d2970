"""Mapping files: the shipped schema keeps step, and a typo is answered with the nearest key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml

from api.importing.mapper import Mapper
from api.importing.mapping import MappingFile, load_mapping, mapping_schema
from domain.errors import ConfigError

NOW = datetime(2026, 3, 4, tzinfo=UTC)
GOOD = {
    "source": "shop",
    "signals": [
        {
            "type": "accord.metric.point",
            "time": {"col": "day"},
            "data": {"metric": "sessions", "entity": "region:{city}", "value": {"col": "visits"}},
        }
    ],
}


def test_the_shipped_schema_is_the_one_of_the_code(root: Path) -> None:
    shipped = json.loads((root / "docs" / "mapping.schema.json").read_text(encoding="utf-8"))
    assert shipped == mapping_schema(), "write it anew: accord schema mapping > docs/mapping.schema.json"


def test_every_shipped_mapping_fits_schema_and_code(root: Path) -> None:
    paths = sorted((root / "docs" / "mappings").glob("*.yaml"))
    assert paths
    for path in paths:
        jsonschema.validate(json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))), mapping_schema())
        Mapper(load_mapping(path), now=NOW)


def test_the_schema_refuses_what_the_code_refuses() -> None:
    jsonschema.validate(GOOD, mapping_schema())
    wrong = json.loads(json.dumps(GOOD))
    wrong["signals"][0]["data"]["value"] = {"col": "visits", "tipe": "number"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, mapping_schema())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sorce: shop\nsignals: []", "`sorce` is no key here. Did you mean 'source'?"),
        ("signals: [{typ: x}]", r"`signals\[0\].typ` is no key here. Did you mean 'type'?"),
        ("source: s\nsignals: [{type: x, time: {format: iso}, data: {}}]", "give either `col`"),
        (
            "source: s\nsignals: [{type: x, time: {col: t}, data: {}, where: {col: a, equal: 1}}]",
            "Did you mean 'equals'",
        ),
        ("source: s\nsignals: [{type: x, time: {col: t}, data: {}, where: {col: a}}]", "add one of equals"),
        ("source: [", "Mend the YAML"),
        ("- 1", "has the keys `source` and `signals`"),
    ],
)
def test_a_faulty_file_is_told_where_and_how_to_mend_it(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_mapping(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "accord.metric.pont"}, "Did you mean 'accord.metric.point'"),
        ({"data": {"metric": "m", "entity": "region:x", "value": 1, "dim": {}}}, "Did you mean 'dims'"),
        ({"data": {"metric": "m", "entity": "region:x"}}, r"data.value` is missing"),
        ({"data": {"metric": "m", "entity": "region:x", "value": {"col": "v", "scal": 2}}}, "Did you mean 'scale'"),
        ({"time": {"col": "day", "tz": "Mars"}}, "no IANA time zone"),
    ],
)
def test_a_mapping_that_speaks_of_what_is_not_there_is_refused_before_any_row(
    change: dict[str, object], said: str
) -> None:
    signal = {**GOOD["signals"][0], **change}  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match=said):
        Mapper(MappingFile.model_validate({"source": "shop", "signals": [signal]}), now=NOW)
