"""Any value as plain JSON values: what is read again is the same."""

from __future__ import annotations

import collections
import dataclasses
import json
import math
from datetime import date, datetime, time, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import _codec as codec
from openai_codex._codec.plain import plain
from openai_codex.types import (
    CommandExecutionStatus,
    DangerFullAccessSandboxPolicy,
    ModelListParams,
    Turn,
    TurnCompletedNotification,
    TurnStatus,
)


class Colour(Enum):
    red = 1


class Word(str, Enum):
    word = "a word"


class Pair(NamedTuple):
    left: int
    right: Colour


@attrs.define
class Point:
    x: int
    _hidden: int = 0


@dataclasses.dataclass
class Line:
    points: tuple[Point, ...]
    name: str = ""


class Model:
    def model_dump(self, *, mode: str) -> dict[str, Any]:
        return {"mode": mode, "at": date(2026, 1, 2)}


class Struct:
    __struct_fields__ = ("a", "b")
    __struct_config__ = object()
    a = 1
    b = Colour.red


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another text"


CASES: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (2**200, 2**200),
    (1.5, 1.5),
    (math.inf, "inf"),
    (Text("x"), "x"),
    (Colour.red, 1),
    (Word.word, "a word"),
    (Pair(1, Colour.red), {"left": 1, "right": 1}),
    (Line((Point(1), Point(2))), {"points": [{"x": 1}, {"x": 2}], "name": ""}),
    (Model(), {"mode": "json", "at": "2026-01-02"}),
    (Struct(), {"a": 1, "b": 1}),
    ({Colour.red: 1, 2: {3}, Word.word: ()}, {"1": 1, "2": [3], "a word": []}),
    ({3, 1, 2}, [1, 2, 3]),
    (collections.OrderedDict(a=1), {"a": 1}),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "2026-01-02T03:04:05+00:00"),
    (time(3, 4), "03:04:00"),
    (PurePosixPath("/x"), "/x"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.10"), "1.10"),
    (TurnStatus("a new status"), "a new status"),
    (CommandExecutionStatus.in_progress, "inProgress"),
    (ModelListParams(), {}),
    (ModelListParams(cursor=None, limit=3), {"cursor": None, "limit": 3}),
    (DangerFullAccessSandboxPolicy(), {"type": "dangerFullAccess"}),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=[type(value).__name__ for value, _ in CASES])
def test_values_become_plain_json(value: Any, expected: Any) -> None:
    found = plain(value)
    assert json.loads(json.dumps(found)) == found
    assert found == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_json_stays_as_it_is(value: Any) -> None:
    assert plain(value) == value
    assert json.loads(json.dumps(plain(value))) == value


def test_a_record_has_the_names_of_its_attributes_and_what_a_newer_runtime_adds() -> None:
    turn = {
        "id": "U",
        "status": "completed",
        "items": [{"type": "new kind", "aB": 1}],
        "itemsView": "full",
        "newField": 1,
    }
    payload = codec.structure_notification("turn/completed", {"threadId": "T", "turn": turn})
    assert isinstance(payload, TurnCompletedNotification)
    found = plain(payload)["turn"]
    assert (found["items_view"], found["newField"], found["items"]) == ("full", 1, [{"type": "new kind", "aB": 1}])
    assert {field.name for field in attrs.fields(Turn)} - {"raw"} | {"newField"} == set(found)
