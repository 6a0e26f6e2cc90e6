"""What is not asked of a thread that is resumed stays as it was in its last turn: nothing falls back to other values."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from openai_codex import AsyncCodex, AsyncThread, Restart
from openai_codex._async.client._wait import ready
from openai_codex._turns.options import SandboxLike
from openai_codex.testing import QuietHome, ScriptedModel, temporary_home
from openai_codex.types import (
    ApprovalPolicy,
    DangerFullAccessSandboxPolicy,
    ThreadSetNameParams,
    WorkspaceWriteSandboxPolicy,
)
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of

# What the thread is started with, and what its last turn has in its place.
STARTED = {
    "approval_policy": "never",
    "model": "mock-model",
    "model_reasoning_effort": "low",
    "sandbox_mode": "danger-full-access",
}
LAST_TURN: dict[str, Any] = {
    "approval_policy": "untrusted",
    "cwd": "/usr",
    "effort": "high",
    "model": "gpt-5.5",
    "sandbox": "read-only",
    "service_tier": "flex",
}

# What is given on resume, and what it changes.
GIVEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"approval_policy": "never"}, {"approval_policy": ApprovalPolicy.never}),
    ({"base_instructions": "Base."}, {}),
    ({"config": {"approval_policy": "never"}}, {"approval_policy": ApprovalPolicy.never}),
    ({"config": {"model": "gpt-5.4"}}, {"model": "gpt-5.4"}),
    ({"config": {"model_provider": "mock"}}, {"model_provider": "mock"}),
    ({"config": {"model_reasoning_effort": "medium"}}, {"effort": "medium"}),
    ({"config": {"model_reasoning_summary": "detailed"}}, {}),
    ({"config": {"sandbox_mode": "danger-full-access"}}, {"sandbox": DangerFullAccessSandboxPolicy()}),
    ({"cwd": "/var"}, {"cwd": "/var"}),
    ({"developer_instructions": "New."}, {}),
    ({"model": "gpt-5.4"}, {"model": "gpt-5.4"}),
    ({"model_provider": "mock"}, {"model_provider": "mock"}),
    ({"sandbox": "full-access"}, {"sandbox": DangerFullAccessSandboxPolicy()}),
    ({"service_tier": "default"}, {"service_tier": "default"}),
]


@pytest.fixture
def home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """Return a home with two providers; the other one is not its default."""
    other = {"name": "other", "wire_api": "responses", "base_url": scripted_model.url}
    with temporary_home(scripted_model.url, config={"model_providers": {"other": other}}) as made:
        yield made


async def started(codex: AsyncCodex) -> AsyncThread:
    """Return a thread whose last turn had other settings than those of its start."""
    thread = await codex.thread_start(config=STARTED, model_provider="other")
    await thread.run("go", timeout=PATIENCE, **LAST_TURN)
    return thread


async def seen(codex: AsyncCodex, thread: AsyncThread, model: ScriptedModel) -> tuple[Any, ...]:
    """Return the settings in force by the handle, after a turn too, and what the provider sees of them."""
    before = thread.settings
    await thread.run("go", timeout=PATIENCE)
    request = model.requests[-1].json
    return before, thread.settings, request["model"], (request.get("reasoning") or {}).get("effort")


@pytest.mark.parametrize(("given", "changed"), GIVEN, ids=str)
@pytest.mark.parametrize("loaded", [True, False])
async def test_what_is_not_given_stays(
    home: QuietHome, scripted_model: ScriptedModel, given: dict[str, Any], changed: dict[str, Any], loaded: bool
) -> None:
    async with AsyncCodex(home.config()) as codex:
        thread = await started(codex)
        expected = attrs.evolve(thread.settings, **changed)
        if loaded:
            resumed = await codex.thread_resume(thread.id, **given)
            found = await seen(codex, resumed, scripted_model)
    if not loaded:
        expected = attrs.evolve(expected, service_tier=given.get("service_tier"))  # the runtime does not store it
        async with AsyncCodex(home.config()) as codex:
            resumed = await codex.thread_resume(thread.id, **given)
            found = await seen(codex, resumed, scripted_model)
    assert found == (expected, expected, expected.model, expected.effort)


async def test_what_an_earlier_resume_has_set_stays_unless_it_is_set_again(home: QuietHome) -> None:
    async with AsyncCodex(home.config()) as codex:
        thread = await started(codex)
        await codex.thread_resume(thread.id, config={"sandbox_mode": "workspace-write", "model": "gpt-5.4"})
        await codex.thread_resume(thread.id, sandbox="read-only", model="gpt-5.5")
        before = thread.settings
        await codex.thread_resume(thread.id, config={"approval_policy": "never"})
        assert thread.settings == attrs.evolve(before, approval_policy=ApprovalPolicy.never)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"sandbox_workspace_write": {"network_access": False}}, {"sandbox_workspace_write.network_access": True}),
        ({"sandbox_workspace_write.network_access": False}, {"sandbox_workspace_write": {"network_access": True}}),
    ],
)
async def test_a_dotted_key_and_a_table_mean_the_same_setting(
    home: QuietHome, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Both beside each other would leave to chance which of them holds."""
    both = {"sandbox_workspace_write": {"exclude_slash_tmp": True}}
    async with AsyncCodex(home.config()) as codex:
        thread = await codex.thread_start(sandbox="workspace-write", config=both)
        await thread.run("go", timeout=PATIENCE)
        await codex.thread_resume(thread.id, config=first)
        await codex.thread_resume(thread.id, config=second)
        for base in ("A.", "B.", "C."):
            await codex.thread_resume(thread.id, base_instructions=base)
            policy: Any = thread.settings.sandbox
            assert (policy.network_access, policy.exclude_slash_tmp) == (True, True)


@pytest.mark.parametrize("sandbox", ["read-only", "workspace-write", "full-access"])
async def test_the_table_of_the_workspace_leaves_the_mode_as_it_is(home: QuietHome, sandbox: SandboxLike) -> None:
    others: dict[str, SandboxLike] = {"read-only": "full-access", "full-access": "read-only"}
    async with AsyncCodex(home.config()) as codex:
        thread = await codex.thread_start(sandbox=others.get(sandbox, "full-access"))
        await thread.run("go", timeout=PATIENCE)
        await codex.thread_resume(thread.id, sandbox=sandbox)
        mode = type(thread.settings.sandbox)
        await codex.thread_resume(thread.id, config={"sandbox_workspace_write": {"network_access": True}})
        assert type(thread.settings.sandbox) is mode
        assert sandbox != "workspace-write" or thread.settings.sandbox == WorkspaceWriteSandboxPolicy(
            exclude_slash_tmp=False, exclude_tmpdir_env_var=False, network_access=True, writable_roots=[]
        )


async def test_a_runtime_that_dies_changes_nothing(home: QuietHome, scripted_model: ScriptedModel) -> None:
    async with AsyncCodex(home.config(restart=Restart(initial_delay=0))) as codex:
        thread = await started(codex)
        await codex.thread_resume(thread.id, config={"model_reasoning_effort": "medium"})
        before, actor = thread.settings, actor_of(codex)
        assert actor.pid is not None
        os.kill(actor.pid, signal.SIGKILL)
        assert await ready(actor.exited, PATIENCE)
        await codex.request(ThreadSetNameParams(thread_id=thread.id, name="loads it"))
        assert await seen(codex, thread, scripted_model) == (before, before, "gpt-5.5", "medium")
