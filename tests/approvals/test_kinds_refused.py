"""Requests without a handler are declined: nothing is run, nothing is written, and the turn continues."""

from __future__ import annotations

from openai_codex import AsyncCodex
from openai_codex.testing import QuietHome, ScriptedModel, call, custom_call, reply, temporary_home
from openai_codex.types import CommandExecutionThreadItem, FileChangeThreadItem

PATCH = "*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch"


async def test_a_command_without_approval_is_not_run(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    arguments = {"cmd": "touch made", "sandbox_permissions": "require_escalated", "justification": "need it"}
    scripted_model.queue(reply(call("exec_command", arguments)))
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        result = await thread.run("go", timeout=30)
    [command] = [item for item in result.items if isinstance(item, CommandExecutionThreadItem)]
    assert command.status == "declined"
    assert not (codex_home.workspace / "made").exists()
    assert "rejected by user" in str(scripted_model.requests[-1].function_outputs)
    assert result.final_response == "ok"


async def test_a_patch_without_approval_is_not_applied(scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(custom_call("apply_patch", PATCH)))
    with temporary_home(scripted_model.url, model="gpt-5.5") as home:
        async with AsyncCodex(home.config()) as codex:
            thread = await codex.thread_start(approval_policy="on-request", sandbox="read-only")
            result = await thread.run("go", timeout=30)
        assert not (home.workspace / "new.txt").exists()
    [change] = [item for item in result.items if isinstance(item, FileChangeThreadItem)]
    assert change.status == "declined"
    assert result.final_response == "ok"
