"""One thread, two runtimes: only one may write, and the other learns who does."""

from __future__ import annotations

import sys

import attrs
import pytest

from openai_codex import AppServerConfig, AsyncCodex, InvalidRequestError, Restart, ThreadBusyError, ThreadLostError
from openai_codex._async.client._wait import ready
from openai_codex.testing import ScriptedModel
from tests.support.inside import actor_of


async def test_a_thread_that_is_open_elsewhere_names_its_holder(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as second:
        async with AsyncCodex(codex_config) as first:
            thread = await first.thread_start()
            await thread.run("before")
            with pytest.raises(InvalidRequestError) as caught:
                await second.thread_resume(thread.id)
            holder = first.health().pid
        resumed = await second.thread_resume(thread.id)
        assert (await resumed.run("after")).final_response == "ok"
    if sys.platform == "linux":  # the only system that tells who holds a lock
        error = caught.value
        assert isinstance(error, ThreadBusyError)
        assert (error.thread_id, error.holder, error.code) == (thread.id, holder, -32600)
        assert (
            str(error)
            == f"thread {thread.id} is open in another runtime, process {holder}; resume it after that one has ended"
        )


async def test_a_thread_that_was_taken_after_a_death_names_its_holder(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(attrs.evolve(codex_config, restart=Restart(initial_delay=0))) as first:
        thread = await first.thread_start()
        await thread.run("before")
        actor_of(first).transport.kill()
        assert await ready(actor_of(first).exited, 20)
        async with AsyncCodex(codex_config) as second:
            await second.thread_resume(thread.id)
            with pytest.raises((ThreadBusyError, ThreadLostError), match=thread.id) as caught:
                await thread.run("in between")
            holder = second.health().pid
        assert (await thread.run("after")).final_response == "ok"
    assert [request.last_user_text for request in scripted_model.requests] == ["before", "after"]
    if sys.platform == "linux":
        error = caught.value
        assert isinstance(error, ThreadBusyError)
        assert (error.thread_id, error.holder, error.method) == (thread.id, holder, "thread/resume")


async def test_an_unknown_thread_is_not_busy(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        with pytest.raises(InvalidRequestError) as caught:
            await codex.thread_resume("00000000-0000-7000-8000-000000000000")
    assert not isinstance(caught.value, ThreadBusyError)
