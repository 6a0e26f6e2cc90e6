"""Every type of the protocol, with JSON drawn from the runtime's own schema: what comes in is there, and goes out."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest

from openai_codex import _protocol as protocol
from openai_codex._codec import structure_named, unstructure
from openai_codex._codec.base import record_fields, wire_name
from openai_codex._protocol import Record, UnknownVariant
from openai_codex.errors import ConfigError
from tests.protocol import bundle
from tests.protocol.json_of import NEW, json_of

DOMAINS = sorted(set(protocol.HOMES.values()))
EXAMPLES = range(20)


def exact(json: Any) -> bytes:
    """Return a text that tells 1 from 1.0 and from true, and does not depend on the order of keys."""
    return orjson.dumps(json, option=orjson.OPT_SORT_KEYS)


def types_of(domain: str) -> list[tuple[str, str]]:
    """Return definitions and public names of the types of one domain."""
    pairs = [(name, public) for name in bundle.generated() for public in bundle.public_names(name)]
    found = [(name, public) for name, public in pairs if protocol.HOMES[public] == domain]
    assert found
    return found


@pytest.mark.parametrize("domain", DOMAINS)
def test_structure_and_unstructure_are_inverse(domain: str) -> None:
    for name, public in types_of(domain):
        for seed in EXAMPLES:
            json = json_of(name, seed, future=True)
            made = structure_named(public, json)
            assert exact(unstructure(made)) == exact(json), public
            if isinstance(made, Record):
                assert made.raw is json


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_property_is_an_attribute(domain: str) -> None:
    for name, public in types_of(domain):
        for seed in EXAMPLES:
            json = json_of(name, seed, future=True)
            assert list(lost(structure_named(public, json), json, public)) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_the_schema_allows_is_known_and_can_be_built_by_a_program(domain: str) -> None:
    for name, public in types_of(domain):
        for seed in EXAMPLES:
            json = json_of(name, seed, future=False)
            made = structure_named(public, json)
            records = list(records_in(made))
            assert not [record for record in records if isinstance(record, UnknownVariant)], public
            if name in bundle.sent():
                for record in records:
                    record.raw = None
                assert exact(unstructure(made)) == exact(json), public


def lost(made: Any, json: Any, path: str) -> Any:
    """Yield the paths where an attribute differs from the JSON."""
    if isinstance(made, Record) and not isinstance(made, UnknownVariant):
        for wire, part in json.items():
            yield from lost_field(made, wire, part, f"{path}.{wire}")
    elif isinstance(made, (list, dict)):
        steps = range(len(json)) if isinstance(made, list) else json
        assert len(made) == len(json)
        for step in steps:
            yield from lost(made[step], json[step], f"{path}[{step}]")
    elif exact(unstructure(made)) != exact(json):
        yield path


def lost_field(record: Record, wire: str, json: Any, path: str) -> Any:
    attributes = {wire_name(type(record), field.name): field.name for field in record_fields(type(record))}
    tag = getattr(type(record), "TAG", None)
    if tag is not None:
        attributes[wire_name(type(record), tag)] = tag
    if wire in attributes:
        yield from lost(getattr(record, attributes[wire]), json, path)
    elif wire != NEW and attributes:  # what has no fields at all may be any object
        yield path


def records_in(made: Any) -> Any:
    """Yield every record in a value."""
    if isinstance(made, Record):
        yield made
    inner = (
        [getattr(made, field.name) for field in record_fields(type(made))]
        if isinstance(made, Record)
        else made
        if isinstance(made, list)
        else made.values()
        if isinstance(made, dict)
        else []
    )
    for part in inner:
        yield from records_in(part)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_not_sent(number: float) -> None:
    with pytest.raises(ConfigError, match="expected a finite number"):
        unstructure({"a": [number]})
