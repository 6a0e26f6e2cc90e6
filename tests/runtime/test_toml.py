"""The TOML that is written is read back as it was."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex import ConfigError
from openai_codex._runtime import toml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

text = st.text(st.characters(exclude_categories=["Cs"]))
scalar = text | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
document = st.dictionaries(
    text, st.recursive(scalar, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=5)
)


@settings(max_examples=60, deadline=None)
@given(document)
def test_everything_comes_back(values: Mapping[str, Any]) -> None:
    assert tomllib.loads(toml.document(values)) == values


def test_a_document_reads_well() -> None:
    written = toml.document({"a": "x", "t": {"inner": {"on": True}, "own": [1, "two"]}, "k k": {}})
    assert written == 'a = "x"\nt = {inner={on=true}, own=[1, "two"]}\n"k k" = {}\n'


def test_what_toml_does_not_know_is_refused() -> None:
    nothing: Any = None
    with pytest.raises(ConfigError, match="a: expected a str"):
        toml.document({"a": nothing})
