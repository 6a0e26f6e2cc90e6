"""The beginning of a line that cannot be read: its complete members, in bounded time."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex._engine.heads import SIZE, read_head

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def is_part(part: Any, whole: Any) -> bool:
    """Return whether a value is the other one with parts left out at its end."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return list(part) == list(whole)[: len(part)] and all(is_part(part[key], whole[key]) for key in part)
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(is_part, part, whole))
    return bool(part == whole)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), st.data())
def test_a_head_has_only_members_of_the_line(value: dict[str, Any], data: st.DataObject) -> None:
    line = orjson.dumps(value)
    assert is_part(read_head(line[: data.draw(st.integers(0, len(line)))]), value)


@pytest.mark.parametrize(
    ("line", "head"),
    [
        (b'{"a":1,"b":12', {"a": 1}),
        (b'{"a":1,"b":12,"c', {"a": 1, "b": 12}),
        (b'{"a":{"b":[1,{"c":"d","e', {"a": {"b": [1, {"c": "d"}]}}),
        (b'noise {"a":"b","c":"\xff","d":1}', {"a": "b"}),
        (b'{"a":"b","c":"\\ud83d","d":1}', {"a": "b"}),
        (b'{"a":1,"b" "c","d":1}', {}),
        (b'{"a":1]', {}),
        (b"[1,2", {}),
        (b"noise", {}),
        (b"x" * 64 + b'{"a":1,"b":2}', {}),
        (b'{"a":1,"b":"' + b"x" * SIZE + b'","c":1}', {"a": 1}),
        (b"{[" * SIZE, {}),
    ],
)
def test_a_head_ends_where_the_line_is_cut_or_broken(line: bytes, head: dict[str, Any]) -> None:
    assert read_head(line) == head
