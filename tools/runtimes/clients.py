"""Steps of a client: what it knows of its runtime, and requests that are not about a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from openai_codex import AsyncCodex, Codex
from openai_codex.types import (
    ConfigReadParams,
    PermissionProfileListParams,
    SkillsListParams,
    ThreadStartedNotification,
)
from tools.runtimes.steps import PATIENCE, step

if TYPE_CHECKING:
    from openai_codex.testing import OfflineKit


@step("start and health")
def start(kit: OfflineKit, codex: Codex) -> None:
    """Start the runtime that the variable names."""
    health = codex.health()
    assert (health.state, health.path) == ("running", kit.config.codex_bin)
    assert health.version == codex.metadata.server_info.version


@step("models")
def models(_: OfflineKit, codex: Codex) -> None:
    """List the models."""
    assert codex.models().data


@step("account and login")
def account(_: OfflineKit, codex: Codex) -> None:
    """Log in with a key, and out."""
    assert codex.account().account is None
    codex.login_api_key("sk-none")
    codex.logout()


@step("configuration")
def configuration(_: OfflineKit, codex: Codex) -> None:
    """Read the configuration."""
    assert codex.request(ConfigReadParams()).config.model == "mock-model"


@step("lists of skills, servers, profiles")
def lists(_: OfflineKit, codex: Codex) -> None:
    """List what a thread can use."""
    codex.request(SkillsListParams())
    assert list(codex.mcp_servers()) == []
    assert codex.request(PermissionProfileListParams()).data


@step("events of a client")
def events(_: OfflineKit, codex: Codex) -> None:
    """Subscribe to events."""
    started = codex.events(ThreadStartedNotification, timeout=PATIENCE)
    thread = codex.thread_start()
    payload = next(started).payload
    assert isinstance(payload, ThreadStartedNotification)
    assert payload.thread.id == thread.id


@step("async client")
def asynchronous(kit: OfflineKit, _: Codex) -> None:
    """Run a turn on an event loop."""

    async def main() -> str | None:
        async with AsyncCodex(kit.config) as codex:
            thread = await codex.thread_start()
            return (await thread.run("hi", timeout=PATIENCE)).final_response

    assert asyncio.run(main()) == "ok"
