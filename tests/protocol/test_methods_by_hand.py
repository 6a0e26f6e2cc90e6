"""Every method that is named by hand outside of the generated modules exists in the protocol's tables."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from openai_codex._protocol.methods import CLIENT_REQUESTS, NOTIFICATIONS, SERVER_REQUESTS

PACKAGE = Path(__file__).parents[2] / "openai_codex"
METHODS = CLIENT_REQUESTS.keys() | NOTIFICATIONS.keys() | SERVER_REQUESTS.keys()

# Two or more names with slashes between them. Media types look the same, and are recognised by their first name.
LIKE_A_METHOD = re.compile(r"(?!(application|image|text)/)[a-z]\w*(/[a-z]\w*)+")
OF_ONE_NAME = {method for method in METHODS if "/" not in method}

EXCEPTIONS = {
    "initialized": "the handshake's notification of the client; the schema has no table of those",
    "client/runtimeExited": "a notification that the client itself makes for its own subscribers",
    "client/runtimeStarted": "a notification that the client itself makes for its own subscribers",
    "tools/call": "a method of MCP, which the span of such a tool names",
    "http/json": "a protocol in a variable of OpenTelemetry",
}
"""Literals that look like a method and are not one, with the reason."""


GENERATED = {"_protocol", "_sync"}
BY_HAND = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in GENERATED]


def method_names(path: Path) -> set[str]:
    """Return the literals of a module that are, or look like, the name of a method; docstrings do not count."""
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_method(node.value)
    }


def is_method(text: str) -> bool:
    return bool(LIKE_A_METHOD.fullmatch(text)) or text in OF_ONE_NAME or text in EXCEPTIONS


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_method_that_is_named_by_hand_exists(path: Path) -> None:
    assert method_names(path) - METHODS - EXCEPTIONS.keys() == set()


def test_the_scan_finds_methods_and_every_exception_is_needed() -> None:
    found = set().union(*map(method_names, BY_HAND))
    assert found >= SERVER_REQUESTS.keys()
    assert {name for name in EXCEPTIONS if name not in found} == set()
