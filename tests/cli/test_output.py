"""Text for streams that may be a terminal, errors as one sentence, and warnings of the log."""

from __future__ import annotations

import logging

import pytest

from openai_codex._cli.output import Warnings, clean, sentence, shown
from openai_codex._log import Log
from openai_codex.errors import CodexError, ConfigError, LaunchError, ProcessInfo


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("one\n\ttwo\r\nthree", "one\n\ttwo\nthree"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\rb\x9b2J", r"a\rb\x9b2J"),
        ("left\u202eright", r"left\u202eright"),
        ("naïve 🙂", "naïve 🙂"),
    ],
)
def test_text_keeps_its_lines_and_tabs_only(given: str, expected: str) -> None:
    assert clean(given) == expected


def test_an_answer_keeps_what_looks_like_a_secret_and_progress_does_not() -> None:
    text = "sk-0123456789abcdef0123"
    assert (clean(text), shown(text)) == (text, "***")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConfigError("cwd", "bad"), "cwd: bad"),
        (CodexError(), "CodexError"),
        (LaunchError("it exited", ProcessInfo(("codex",), 1, 2)), "codex runtime did not start: it exited"),
        (
            LaunchError("it exited", ProcessInfo(("codex",), 1, 2, ("starting", "Error: no key", "stack", ""))),
            "codex runtime did not start: it exited: Error: no key",
        ),
        (
            LaunchError("it exited", ProcessInfo(("codex",), 1, 2, ("one", "two", ""))),
            "codex runtime did not start: it exited: two",
        ),
    ],
)
def test_an_error_is_one_line(error: CodexError, expected: str) -> None:
    assert sentence(error) == expected


def test_warnings_of_the_log_are_handed_on_once_and_as_lines(caplog: pytest.LogCaptureFixture) -> None:
    found: list[str] = []
    with caplog.at_level(logging.DEBUG, "openai_codex"), Warnings(found.append):
        Log("runtime").warning(
            "codex.runtime_warning", kind="warning", message="no \x1bway", thread_id=None, turn_id=None
        )
        Log("connection").warning("codex.variables_left_out", names="A,B", reason="not UTF-8")
        Log("actor").warning("codex.process_exited", pid=1, exit_code=1, uptime=0.1)
        Log("runtime").debug("codex.runtime_warning", kind="warning", message="again", thread_id=None, turn_id=None)
    Log("connection").warning("codex.variables_left_out", names="A,B", reason="not UTF-8")
    assert found == [r"warning: no \x1bway", "warning: variables left out: names A,B, reason not UTF-8"]


def test_a_function_that_raises_changes_nothing() -> None:
    def fails(_text: str) -> None:
        raise BrokenPipeError

    with Warnings(fails):
        Log("connection").warning("codex.variables_left_out", names="A", reason="not UTF-8")
