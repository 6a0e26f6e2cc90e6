"""`allow` on the real runtime: what the model runs is compared as the runtime reports it."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import AsyncCodex, CommandApproval, allow
from openai_codex.testing import QuietHome, ScriptedModel, call, reply, say
from tests.support.bounds import PATIENCE

RULES = ["touch made", "find . *", "cat *", "head *", "rg *", "sed *"]
EVIL = [
    "find . -name x; touch y",
    "cat a | tee y",
    "cat a > y",
    "head -1 $(touch y)",
    "cat a && touch y",
    "cat 'a'\ntouch y",
    "cat a `touch y`",
]


def asks(command: str, **more: Any) -> Any:
    arguments = {"cmd": command, "sandbox_permissions": "require_escalated", "justification": "look"}
    return reply(call("exec_command", arguments | more))


@pytest.mark.parametrize("command", EVIL, ids=ascii)
async def test_operators_do_not_get_past_a_list(
    codex_home: QuietHome, scripted_model: ScriptedModel, command: str
) -> None:
    scripted_model.queue(asks(command), say("done"))
    assert await made_by(codex_home) == []


async def test_another_shell_does_not_get_past_it(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    shell = codex_home.workspace / "bash"
    shell.write_text("#!/bin/sh\ntouch y\n")
    shell.chmod(0o755)
    scripted_model.queue(asks("cat a", shell=str(shell)), say("done"))
    assert await made_by(codex_home) == ["bash"]


async def test_a_command_of_the_list_runs(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(asks("touch made"), say("done"))
    assert await made_by(codex_home) == ["made"]


async def made_by(home: QuietHome) -> list[str]:
    """Let the model run its command, with a list of commands; return the files afterwards."""
    seen: list[CommandApproval] = []
    policy = allow(RULES)

    def decide(request: Any) -> Any:
        seen.append(request)
        return policy(request)

    async with AsyncCodex(home.config(), on_approval=decide) as codex:
        thread = await codex.thread_start(sandbox="read-only", approval_policy="on-request")
        await thread.run("go", timeout=PATIENCE)
    assert seen
    return sorted(path.name for path in home.workspace.iterdir())
