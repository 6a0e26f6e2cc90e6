"""What is asked of a thread that is resumed or forked is in force in its next turn, or an error says that it is not."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from openai_codex import AppServerConfig, AsyncCodex, AsyncThread, ConfigError, InvalidRequestError, Restart, tool
from openai_codex._async.client._wait import ready
from openai_codex._engine.waiting import Latch
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
from tests.faces_async._wait import together
from tests.faces_async.test_running import until
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of, calls_waiting, connection_of, forget_work

AT_ONCE = Restart(initial_delay=0)


def was_written(file: Path) -> bool:
    """Return whether the file exists, and remove it."""
    existed = file.exists()
    file.unlink(missing_ok=True)
    return existed


async def writes(model: ScriptedModel, thread: AsyncThread, file: Path, **settings: Any) -> bool:
    """Let the model write a file in a turn of the thread; return whether that succeeded."""
    model.queue(reply(call("exec_command", {"cmd": f"sleep 0.3; touch {file}", "yield_time_ms": 15_000})), say("done"))
    await thread.run("write", timeout=PATIENCE, **settings)
    return was_written(file)


async def with_full_access(codex: AsyncCodex, **settings: Any) -> AsyncThread:
    """Return a thread with full access and a turn, so that it is stored."""
    thread = await codex.thread_start(sandbox="full-access", approval_policy="never", **settings)
    await thread.run("one")
    return thread


def instructions(request: RecordedRequest) -> list[str]:
    """Return the developer messages that are instructions of these tests, oldest first."""
    return [text for text in request.developer_texts if text in {"Old.", "New."}]


async def kill(codex: AsyncCodex) -> None:
    """Kill the runtime and wait until the client has noticed."""
    actor = actor_of(codex)
    assert actor.pid is not None
    os.kill(actor.pid, signal.SIGKILL)
    assert await ready(actor.exited, PATIENCE)


async def test_a_narrower_sandbox_holds_for_a_thread_that_is_loaded(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    file = codex_home.path / "written"
    async with AsyncCodex(codex_home.config()) as codex:
        first = await with_full_access(codex)
        assert await writes(scripted_model, first, file)
        second = await codex.thread_resume(first.id, sandbox="read-only")
        assert not await writes(scripted_model, second, file)
        assert not await writes(scripted_model, first, file), "both are handles of one thread"


async def test_a_background_command_with_the_former_access_ends(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await with_full_access(codex)
        shell = {"cmd": "sleep 0.3; cat", "yield_time_ms": 600, "tty": True}
        scripted_model.queue(reply(call("exec_command", shell)), say("left open"))
        await thread.run("open a shell", timeout=PATIENCE)
        commands = ThreadBackgroundTerminalsListParams(thread_id=thread.id)
        assert len((await codex.request(commands)).data) == 1
        await codex.thread_resume(thread.id, sandbox="full-access", approval_policy="never")
        assert len((await codex.request(commands)).data) == 1, "these settings were in force already"
        await codex.thread_resume(thread.id, sandbox="read-only")
        assert (await codex.request(commands)).data == []


async def test_settings_are_refused_while_a_turn_runs(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    gate, file = Gate(), codex_home.path / "written"
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await with_full_access(codex)
        scripted_model.queue(say("slow", gate=gate))
        turn = await thread.turn("two")
        await gate.reached()
        with pytest.raises(ConfigError, match=r"model, sandbox: it cannot hold for the turn") as caught:
            await codex.thread_resume(thread.id, sandbox="read-only", model="gpt-5.5")
        assert "after the end of that turn" in str(caught.value)
        joined = await codex.thread_resume(thread.id)
        gate.open()
        assert (await turn.run(timeout=PATIENCE)).final_response == "slow"
        assert await writes(scripted_model, joined, file)
        await codex.thread_resume(thread.id, sandbox="read-only")
        assert not await writes(scripted_model, joined, file)


async def test_a_turn_that_this_client_does_not_know_of_counts_too(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    async with AsyncCodex(codex_config) as codex:
        thread = await with_full_access(codex)
        scripted_model.queue(say("slow", gate=gate))
        turn = await thread.turn("two")
        await gate.reached()
        forget_work(codex, thread.id)
        with pytest.raises(ConfigError, match="sandbox"):
            await codex.thread_resume(thread.id, sandbox="read-only")
        gate.open()
        assert (await turn.run(timeout=PATIENCE)).final_response == "slow"


async def test_a_run_that_comes_in_between_waits_and_has_the_new_settings(
    codex_home: QuietHome, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = codex_home.path / "written"
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await with_full_access(codex)
        connection: Any = connection_of(codex)
        unsubscribed = Latch()
        send = connection.request

        async def request(params: Any, **arguments: Any) -> Any:
            result = await send(params, **arguments)
            if isinstance(params, ThreadUnsubscribeParams):
                unsubscribed.set()
                await until(lambda: calls_waiting(codex, thread.id) > 0)
            return result

        async def run() -> bool:
            assert await ready(unsubscribed, PATIENCE)
            return await writes(scripted_model, thread, file)

        monkeypatch.setattr(connection, "request", request)
        _, written = await together([partial(codex.thread_resume, thread.id, sandbox="read-only"), run])
    assert not written


@pytest.mark.parametrize("step", [ThreadUnsubscribeParams, ThreadResumeParams])
async def test_a_resume_that_is_broken_off_leaves_handles_that_work(
    codex_config: AppServerConfig, monkeypatch: pytest.MonkeyPatch, step: type
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await with_full_access(codex)
        connection: Any = connection_of(codex)
        send = connection.request

        async def request(params: Any, **arguments: Any) -> Any:
            if isinstance(params, step) and (step is ThreadUnsubscribeParams or params.sandbox):
                if step is ThreadUnsubscribeParams:
                    await send(params, **arguments)
                raise KeyboardInterrupt
            return await send(params, **arguments)

        with monkeypatch.context() as patch:
            patch.setattr(connection, "request", request)
            with pytest.raises(KeyboardInterrupt):
                await codex.thread_resume(thread.id, sandbox="read-only")
        assert (await thread.run("go on", timeout=PATIENCE)).final_response == "ok"


async def test_a_refused_resume_leaves_the_thread_as_it_was(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    file = codex_home.path / "written"
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await with_full_access(codex, developer_instructions="Old.")
        with pytest.raises(InvalidRequestError, match="not found"):
            await codex.thread_resume(thread.id, model_provider="none such", sandbox="read-only")
        assert await writes(scripted_model, thread, file)
        for ephemeral in (True, False):
            other = await codex.thread_start(ephemeral=ephemeral)
            with pytest.raises(InvalidRequestError, match="no rollout"):
                await codex.thread_resume(other.id, sandbox="read-only")
            assert (await other.run("go", timeout=PATIENCE)).final_response == "ok"


@pytest.mark.parametrize("loaded", [True, False])
async def test_a_runtime_that_dies_before_the_first_turn_takes_no_setting_with_it(
    codex_home: QuietHome, scripted_model: ScriptedModel, loaded: bool
) -> None:
    file, config = codex_home.path / "written", codex_home.config(restart=AT_ONCE)
    async with AsyncCodex(config) as codex:
        thread = await with_full_access(codex)
        if loaded:
            await codex.thread_resume(
                thread.id, sandbox="read-only", base_instructions="New base.", service_tier="flex"
            )
            await kill(codex)
            assert not await writes(scripted_model, thread, file)
    if not loaded:
        async with AsyncCodex(config) as codex:
            thread = await codex.thread_resume(
                thread.id, sandbox="read-only", base_instructions="New base.", service_tier="flex"
            )
            await kill(codex)
            assert not await writes(scripted_model, thread, file)
    request = scripted_model.requests[-1]
    assert "New base." in request.developer_texts[0]
    assert request.json["service_tier"] == "flex"


async def test_new_instructions_reach_the_first_turn_once(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        old = await codex.thread_start(developer_instructions="Old.")
        await old.run("one")
        for given, seen in (
            ("Old.", ["Old."]),
            ("New.", ["Old.", "New."]),
            ("New.", ["Old.", "New."]),
            ("Old.", ["Old.", "New.", "Old."]),
        ):
            thread = await codex.thread_resume(old.id, developer_instructions=given)
            await thread.run("again")
            assert instructions(scripted_model.requests[-1]) == seen
    async with AsyncCodex(codex_config) as codex:
        for given, seen in (("Old.", 3), ("New.", 4), ("New.", 4)):
            thread = await codex.thread_resume(old.id, developer_instructions=given)
            await thread.run("again")
            assert len(instructions(scripted_model.requests[-1])) == seen
        for ephemeral in (True, False):
            fork = await codex.thread_fork(old.id, developer_instructions="New.", ephemeral=ephemeral)
            await fork.run("again")
            assert instructions(scripted_model.requests[-1])[-1] == "New."
        for verb in (codex.thread_resume, codex.thread_fork):
            with pytest.raises(ConfigError, match="stay"):
                await verb(old.id, developer_instructions=" ")


async def test_instructions_hold_after_a_compaction(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(developer_instructions="Old.")
        await thread.run("one")
        await codex.thread_resume(thread.id, developer_instructions="New.")
        await thread.compact()
        await thread.run("two", timeout=PATIENCE)
        assert instructions(scripted_model.requests[-1]) == ["New."]
        await codex.thread_resume(thread.id, developer_instructions="New.")
        await thread.run("three")
        assert instructions(scripted_model.requests[-1]) == ["New."]


async def test_a_request_of_the_program_that_is_ignored_is_warned_about(
    codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await with_full_access(codex)
        assert "codex.setting" not in caplog.text
        narrower = ThreadResumeParams(thread_id=thread.id, exclude_turns=True, sandbox=SandboxMode.read_only)
        await codex.request(narrower)
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
async def test_an_error_says_which_setting_is_not_in_force(
    asked: dict[str, Any], reported: dict[str, Any], what: str
) -> None:
    with FakeAppServer() as server:
        for method in ("thread/start", "thread/resume", "thread/fork"):
            server.on(method, lambda request: request.reply({**opened_thread("t"), **reported}))
        async with AsyncCodex(server.config()) as codex:
            calls = (codex.thread_start, partial(codex.thread_resume, "t"), partial(codex.thread_fork, "t"))
            for verb in calls:
                with pytest.raises(ConfigError, match=f"^{what}: not in force in thread t: .*{what}=") as caught:
                    await verb(**asked)
                assert caught.value.what == what


async def test_a_service_tier_that_the_model_lacks_is_warned_about(
    codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(service_tier="flex")
        await thread.run("go")
        assert "not_in_force" not in caplog.text
        for verb in (
            codex.thread_start,
            partial(codex.thread_resume, thread.id),
            partial(codex.thread_fork, thread.id),
        ):
            caplog.clear()
            await verb(service_tier="bogus")
            assert "codex.setting_not_in_force" in caplog.text
            assert "setting=service_tier asked=bogus" in caplog.text


async def test_a_handle_knows_the_settings_in_force(codex_home: QuietHome) -> None:
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(model="gpt-5.5", sandbox="read-only", service_tier="fast")
        settings = thread.settings
        assert (settings.model, settings.model_provider, settings.service_tier) == ("gpt-5.5", "mock", "priority")
        assert (settings.cwd, settings.approvals_reviewer) == (str(codex_home.workspace), "user")
        assert isinstance(settings.sandbox, ReadOnlySandboxPolicy)
        await thread.run("go", model="mock-model", effort="high", approval_policy="never", sandbox="full-access")
        settings = codex.thread(thread.id).settings
        assert (settings.model, settings.effort, settings.approval_policy) == ("mock-model", "high", "never")
        assert isinstance(settings.sandbox, DangerFullAccessSandboxPolicy)
        assert (await codex.thread_fork(thread.id)).settings.model == "mock-model"
        with pytest.raises(ConfigError, match="not known for thread other"):
            _ = codex.thread("other").settings
        await thread.close()
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


async def test_tools_that_the_thread_was_not_started_with_are_refused(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        started = await codex.thread_start(tools=[look, find])
        bare = await codex.thread_start()
        for thread in (started, bare):
            await thread.run("go", timeout=PATIENCE)
        fork = await codex.thread_fork(started.id, tools=[look])
        await fork.run("go", timeout=PATIENCE)
    async with AsyncCodex(codex_config) as codex:
        for verb in (codex.thread_resume, codex.thread_fork):
            for thread in (started, fork):
                await verb(thread.id, tools=[])
                await verb(thread.id, tools=[find, look])
                with pytest.raises(ConfigError, match=f"thread {thread.id} was not started with ask, so") as caught:
                    await verb(thread.id, tools=[look, ask])
                assert caught.value.what == "tools"
            with pytest.raises(ConfigError, match=r"not started with look, db\.find"):
                await verb(bare.id, tools=[look, find])
            with pytest.raises(InvalidRequestError):
                await verb("01a21495-a530-7b90-a44c-be953b48fd6f", tools=[look])


async def test_a_tool_whose_parameters_have_changed_is_warned_about(
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

    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(tools=[look, rich, find])
        await thread.run("go", timeout=PATIENCE)
        await codex.thread_resume(thread.id, tools=[look, rich, find])
        assert "codex.tool_differs" not in caplog.text
        await codex.thread_resume(thread.id, tools=[other, rich, find])
        assert f"codex.tool_differs thread_id={thread.id} tool=look" in caplog.text


async def test_tools_that_cannot_be_checked_are_warned_about(
    codex_home: QuietHome, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(tools=[look])
        await thread.run("go", timeout=PATIENCE)
        [file] = codex_home.path.rglob(f"rollout-*{thread.id}.jsonl")
        moved = file.rename(file.with_suffix(".moved"))
        with suppress(InvalidRequestError):
            await codex.thread_resume(thread.id, tools=[look])
        moved.rename(file)
        assert "codex.tools_not_checked" in caplog.text
