"""What the runtime warns of is in the log, once, and counted; whatever it is about, and from its start on."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import AsyncCodex, Restart
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel, say, temporary_home, truncate
from tests.support.bounds import PATIENCE, eventually

WARNED = "codex.runtime_warning"


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@pytest.fixture
def home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A home whose provider may be asked again."""
    with temporary_home(scripted_model.url, provider={"stream_max_retries": 2}) as home:
        yield home


def warnings(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[dict[str, Any]]:
    """Return the fields of the log events about warnings."""
    found = [record for record in caplog.records if record.name == "openai_codex.runtime" and record.levelno == level]
    return [vars(record)["codex"] for record in found]


def about(caplog: pytest.LogCaptureFixture, text: str) -> list[dict[str, Any]]:
    return [fields for fields in warnings(caplog) if text in fields["message"]]


async def test_an_unknown_model_an_ignored_setting_and_a_deprecated_request_are_warned_of_once(
    codex_home: QuietHome, caplog: pytest.LogCaptureFixture
) -> None:
    codex_home.config_file.write_text("bogus_key = 1\n" + codex_home.config_file.read_text())
    async with AsyncCodex(codex_home.config(strict_config=False)) as codex:
        for _ in range(2):
            thread = await codex.thread_start(model="no-such-model")
            for _ in range(2):
                await thread.run("go", timeout=PATIENCE)
            await codex.thread_resume(thread.id, include_turns=True)
        # In any order with the replies.
        expected = {"warning": 4, "configWarning": 1, "deprecationNotice": 2}
        assert eventually(
            lambda: all(codex.health().warnings.get(kind, 0) >= count for kind, count in expected.items())
        )
    for text in ("no-such-model", "`bogus_key` is ignored", "is deprecated"):
        assert eventually(lambda text=text: about(caplog, text)), text  # type: ignore[misc]  # mypy knows no such default
        assert len(about(caplog, text)) == 1
    assert all("\n" not in record.getMessage() for record in caplog.records)


async def test_a_configuration_that_cannot_be_read_is_warned_of_when_the_runtime_starts(
    codex_home: QuietHome, caplog: pytest.LogCaptureFixture
) -> None:
    codex_home.config_file.write_text("[[[")
    async with AsyncCodex(codex_home.config(strict_config=False)) as codex:
        assert eventually(lambda: about(caplog, "Invalid configuration"))
        assert codex.health().warnings["configWarning"] >= 1
        assert codex.health().to_dict()["warnings"] == codex.health().warnings


async def test_each_repeated_request_to_the_provider_is_warned_of(
    home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(home.config()) as codex:
        thread = await codex.thread_start()
        turns = []
        for _ in range(2):
            scripted_model.queue(truncate(), truncate(), say("done"))
            turns.append((await thread.run("go", timeout=PATIENCE)).id)
        assert eventually(lambda: codex.health().warnings.get("error") == 4)
    assert eventually(lambda: len(about(caplog, "Reconnecting")) == 4)
    found = {(fields["turn_id"], fields["message"][:19]) for fields in about(caplog, "Reconnecting")}
    assert found == {(id, f"Reconnecting... {number}/2") for id in turns for number in (1, 2)}


STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "warning": ("warning", {"message": "careful"}),
    "of a thread": ("warning", {"message": "careful", "threadId": "T"}),
    "guardian": ("guardianWarning", {"message": "careful", "threadId": "T"}),
    "config": ("configWarning", {"summary": "careful", "details": "line 3", "path": "/config.toml"}),
    "deprecation": ("deprecationNotice", {"summary": "careful", "details": None}),
    "server": ("mcpServer/startupStatus/updated", {"name": "careful", "status": "failed", "error": "exit 1"}),
    "login": ("mcpServer/oauthLogin/completed", {"name": "careful", "success": False}),
    "rerouted": (
        "model/rerouted",
        {"fromModel": "careful", "toModel": "b", "reason": "busy", "threadId": "T", "turnId": "U"},
    ),
    "recovery": (
        "modelProvider/authRecoveryStarted",
        {"message": "careful", "provider": "p", "threadId": "T", "turnId": "U"},
    ),
    "writable": (
        "windows/worldWritableWarning",
        {"samplePaths": ["careful"], "extraCount": 0, "failedScan": False},
    ),
    "sandbox": ("windowsSandbox/setupCompleted", {"mode": "careful", "success": False, "error": "no"}),
}
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "retry": ("error", {"error": {"message": "careful"}, "willRetry": True, "threadId": "T", "turnId": "U"}),
    "hook": (
        "hook/completed",
        {"run": {"sourcePath": "/hook", "status": "failed", "statusMessage": "careful"}, "threadId": "T"},
    ),
    "environment": ("thread/environment/disconnected", {"environmentId": "careful", "threadId": "T"}),
    "realtime": ("thread/realtime/error", {"message": "careful", "threadId": "T"}),
}
HARMLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "last error": ("error", {"error": {"message": "x"}, "willRetry": False, "threadId": "T", "turnId": "U"}),
    "started server": ("mcpServer/startupStatus/updated", {"name": "x", "status": "ready"}),
    "login": ("mcpServer/oauthLogin/completed", {"name": "x", "success": True}),
    "hook": ("hook/completed", {"run": {"sourcePath": "/hook", "status": "completed"}, "threadId": "T"}),
    "sandbox": ("windowsSandbox/setupCompleted", {"mode": "x", "success": True}),
    "another form": ("warning", {"text": "x"}),
    "no form": ("error", {"error": "x"}),
}


