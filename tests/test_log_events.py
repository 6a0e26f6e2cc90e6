"""The documentation of the log events, and what the events say about requests, turns and the runtime."""

from __future__ import annotations

import ast
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import openai_codex
from openai_codex import AppServerConfig, Codex, JsonRpcError, RequestTimeoutError, TurnTimeoutError
from openai_codex.testing import FakeAppServer, ScriptedModel, fail
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE, STARTED, eventually
from tests.support.children import child
from tests.support.log_table import Comparison, documented

PACKAGE = Path(openai_codex.__file__).parent


def names_in_the_code() -> set[str]:
    """Return the names of events in the package; of a text with a part that varies, what comes before it."""
    found: set[str] = set()
    # Those are names of attributes of spans.
    for path in set(PACKAGE.rglob("*.py")) - {PACKAGE / "_otel" / "names.py"}:
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.values[0] if isinstance(node, ast.JoinedStr) else node
            if isinstance(text, ast.Constant) and re.fullmatch(r"codex\.[a-z_]+", str(text.value)):
                found.add(str(text.value))
    return found


def test_every_event_is_documented_and_every_documented_event_exists() -> None:
    in_code, in_table = names_in_the_code(), set(documented())
    open_ended = tuple(name for name in in_code if name.endswith("_"))
    assert {name for name in in_code if name not in in_table and name not in open_ended} == set()
    assert {name for name in in_table if name not in in_code and not name.startswith(open_ended)} == set()
    assert all(any(name.startswith(each) for name in in_table) for each in open_ended)


def test_a_record_that_is_not_as_documented_is_found() -> None:
    comparison = Comparison()
    started = {"event": "codex.turn_started", "thread_id": "T", "turn_id": "U"}
    assert comparison.faults_of("openai_codex.turn", "INFO", started) == []
    assert comparison.faults_of("openai_codex.turn", "WARNING", started) != []
    assert comparison.faults_of("openai_codex.actor", "INFO", started) != []
    assert comparison.faults_of("openai_codex.turn", "INFO", {**started, "prompt": "x"}) != []
    assert comparison.faults_of("openai_codex.turn", "INFO", {"event": "codex.unheard_of"}) != []


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def fields(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    logged = [vars(record).get("codex") or {} for record in caplog.records]
    return [each for each in logged if each.get("event") == event]


def test_each_request_has_one_line_with_its_outcome(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openai_codex")
    server.on("model/list", {"data": []})
    with Codex(server.config()) as codex:
        codex.models()
        server.refuse("model/list", code=-32600, times=1)
        with pytest.raises(JsonRpcError):
            codex.models()
        server.hold("model/list")
        with pytest.raises(RequestTimeoutError):
            codex.request(ModelListParams(), timeout=STARTED)
    ends = [each for each in fields(caplog, "codex.request_ended") if each["method"] == "model/list"]
    assert [(each["outcome"], each["code"]) for each in ends] == [
        ("answered", None),
        ("refused", -32600),
        ("timed_out", None),
    ]
    assert all(each["seconds"] >= 0 and each["pid"] and each["request_id"] for each in ends)


def test_the_log_says_who_has_asked_for_an_interrupt(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openai_codex")
    with Codex(server.config()) as codex:
        turn = codex.thread_start().turn("go")
        person = threading.Thread(target=turn.interrupt, name="person")
        person.start()
        person.join(PATIENCE)
        turn.run()
    asked = fields(caplog, "codex.turn_interrupt_asked")
    assert [(each["turn_id"], each["by"]) for each in asked] == [(turn.id, "person")]
    ended = fields(caplog, "codex.turn_interrupted")
    assert [each["turn_id"] for each in ended] == [turn.id]
    assert ended[0]["seconds"] >= 0


# The time of a stall begins with the first event of the turn; the other one has to outlive its start.
@pytest.mark.parametrize("limits", [{"timeout": STARTED}, {"stall_timeout": 0.05}], ids=str)
def test_a_turn_whose_time_is_over_is_a_warning(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture, limits: dict[str, Any]
) -> None:
    caplog.set_level(logging.WARNING, "openai_codex")
    with Codex(server.config()) as codex, pytest.raises(TurnTimeoutError) as caught:
        codex.thread_start().run("go", **limits)
    (end,) = [vars(record)["codex"] for record in caplog.records]
    assert (end["event"], end["turn_id"]) == ("codex.turn_abandoned", caught.value.turn_id)
    assert end["reason"] == type(caught.value).__name__
    assert end["seconds"] > 0


def test_a_failed_turn_is_logged_with_its_reason(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    scripted_model.queue(fail(400, "no such thing"))
    with Codex(codex_config) as codex, pytest.raises(openai_codex.TurnFailedError):
        codex.thread_start(ephemeral=True).run("hi")
    (failed,) = fields(caplog, "codex.turn_failed")
    assert "no such thing" in failed["reason"]
    assert failed["error"] is not None


def test_a_completed_turn_is_logged_with_its_tokens(
    codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openai_codex")
    with Codex(codex_config) as codex:
        result = codex.thread_start(ephemeral=True).run("hi")
    (completed,) = fields(caplog, "codex.turn_completed")
    assert result.usage is not None
    assert completed["tokens"] == result.usage.last.total_tokens


def test_the_lines_of_stderr_have_a_level_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    program = child('os.write(2, b"\\x1b[31mone\\x1b[0m\\ntw"); os.write(2, b"o\\n\\nthree"); shake_hands(); read()')
    config = AppServerConfig(launch_args_override=program)
    caplog.set_level(logging.DEBUG, "openai_codex.runtime")
    with Codex(config):
        pass
    assert eventually(lambda: len(fields(caplog, "codex.runtime_stderr")) == 3)
    assert [each["text"] for each in fields(caplog, "codex.runtime_stderr")] == ["one", "two", "three"]
    caplog.clear()
    logging.getLogger("openai_codex.runtime").setLevel(logging.INFO)
    with Codex(config):
        pass
    assert fields(caplog, "codex.runtime_stderr") == []
