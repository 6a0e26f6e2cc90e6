"""Foreign schemas are checked for what providers accept in strict ones, before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pydantic
import pytest

from openai_codex._schemas.output import output_type
from openai_codex._schemas.strict import Strict
from openai_codex.errors import ConfigError
from tests.schemas.samples import strict_faults


def model(**fields: Any) -> Any:
    return pydantic.create_model("Model", **{name: (type_, ...) for name, type_ in fields.items()})


class Pair(NamedTuple):
    a: int
    b: str


REFUSED = [
    ({"tags": set[str]}, "Model.tags", "uniqueItems", "a list instead of a set"),
    ({"pair": tuple[int, str]}, "Model.pair", "prefixItems", "a class instead of a tuple"),
    ({"pairs": list[Pair]}, "Model.pairs[]", "prefixItems", "a class instead of a tuple"),
    ({"prices": dict[str, int]}, "Model.prices", "an object with arbitrary keys", "list its properties"),
    ({"prices": dict}, "Model.prices", "an object with arbitrary keys", "list its properties"),
    ({"deep": list[model(it=set[int])]}, "Model.deep[].it", "uniqueItems", "a list instead of a set"),  # type: ignore[misc]
    ({"either": model(it=set[int]) | None}, "Model.either.it", "uniqueItems", "a list instead of a set"),
    ({"anything": Any}, "Model.anything", "a value of any type", "give it a type"),
    ({"anything": list}, "Model.anything[]", "a value of any type", "give it a type"),
]


@pytest.mark.parametrize(("fields", "path", "what", "advice"), REFUSED, ids=str)
def test_a_part_that_providers_refuse_is_named_with_its_path(fields: Any, path: str, what: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        output_type(model(**fields))
    assert caught.value.what == path
    assert what in caught.value.reason
    assert advice in caught.value.reason


def test_the_same_models_are_arguments_of_tools() -> None:
    from openai_codex import tool

    for fields, *_ in REFUSED:

        def take(it: Any) -> None: ...

        take.__annotations__ = {"it": model(**fields), "return": None}
        assert tool(take).schema["required"] == ["it"]


def test_what_providers_accept_is_left_as_it_is() -> None:
    kept = model(
        n=pydantic.conint(gt=0, multiple_of=5),
        xs=pydantic.conlist(int, min_length=1, max_length=2),
        s=pydantic.constr(pattern="^a"),
    )
    properties = output_type(kept).schema["properties"]
    assert properties["n"] == {"title": "N", "type": "integer", "exclusiveMinimum": 0, "multipleOf": 5}
    assert (properties["xs"]["minItems"], properties["xs"]["maxItems"]) == (1, 2)
    assert properties["s"]["pattern"] == "^a"


def test_what_has_another_word_in_strict_schemas_is_written_in_it() -> None:
    wanted = output_type(model(path=Path, name=pydantic.constr(max_length=3), price=Decimal, url=pydantic.HttpUrl))
    assert strict_faults(wanted.schema) == []
    properties = wanted.schema["properties"]
    assert properties["path"] == {"title": "Path", "type": "string", "description": "format: path"}
    assert properties["name"] == {"title": "Name", "type": "string", "pattern": r"^[\s\S]{0,3}$"}
    assert properties["url"]["description"] == "length 1 to 2083; format: uri"


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    return Strict({}).convert(schema, "It")


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"oneOf": [TEXT]}, {"anyOf": [TEXT]}),
        ({"allOf": [TEXT], "default": "a"}, {"anyOf": [TEXT]}),
        ({"type": ["string", "null"], "writeOnly": True, "deprecated": True}, {"type": ["string", "null"]}),
        ({"const": "a", "type": "string"}, {"const": "a", "type": "string"}),
        # pydantic's own pattern of a decimal number, which looks ahead
        (
            {"type": "string", "pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"},
            {"type": "string", "pattern": r"^[+-]?[0-9]+(\.[0-9]+)?$"},
        ),
        (
            {"type": ["object", "null"], "properties": {"a": TEXT}},
            {"type": ["object", "null"], "properties": {"a": TEXT}, "required": ["a"], "additionalProperties": False},
        ),
    ],
)
def test_keywords_in_strict_form(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert strict(given) == expected


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"allOf": [TEXT, TEXT]}, 'the keyword "allOf"'),
        ({"not": TEXT}, 'the keyword "not"'),
        ({"if": TEXT, "then": TEXT}, 'the keyword "'),
        ({"type": "object", "patternProperties": {"^a": TEXT}}, 'the keyword "patternProperties"'),
        ({"type": "object", "properties": {}, "minProperties": 1}, 'the keyword "minProperties"'),
        ({"type": "array", "items": TEXT, "contains": TEXT}, 'the keyword "contains"'),
        ({"type": "array"}, "a value of any type"),
        ({"type": ["object", "null"]}, "an object with arbitrary keys"),
        ({"type": "string", "pattern": r"(a)\1"}, "a pattern that looks around or back"),
        ({"type": "string", "pattern": r"a(?<!b)"}, "a pattern that looks around or back"),
        ({"type": "string", "minLength": 2, "maxLength": 1}, "a text of a length from 2 to 1"),
        ({"title": "Empty", "description": "d", "default": 3}, "a value of any type"),
        (True, "a value of any type"),
    ],
    ids=str,
)
def test_keywords_without_a_strict_form(given: Any, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        strict(given)
    assert caught.value.reason.startswith(what)