@pytest.mark.parametrize("name", [*STATES, *EVENTS])
async def test_every_kind_of_warning_is_logged_once_and_counted_each_time(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    method, params = (STATES | EVENTS)[name]
    with caplog.at_level(logging.DEBUG, "openai_codex"):
        async with AsyncCodex(server.config()) as codex:
            for each in (params, params, {**params, "threadId": "other"}):
                server.notify(method, each)
            assert eventually(lambda: codex.health().warnings.get(method) == 3)
    new = 2 if name in EVENTS else 1
    assert eventually(lambda: (len(warnings(caplog)), len(warnings(caplog, logging.DEBUG))) == (new, 3 - new))
    found = sorted(warnings(caplog), key=lambda fields: fields["thread_id"] == "other")
    assert (found[0]["event"], found[0]["kind"], found[0]["thread_id"]) == (WARNED, method, params.get("threadId"))
    assert "careful" in found[0]["message"]


@pytest.mark.parametrize("name", HARMLESS)
async def test_what_is_no_warning_is_not_logged(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    async with AsyncCodex(server.config()) as codex:
        server.notify(*HARMLESS[name])
        server.notify("warning", {"message": "the last"})
        assert eventually(lambda: codex.health().warnings)
        assert codex.health().warnings == {"warning": 1}
    assert eventually(lambda: [fields["message"] for fields in warnings(caplog)] == ["the last"])


async def test_a_text_is_escaped_and_cut_and_a_secret_is_not_logged(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    key = "sk-proj-0123456789abcdef0123456789abcdef"
    async with AsyncCodex(server.config()):
        server.notify("warning", {"message": f"one\nfake \x1b[31m line, {key} " + "x" * 100_000})
        assert eventually(lambda: warnings(caplog))
    [line] = [record.getMessage() for record in caplog.records if WARNED in record.getMessage()]
    assert line.isprintable()
    assert key not in line
    assert len(line) < 3_000


async def test_the_counts_continue_with_the_next_runtime(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(restart=Restart())) as codex:
        thread = await codex.thread_start()
        server.notify("warning", {"message": "first"})
        assert eventually(lambda: codex.health().warnings == {"warning": 1})
        server.child.kill()
        assert eventually(lambda: not codex.health().alive)
        await thread.turn("go")
        server.notify("warning", {"message": "second"})
        assert eventually(lambda: codex.health().warnings == {"warning": 2})
        assert json.dumps(codex.health().to_dict())
