"""The log on stderr, for programs that have not configured logging: `debug`, and the variable that does the same."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import openai_codex
from openai_codex import ConfigError
from openai_codex._log import Log
from tests.support.children import ECHO

PROGRAM = f"""
import sys
from openai_codex import AppServerConfig, Codex
with Codex(AppServerConfig(launch_args_override={ECHO!r})) as codex:
    pass
"""


def run(program: str, switch: str | None = None) -> list[str]:
    env = {} if switch is None else {"OPENAI_CODEX_LOG": switch}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_program_that_configured_nothing_prints_no_routine_events() -> None:
    assert run(PROGRAM) == []


def test_the_variable_switches_json_lines_on() -> None:
    lines = [json.loads(line) for line in run(PROGRAM, "json")]
    started = next(line for line in lines if line["event"] == "codex.process_started")
    assert (started["level"], started["logger"]) == ("info", "openai_codex.actor")
    assert started["at"].endswith("Z")
    assert started["pid"] > 0
    assert {"codex.request_ended", "codex.process_exited"} <= {line["event"] for line in lines}


def test_the_variable_switches_text_on() -> None:
    (line,) = [line for line in run(PROGRAM, " TEXT ") if "codex.process_started" in line]
    at, level, event, *fields = line.split()
    assert at[10] == "T"
    assert (level, event) == ("INFO", "codex.process_started")
    assert any(field.startswith("pid=") for field in fields)


def test_a_misspelled_variable_is_a_warning_and_no_error() -> None:
    (line,) = run(PROGRAM, "yaml")
    assert "codex.switch_not_understood" in line
    assert "'text', 'json'" in line


def test_the_call_of_the_program_has_priority() -> None:
    call = 'import openai_codex; openai_codex.debug("json", level="warning")\n'
    assert run(call + PROGRAM, "text") == []


def test_a_second_call_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    openai_codex.debug("text")
    openai_codex.debug("json")
    Log("test").debug("codex.something_happened", count=1)
    entry = json.loads(capsys.readouterr().err)
    assert (entry["event"], entry["count"], entry["level"]) == ("codex.something_happened", 1, "debug")


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_of_exceptions_are_masked_and_a_line_stays_a_line(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    openai_codex.debug(form)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  one of the two
    error = ValueError("Authorization: Bearer sk-abcdefghijklmnopqrstuvwxyz123456")
    Log("test").warning("codex.something_happened", text="a\nb", exc_info=error)
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "sk-abcdefghijklmnopqrstuvwxyz123456" not in shown
    assert "a\nb" not in shown


@pytest.mark.parametrize(("name", "bad"), [("format", "yaml"), ("format", 3), ("level", "loud"), ("level", 10)])
def test_a_wrong_argument_is_refused(name: str, bad: object) -> None:
    with pytest.raises(ConfigError, match=name):
        openai_codex.debug(**{name: bad})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  on purpose


class Silent:
    def __str__(self) -> str:
        raise LookupError


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
SOME: dict[str, Any] = {
    "event": "codex.tested",
    "pid": 1,
    "seconds": 0.5,
    "is_open": True,
    "reason": None,
    "names": ["a"],
}
VALUES: dict[str, tuple[Any, Any]] = {
    "half a surrogate pair": ("\ud800", "\ud800"),
    "an integer of 65 bits": (2**64, "18446744073709551616"),
    "a huge integer": (10**6000, None),
    "a key that is no text": ({1: 2}, "{1: 2}"),
    "half a pair in a key": ({"\udfff": 1}, None),
    "an object without a text": (Silent(), None),
    "a circle": (CIRCLE, None),
}


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[Any]]]:
    openai_codex.debug("json")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for each in (logger := logging.getLogger("openai_codex")).handlers.copy():
        logger.removeHandler(each)
    logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize(("value", "shown"), VALUES.values(), ids=VALUES)
def test_each_record_is_one_line_whatever_its_values(lines: Callable[[], list[Any]], value: Any, shown: Any) -> None:
    logging.getLogger("openai_codex.test").info("m", extra={"codex": {**SOME, "value": value}})
    (line,) = lines()
    assert {key: line[key] for key in SOME} == SOME  # as always
    assert line["value"] == shown if shown is not None else line["value"]


def test_a_record_that_the_program_has_marked_is_one_line(lines: Callable[[], list[Any]]) -> None:
    logging.getLogger("openai_codex.test").warning("text %d", 1, extra={"codex": "of the application"})
    assert [line["event"] for line in lines()] == ["text 1"]
