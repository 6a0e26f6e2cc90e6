"""Every type of the protocol, with JSON drawn from the runtime's own schema: what comes in goes out the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from openai_codex import protocol
from openai_codex.protocol import Record, structure_named, unstructure
from tests.protocol.json_of import json_of
from tools.generate import domains, naming, package
from tools.generate.schema import Schema

DOMAINS = sorted(set(protocol.HOMES.values()) - package.BY_HAND.keys())
EXAMPLES = settings(
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def exact(json: Any) -> bytes:
    """Return a text that tells 1 from 1.0 and from true, and does not depend on the order of keys."""
    return orjson.dumps(json, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("domain", DOMAINS)
def test_structure_and_unstructure_are_inverse(domain: str, schema: Schema) -> None:
    names = [name for name, home in domains.place(schema).items() if home == domain]
    assert names
    for name in names:
        check(name, classes_of(schema, name), schema)


def check(name: str, classes: list[str], schema: Schema) -> None:
    @EXAMPLES
    @given(json_of(schema.definitions[name], schema.definitions))
    def round_trip(json: Any) -> None:
        for public in classes:
            made = structure_named(public, json)
            assert exact(unstructure(made)) == exact(json), public
            if isinstance(made, Record):
                assert made.raw is json

    round_trip()


def classes_of(schema: Schema, name: str) -> list[str]:
    """Return the public names of a definition: one, but for payloads that two methods share."""
    shared = [m.name for m in schema.notifications if m.params == name]
    if len(shared) > 1:
        return [protocol.methods.NOTIFICATIONS[method] for method in shared]
    return [naming.class_name(name)]
