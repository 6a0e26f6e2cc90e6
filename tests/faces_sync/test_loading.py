# Derived from tests/faces_async/test_loading.py by `python -m tools.unasync`; do not edit.
"""What is asked of a thread that is resumed or forked is in force in its next turn, or an error says that it is not."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from openai_codex import AppServerConfig, Codex, ConfigError, InvalidRequestError, Restart, Thread, tool
from openai_codex._engine.waiting import Latch
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer, Gate, QuietHome, RecordedRequest, ScriptedModel, call, reply, say
from openai_codex.testing.frames import opened_thread
from openai_codex.types import (
    DangerFullAccessSandboxPolicy,
    ReadOnlySandboxPolicy,
    SandboxMode,
    ThreadBackgroundTerminalsListParams,
    ThreadResumeParams,
    ThreadUnsubscribeParams,
)
from tests.faces_sync._wait import together
from tests.faces_sync.test_running import until
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of, calls_waiting, connection_of, forget_work

AT_ONCE = Restart(initial_delay=0)


def was_written(file: Path) -> bool:
    """Return whether the file exists, and remove it."""
    existed = file.exists()
    file.unlink(missing_ok=True)
    return existed


def writes(model: ScriptedModel, thread: Thread, file: Path, **settings: Any) -> bool:
    """Let the model write a file in a turn of the thread; return whether that succeeded."""
    model.queue(reply(call("exec_command", {"cmd": f"sleep 0.3; touch {file}", "yield_time_ms": 15_000})), say("done"))
    thread.run("write", timeout=PATIENCE, **settings)
    return was_written(file)


def with_full_access(codex: Codex, **settings: Any) -> Thread:
    """Return a thread with full access and a turn, so that it is stored."""
    thread = codex.thread_start(sandbox="full-access", approval_policy="never", **settings)
    thread.run("one")
    return thread


def instructions(request: RecordedRequest) -> list[str]:
    """Return the developer messages that are instructions of these tests, oldest first."""
    return [text for text in request.developer_texts if text in {"Old.", "New."}]


def kill(codex: Codex) -> None:
    """Kill the runtime and wait until the client has noticed."""
    actor = actor_of(codex)
    assert actor.pid is not None
    os.kill(actor.pid, signal.SIGKILL)
    assert ready(actor.exited, PATIENCE)


def test_a_narrower_sandbox_holds_for_a_thread_that_is_loaded(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    file = codex_home.path / "written"
    with Codex(codex_home.config()) as codex:
        first = with_full_access(codex)
        assert writes(scripted_model, first, file)
        second = codex.thread_resume(first.id, sandbox="read-only")
        assert not writes(scripted_model, second, file)
        assert not writes(scripted_model, first, file), "both are handles of one thread"


def test_a_background_command_with_the_former_access_ends(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = with_full_access(codex)
        shell = {"cmd": "sleep 0.3; cat", "yield_time_ms": 600, "tty": True}
        scripted_model.queue(reply(call("exec_command", shell)), say("left open"))
        thread.run("open a shell", timeout=PATIENCE)
        commands = ThreadBackgroundTerminalsListParams(thread_id=thread.id)
        assert len((codex.request(commands)).data) == 1
        codex.thread_resume(thread.id, sandbox="full-access", approval_policy="never")
        assert len((codex.request(commands)).data) == 1, "these settings were in force already"
        codex.thread_resume(thread.id, sandbox="read-only")
        assert (codex.request(commands)).data == []


def test_settings_are_refused_while_a_turn_runs(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    gate, file = Gate(), codex_home.path / "written"
    with Codex(codex_home.config()) as codex:
        thread = with_full_access(codex)
        scripted_model.queue(say("slow", gate=gate))
        turn = thread.turn("two")
        gate.wait_reached()
        with pytest.raises(ConfigError, match=r"model, sandbox: it cannot hold for the turn") as caught:
            codex.thread_resume(thread.id, sandbox="read-only", model="gpt-5.5")
        assert "after the end of that turn" in str(caught.value)
        joined = codex.thread_resume(thread.id)
        gate.open()
        assert (turn.run(timeout=PATIENCE)).final_response == "slow"
        assert writes(scripted_model, joined, file)
        codex.thread_resume(thread.id, sandbox="read-only")
        assert not writes(scripted_model, joined, file)


def test_a_turn_that_this_client_does_not_know_of_counts_too(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    with Codex(codex_config) as codex:
        thread = with_full_access(codex)
        scripted_model.queue(say("slow", gate=gate))
        turn = thread.turn("two")
        gate.wait_reached()
        forget_work(codex, thread.id)
        with pytest.raises(ConfigError, match="sandbox"):
            codex.thread_resume(thread.id, sandbox="read-only")
        gate.open()
        assert (turn.run(timeout=PATIENCE)).final_response == "slow"


def test_a_run_that_comes_in_between_waits_and_has_the_new_settings(
    codex_home: QuietHome, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = codex_home.path / "written"
    with Codex(codex_home.config()) as codex:
        thread = with_full_access(codex)
        connection: Any = connection_of(codex)
        unsubscribed = Latch()
        send = connection.request

        def request(params: Any, **arguments: Any) -> Any:
            result = send(params, **arguments)
            if isinstance(params, ThreadUnsubscribeParams):
                unsubscribed.set()
                until(lambda: calls_waiting(codex, thread.id) > 0)
            return result

        def run() -> bool:
            assert ready(unsubscribed, PATIENCE)
            return writes(scripted_model, thread, file)

        monkeypatch.setattr(connection, "request", request)
        _, written = together([partial(codex.thread_resume, thread.id, sandbox="read-only"), run])
    assert not written


@pytest.mark.parametrize("step", [ThreadUnsubscribeParams, ThreadResumeParams])
def test_a_resume_that_is_broken_off_leaves_handles_that_work(
    codex_config: AppServerConfig, monkeypatch: pytest.MonkeyPatch, step: type
) -> None:
    with Codex(codex_config) as codex:
        thread = with_full_access(codex)
        connection: Any = connection_of(codex)
        send = connection.request

        def request(params: Any, **arguments: Any) -> Any:
            if isinstance(params, step) and (step is ThreadUnsubscribeParams or params.sandbox):
                if step is ThreadUnsubscribeParams:
                    send(params, **arguments)
                raise KeyboardInterrupt
            return send(params, **arguments)

        with monkeypatch.context() as patch:
            patch.setattr(connection, "request", request)
            with pytest.raises(KeyboardInterrupt):
                codex.thread_resume(thread.id, sandbox="read-only")
        assert (thread.run("go on", timeout=PATIENCE)).final_response == "ok"


def test_a_refused_resume_leaves_the_thread_as_it_was(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    file = codex_home.path / "written"
    with Codex(codex_home.config()) as codex:
        thread = with_full_access(codex, developer_instructions="Old.")
        with pytest.raises(InvalidRequestError, match="not found"):
            codex.thread_resume(thread.id, model_provider="none such", sandbox="read-only")
        assert writes(scripted_model, thread, file)
        for ephemeral in (True, False):
            other = codex.thread_start(ephemeral=ephemeral)
            with pytest.raises(InvalidRequestError, match="no rollout"):
                codex.thread_resume(other.id, sandbox="read-only")
            assert (other.run("go", timeout=PATIENCE)).final_response == "ok"


@pytest.mark.parametrize("loaded", [True, False])
def test_a_runtime_that_dies_before_the_first_turn_takes_no_setting_with_it(
    codex_home: QuietHome, scripted_model: ScriptedModel, loaded: bool
) -> None:
    file, config = codex_home.path / "written", codex_home.config(restart=AT_ONCE)
    with Codex(config) as codex:
        thread = with_full_access(codex)
        if loaded:
            codex.thread_resume(thread.id, sandbox="read-only", base_instructions="New base.", service_tier="flex")
            kill(codex)
            assert not writes(scripted_model, thread, file)
    if not loaded:
        with Codex(config) as codex:
            thread = codex.thread_resume(
                thread.id, sandbox="read-only", base_instructions="New base.", service_tier="flex"
            )
            kill(codex)
            assert not writes(scripted_model, thread, file)
    request = scripted_model.requests[-1]
    assert "New base." in request.developer_texts[0]
    assert request.json["service_tier"] == "flex"


def test_new_instructions_reach_the_first_turn_once(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        old = codex.thread_start(developer_instructions="Old.")
        old.run("one")
        for given, seen in (
            ("Old.", ["Old."]),
            ("New.", ["Old.", "New."]),
            ("New.", ["Old.", "New."]),
            ("Old.", ["Old.", "New.", "Old."]),
        ):
            thread = codex.thread_resume(old.id, developer_instructions=given)
            thread.run("again")
            assert instructions(scripted_model.requests[-1]) == seen
    with Codex(codex_config) as codex:
        for given, seen in (("Old.", 3), ("New.", 4), ("New.", 4)):
            thread = codex.thread_resume(old.id, developer_instructions=given)
            thread.run("again")
            assert len(instructions(scripted_model.requests[-1])) == seen
        for ephemeral in (True, False):
            fork = codex.thread_fork(old.id, developer_instructions="New.", ephemeral=ephemeral)
            fork.run("again")
            assert instructions(scripted_model.requests[-1])[-1] == "New."
        for verb in (codex.thread_resume, codex.thread_fork):
            with pytest.raises(ConfigError, match="stay"):
                verb(old.id, developer_instructions=" ")


def test_instructions_hold_after_a_compaction(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(developer_instructions="Old.")
        thread.run("one")
        codex.thread_resume(thread.id, developer_instructions="New.")
        thread.compact()
        thread.run("two", timeout=PATIENCE)
        assert instructions(scripted_model.requests[-1]) == ["New."]
        codex.thread_resume(thread.id, developer_instructions="New.")
        thread.run("three")
        assert instructions(scripted_model.requests[-1]) == ["New."]


def test_a_request_of_the_program_that_is_ignored_is_warned_about(
    codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture
) -> None:
    with Codex(codex_config) as codex:
        thread = with_full_access(codex)
        assert "codex.setting" not in caplog.text
        narrower = ThreadResumeParams(thread_id=thread.id, exclude_turns=True, sandbox=SandboxMode.read_only)
        codex.request(narrower)
        assert f"codex.setting_not_in_force thread_id={thread.id} setting=sandbox asked=read-only" in caplog.text


REPORTS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"sandbox": "read-only"}, {"sandbox": {"type": "dangerFullAccess"}}, "sandbox"),
    ({"model": "one"}, {"model": "other"}, "model"),
    ({"model_provider": "one"}, {"modelProvider": "other"}, "model_provider"),
    ({"approval_policy": "never"}, {"approvalPolicy": "on-request"}, "approval_policy"),
    ({"approvals_reviewer": "user"}, {"approvalsReviewer": "auto_review"}, "approvals_reviewer"),
    ({"approval_mode": "deny_all"}, {"approvalPolicy": "on-request"}, "approval_policy"),
]


@pytest.mark.parametrize(("asked", "reported", "what"), REPORTS, ids=[next(iter(each[0])) for each in REPORTS])
def test_an_error_says_which_setting_is_not_in_force(
    asked: dict[str, Any], reported: dict[str, Any], what: str
) -> None:
    with FakeAppServer() as server:
        for method in ("thread/start", "thread/resume", "thread/fork"):
            server.on(method, lambda request: request.reply({**opened_thread("t"), **reported}))
        with Codex(server.config()) as codex:
            calls = (codex.thread_start, partial(codex.thread_resume, "t"), partial(codex.thread_fork, "t"))
            for verb in calls:
                with pytest.raises(ConfigError, match=f"^{what}: not in force in thread t: .*{what}=") as caught:
                    verb(**asked)
                assert caught.value.what == what


def test_a_service_tier_that_the_model_lacks_is_warned_about(
    codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(service_tier="flex")
        thread.run("go")
        assert "not_in_force" not in caplog.text
        for verb in (
            codex.thread_start,
            partial(codex.thread_resume, thread.id),
            partial(codex.thread_fork, thread.id),
        ):
            caplog.clear()
            verb(service_tier="bogus")
            assert "codex.setting_not_in_force" in caplog.text
            assert "setting=service_tier asked=bogus" in caplog.text


def test_a_handle_knows_the_settings_in_force(codex_home: QuietHome) -> None:
    with Codex(codex_home.config()) as codex:
        thread = codex.thread_start(model="gpt-5.5", sandbox="read-only", service_tier="fast")
        settings = thread.settings
        assert (settings.model, settings.model_provider, settings.service_tier) == ("gpt-5.5", "mock", "priority")
        assert (settings.cwd, settings.approvals_reviewer) == (str(codex_home.workspace), "user")
        assert isinstance(settings.sandbox, ReadOnlySandboxPolicy)
        thread.run("go", model="mock-model", effort="high", approval_policy="never", sandbox="full-access")
        settings = codex.thread(thread.id).settings
        assert (settings.model, settings.effort, settings.approval_policy) == ("mock-model", "high", "never")
        assert isinstance(settings.sandbox, DangerFullAccessSandboxPolicy)
        assert (codex.thread_fork(thread.id)).settings.model == "mock-model"
        with pytest.raises(ConfigError, match="not known for thread other"):
            _ = codex.thread("other").settings
        thread.close()
        with pytest.raises(ConfigError, match="thread_resume"):
            _ = thread.settings


@tool
def look(at: str) -> str:
    """Look."""
    return at


@tool
def ask(at: str) -> str:
    """Ask."""
    return at


@tool(namespace="db")
def find(at: str) -> str:
    """Find."""
    return at


def test_tools_that_the_thread_was_not_started_with_are_refused(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        started = codex.thread_start(tools=[look, find])
        bare = codex.thread_start()
        for thread in (started, bare):
            thread.run("go", timeout=PATIENCE)
        fork = codex.thread_fork(started.id, tools=[look])
        fork.run("go", timeout=PATIENCE)
    with Codex(codex_config) as codex:
        for verb in (codex.thread_resume, codex.thread_fork):
            for thread in (started, fork):
                verb(thread.id, tools=[])
                verb(thread.id, tools=[find, look])
                with pytest.raises(ConfigError, match=f"thread {thread.id} was not started with ask, so") as caught:
                    verb(thread.id, tools=[look, ask])
                assert caught.value.what == "tools"
            with pytest.raises(ConfigError, match=r"not started with look, db\.find"):
                verb(bare.id, tools=[look, find])
            with pytest.raises(InvalidRequestError):
                verb("01a21495-a530-7b90-a44c-be953b48fd6f", tools=[look])


def test_a_tool_whose_parameters_have_changed_is_warned_about(
    codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture
) -> None:
    @tool
    def rich(when: list[dict[str, int]] | None = None, *, how: Literal["ä", "b"] = "b", big: float = 1.5) -> str:
        """Take much."""
        return f"{when} {how} {big}"

    @tool(name="look")
    def other(around: int) -> str:
        """Look around."""
        return str(around)

    with Codex(codex_config) as codex:
        thread = codex.thread_start(tools=[look, rich, find])
        thread.run("go", timeout=PATIENCE)
        codex.thread_resume(thread.id, tools=[look, rich, find])
        assert "codex.tool_differs" not in caplog.text
        codex.thread_resume(thread.id, tools=[other, rich, find])
        assert f"codex.tool_differs thread_id={thread.id} tool=look" in caplog.text


def test_tools_that_cannot_be_checked_are_warned_about(codex_home: QuietHome, caplog: pytest.LogCaptureFixture) -> None:
    with Codex(codex_home.config()) as codex:
        thread = codex.thread_start(tools=[look])
        thread.run("go", timeout=PATIENCE)
        [file] = codex_home.path.rglob(f"rollout-*{thread.id}.jsonl")
        moved = file.rename(file.with_suffix(".moved"))
        with suppress(InvalidRequestError):
            codex.thread_resume(thread.id, tools=[look])
        moved.rename(file)
        assert "codex.tools_not_checked" in caplog.text
