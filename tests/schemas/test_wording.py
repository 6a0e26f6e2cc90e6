"""What the runtime does not pass on to the model of a tool's schema is said in its descriptions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import annotated_types as at
import orjson
import pydantic
import pytest

from openai_codex import tool
from openai_codex._schemas.wording import in_words
from openai_codex.testing import QuietHome, ScriptedModel
from tests.testing.raw_client import RawClient


class Model(pydantic.BaseModel):
    pair: tuple[int, str]
    tags: set[str]
    when: date = pydantic.Field(description="the day")


@tool
def book(
    model: Model,
    *,
    count: Annotated[int, at.Interval(gt=0, le=9), "how many"],
    name: Annotated[str, at.Len(1, 3)],
    spot: tuple[int, str],
    until: date | None = None,
    nights: dict[Annotated[str, pydantic.Field(pattern="^n")], int] | None = None,
) -> None: ...


EXPECTED = {
    "model": {"$ref": "#/$defs/Model"},
    "count": {"type": "integer", "description": "how many; greater than 0; at most 9"},
    "name": {"type": "string", "description": "at least 1 characters; at most 3 characters"},
    "spot": {
        "type": "array",
        "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "minItems": 2,
        "description": "In this order: int, str; at most 2 items",
    },
    "until": {"anyOf": [{"type": "string", "description": "format date"}, {"type": "null"}]},
}
MODEL = {
    "pair": {
        "type": "array",
        "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "minItems": 2,
        "description": "in this order: integer, string; at most 2 items",
    },
    "tags": {"type": "array", "items": {"type": "string"}, "description": "no item twice"},
    "when": {"type": "string", "description": "the day; format date"},
}


def test_the_model_reads_each_constraint(scripted_model: ScriptedModel, codex_home: QuietHome) -> None:
    before = orjson.dumps(book.schema)
    with RawClient(codex_home) as client:
        spec = {"type": "function", "name": "book", "description": "", "inputSchema": book.spec().input_schema}
        thread = client.thread(dynamicTools=[spec])
        scripted_model.say("Done")
        client.send("turn/start", threadId=thread, input=[{"type": "text", "text": "Go"}])
        client.event("turn/completed", threadId=thread)
    tools = {each.get("name"): each for each in orjson.loads(scripted_model.requests[-1].body)["tools"]}
    parameters = tools["book"]["parameters"]
    assert {name: parameters["properties"][name] for name in EXPECTED} == EXPECTED
    assert parameters["$defs"]["Model"]["properties"] == MODEL
    assert "keys: {'type': 'string', 'pattern': '^n'}" in str(parameters["properties"]["nights"])
    assert orjson.dumps(book.schema) == before, "its own schema stays as it is"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"minimum": 0}, "at least 0"),
        ({"maximum": 0, "description": "d"}, "d; at most 0"),
        ({"exclusiveMaximum": 1.5, "multipleOf": 0.5}, "less than 1.5; a multiple of 0.5"),
        ({"minProperties": 1, "maxProperties": 2}, "at least 1 keys; at most 2 keys"),
        ({"pattern": "^a"}, "matching ^a"),
        ({"uniqueItems": False}, None),
        ({"default": 3, "title": "T"}, None),
        (True, None),
    ],
    ids=str,
)
def test_words(schema: Any, words: str | None) -> None:
    told = in_words(schema)
    assert told == (schema if words is None else {**schema, "description": words})


def test_a_property_is_no_keyword() -> None:
    schema = {"type": "object", "properties": {"format": {"type": "string"}, "minimum": {"type": "integer"}}}
    assert in_words(schema) == schema


def test_a_schema_of_ones_own_is_sent_as_it_is() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}
    assert tool(lambda n: n, name="own", schema=schema).spec().input_schema == schema
