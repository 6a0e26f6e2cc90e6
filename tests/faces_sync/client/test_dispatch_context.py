# Derived from tests/faces_async/client/test_dispatch_context.py by `python -m tools.unasync`; do not edit.
"""Handlers and tools see the context variables of who has started their turn, on whatever thread or task they run."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from openai_codex import ApprovalDecision, AppServerConfig, Codex, Restart, RunResult, Thread, tool
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._sync.client import _wait
from openai_codex.testing import FakeAppServer, ScriptedModel, call, message, reply, say
from openai_codex.types import (
    ChatgptAuthTokensRefreshResponse,
    CurrentTimeReadParams,
    CurrentTimeReadResponse,
    DynamicToolCallThreadItem,
)
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE

TENANT: ContextVar[Any] = ContextVar("tenant", default="nobody")

JWT = "x"
ASKED = "item/commandExecution/requestApproval"


@contextmanager
def tenant(name: Any) -> Iterator[None]:
    token = TENANT.set(name)
    try:
        yield
    finally:
        TENANT.reset(token)


def holds(condition: Callable[[], object]) -> bool:
    """Wait until a condition holds, without keeping handlers from running; return whether it does."""
    deadline = Deadline(PATIENCE)
    while not condition() and not deadline.passed():
        _wait.ready(Latch(), 0.01)
    return bool(condition())


@tool
def on_worker() -> str:
    """Who is it."""
    return str(TENANT.get())


@tool
def on_task() -> str:
    """Who is it."""
    return str(TENANT.get())


@tool
def change() -> str:
    """Leave another value behind."""
    before = str(TENANT.get())
    TENANT.set("somebody else")
    return before


def seen(result: RunResult[Any]) -> list[str]:
    """Return what the tools of a turn have returned."""
    items = [item for item in result.items if isinstance(item, DynamicToolCallThreadItem)]
    contents = [content for item in items for content in item.content_items or []]
    return [content.text for content in contents]  # type: ignore[union-attr]  # the tools return texts


TOOLS = [on_worker, on_task, change]


def test_tools_and_approvals_see_the_variables_of_who_runs_the_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    asked: list[Any] = []

    def approve(_: Any) -> bool:
        asked.append(TENANT.get())
        return False

    escalated = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "need it"}
    names = ("on_worker", "on_task", "change", "on_worker", "on_task", "change")
    calls = [call(name, call_id=f"{number}") for number, name in enumerate(names)]
    with tenant("creator"):
        codex = Codex(codex_config, on_approval=approve)
    with codex:
        thread = codex.thread_start(tools=TOOLS)
        for name in ("acme", "other"):
            scripted_model.queue(reply(call("exec_command", escalated), *calls), "done")
            with tenant(name):
                result = thread.run("go", timeout=PATIENCE)
            assert seen(result) == [name] * len(names)
            assert asked.pop() == name
        # A turn that is only started: its handler runs when the caller has other values.
        scripted_model.queue(reply(call("on_task")), "done")
        with tenant("starter"):
            turn = thread.turn("go")
        assert seen(turn.run(timeout=PATIENCE)) == ["starter"]


def test_turns_that_run_at_once_keep_their_variables_apart(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    names = [f"tenant {number}" for number in range(6)]
    for name in names:
        scripted_model.when(name, reply(call("change"), call("on_worker"), call("on_task")), "done")
    with Codex(codex_config) as codex:

        def run(name: str) -> list[str]:
            with tenant(name):
                thread = codex.thread_start(tools=TOOLS)
                return seen(thread.run(name, timeout=PATIENCE))

        found = together([partial(run, name) for name in names])
    assert found == [[name] * 3 for name in names]


def test_a_turn_has_the_variables_of_who_started_it_and_not_of_who_joined(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.queue(say("wait", gate=gate), reply(call("on_worker"), call("on_task")), "done")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(tools=TOOLS)
        with tenant("first"):
            turn = thread.turn("go")
        gate.wait_reached()
        with tenant("second"):
            joined = thread.turn("more")
        gate.open()
        result = joined.run(timeout=PATIENCE)
        assert joined.id == turn.id
    assert seen(result) == ["first"] * 2


def test_a_run_within_a_tool_has_the_variables_of_the_tool(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    inner: list[Thread] = []
    found: list[list[str]] = []

    @tool
    def ask() -> str:
        """Ask another thread, once as it is and once for somebody else."""
        found.append(seen(inner[0].run("inside", timeout=PATIENCE)))
        TENANT.set("nested")
        found.append(seen(inner[0].run("inside", timeout=PATIENCE)))
        return str(TENANT.get())

    scripted_model.when("inside", reply(call("on_worker")), "done", reply(call("on_task")), "done")
    scripted_model.queue(reply(call("ask"), call("on_worker")), "done")
    with Codex(codex_config) as codex:
        inner.append(codex.thread_start(tools=TOOLS))
        with tenant("acme"):
            result = (codex.thread_start(tools=[ask, on_worker])).run("go", timeout=PATIENCE)
    assert found == [["acme"], ["nested"]]
    assert seen(result) == ["nested", "acme"]


def test_all_turns_of_a_goal_and_those_of_sub_agents_have_the_variables(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(tools=TOOLS)
        done = call("update_goal", {"status": "complete"})
        scripted_model.queue(reply(call("on_task")), "more", reply(call("on_task")), "still", reply(done), "reached")
        with tenant("goal"):
            result = codex.run_goal(thread.id, "go on", timeout=PATIENCE)
        assert seen(result) == ["goal"] * 2
        spawns = call("spawn_agent", {"message": "look it up", "fork_context": True}, namespace="multi_agent_v1")
        got: list[str] = []

        @tool
        def report() -> str:
            """Tell."""
            got.append(str(TENANT.get()))
            return "told"

        scripted_model.when("look it up", reply(call("report")), "done")
        gate = scripted_model.gate()
        scripted_model.queue(reply(spawns), reply(message("parent done"), gate=gate))
        parent = codex.thread_start(tools=[report])
        with tenant("parent"):
            turn = parent.turn("go")
        assert holds(lambda: got)
        gate.open()
        turn.run(timeout=PATIENCE)
    assert got == ["parent"]


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def test_a_request_without_a_turn_has_the_variables_of_who_created_the_client(server: FakeAppServer) -> None:
    found: dict[str, Any] = {}

    def refresh(_: Any) -> ChatgptAuthTokensRefreshResponse:
        found["refresh"] = TENANT.get()
        return ChatgptAuthTokensRefreshResponse(access_token=JWT, chatgpt_account_id="a")

    def read_time(_: CurrentTimeReadParams) -> CurrentTimeReadResponse:
        found["time"] = TENANT.get()
        return CurrentTimeReadResponse(current_time_at=1)

    with tenant("creator"):
        codex = Codex(server.config(), on_token_refresh=refresh)
    codex.handle(CurrentTimeReadParams, read_time)
    with codex:
        thread = codex.thread_start()
        server.ask("account/chatgptAuthTokens/refresh", {"reason": "unauthorized"}).wait_answer(PATIENCE)
        server.ask("currentTime/read", {"threadId": thread.id}).wait_answer(PATIENCE)
        assert found == {"refresh": "creator", "time": "creator"}
        with tenant("acme"):
            thread.turn("go")
        server.ask("account/chatgptAuthTokens/refresh", {"reason": "unauthorized"}).wait_answer(PATIENCE)
        # It names the thread alone, which has one turn.
        server.ask("currentTime/read", {"threadId": thread.id}).wait_answer(PATIENCE)
    assert found == {"refresh": "creator", "time": "acme"}


def test_the_variables_are_released_with_the_turn_and_are_new_after_a_restart(server: FakeAppServer) -> None:
    class Value:
        """What a variable may hold: a session, a request."""

    found: list[Any] = []

    def approve(_: Any) -> ApprovalDecision:
        found.append(weakref.ref(TENANT.get()))
        return ApprovalDecision.accept()

    with Codex(server.config(restart=Restart()), on_approval=approve) as codex:
        thread = codex.thread_start()
        values = [Value() for _ in range(3)]
        for number, value in enumerate(values):
            with tenant(value):
                turn = thread.turn("go")
            server.turn.ask(ASKED, itemId="I", startedAtMs=0, command="true").wait_answer(PATIENCE)
            assert found.pop()() is value
            if number == 1:
                server.child.kill()
                with pytest.raises(Exception, match="runtime"):
                    turn.run(timeout=PATIENCE)
            else:
                server.turn.complete()
                turn.run(timeout=PATIENCE)
        left = [weakref.ref(value) for value in values]
        del value, values

        def is_released() -> bool:
            gc.collect()
            return not any(reference() for reference in left)

        assert holds(is_released)
        assert turn is not None, "its handle is still held"
