"""A line that is written without looking at its values has nothing to be masked by any rule."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex._journal.harmless import is_harmless
from openai_codex._journal.redact import Redactor
from openai_codex._runtime.display import conceal

KNOWN = "swordfish of the 7 seas"

# What rules look for, alone and with other text, as names and as values.
WORDS = st.sampled_from(
    [
        "token",
        "apiKey",
        "password",
        "passwd",
        "pwd",
        "pat",
        "path",
        "auth",
        "author",
        "authorization",
        "env",
        "environments",
        "headers",
        "dsn",
        "jwt",
        "signature",
        "verificationUrl",
        "userCode",
        "loginUrl",
        "codex_home",
        "code",
        "value",
        "name",
        "key",
        "keyPath",
        "command",
        "args",
        "argv",
        "cmd",
        "mode",
        "url",
        "answers",
        "questions",
        "deltaBase64",
        "text",
        "id",
        "items",
        "content",
        "--token",
        "-H",
        "-u",
        "curl://me:pw@h",
        "https://host/x",
        "sk-aaaaaaaaaaaaaaaaaaaa",
        "bearer",
        "AKIAABCDEFGHIJKLMNOP",
        "aizaAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "kelvin\u212aey",
        "12",
        "{}",
        "[]",
        "{'a':1}",
        "x=y",
        "DB_PASSWORD=hunter2",
        "X-Api-Key:hunter2",
        "environment",
        "variables",
        "session_id",
        "otp",
        "pin",
        "refresh",
        "password: hunter22",
        "pin: 1234",
        "api_key=hunter22",
        "<token>hunter22</token>",
        "enter code ABCD-1234",
        "h:5432:d:u:hunter22",
        "machine h login u password hunter22",
        "https://a1b2c3d4e5f6g7h8@host",
        "Basic dXNlcjpwYXNzd29yZDE=",
        "sid=a1b2c3d4",
        "é",
        "c2VjcmV0",
    ]
) | st.sampled_from(
    [KNOWN, "bearer abcdefghijklmnopqrst", "swordfish", " ", "-----BEGIN PRIVATE KEY-----", '"', "\\", "\n", "a b"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map("".join) | WORDS
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(-5, 1 << 40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=600)
@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.sampled_from("<>"))
def test_a_harmless_line_stays_as_it_is(frame: dict[str, Any], direction: str) -> None:
    conceal([KNOWN])
    if is_harmless(orjson.dumps(frame).decode(), ()):
        assert Redactor().frame(direction, frame) == frame


@pytest.mark.parametrize(
    "frame",
    [
        {"method": "thread/status/changed", "params": {"threadId": "t", "status": {"type": "idle"}}},
        {"id": 3, "result": {"turn": {"id": "u", "items": [], "status": "inProgress", "error": None}}},
        {
            "method": "turn/start",
            "id": 3,
            "params": {"threadId": "t", "input": [{"type": "text", "text": "Say hello."}]},
        },
    ],
)
def test_most_lines_are_harmless(frame: dict[str, Any]) -> None:
    assert is_harmless(orjson.dumps(frame).decode(), ())
    assert not is_harmless(orjson.dumps({**frame, "more": "found"}).decode(), ["found"])
