"""vidbyte-sdk's `CodexHarnessAgent`: an agent whose loop is Codex."""

from __future__ import annotations

import importlib
from typing import Any

from . import cases

CODEX: Any = importlib.import_module("vidbyte.agents.codex")


def agent(**settings: Any) -> Any:
    """Return an agent that may run commands."""
    client = CODEX.CodexClientSettings(env=cases.HOME, cwd=cases.WORKSPACE, codex_bin=settings.pop("codex_bin", ""))
    codex = CODEX.CodexAgentSettings(
        client=client,
        thread=CODEX.CodexThreadSettings(
            model=settings.pop("model", "mock-model"), sandbox=CODEX.CodexSandbox("full-access"), cwd=cases.WORKSPACE
        ),
        turn=settings.pop("turn", CODEX.CodexTurnSettings()),
    )
    return CODEX.CodexHarnessAgent(
        CODEX.CodexHarnessAgentSettings(**{"name": "coder", "system_prompt": "Be brief.", "codex": codex, **settings})
    )


def told(reply: Any) -> Any:
    """Return what a user reads of a reply."""
    return {"content": reply.content, "structured": reply.structured, "codex": reply.codex, "metadata": reply.metadata}


def runs() -> Any:
    """Run turns: text, a command, reasoning."""
    return [told(agent().run(prompt)) for prompt in ("say hello", "use a command", "think first")]


def conversation() -> Any:
    """Run two turns of one agent: the second resumes the thread."""
    one = agent()
    return [told(one.run("say hello")), told(one.run("say it again"))]


def options() -> Any:
    """Run with every option of a turn."""
    turn = CODEX.CodexTurnSettings(
        approval_mode=CODEX.CodexApprovalMode("deny_all"),
        effort=CODEX.CodexReasoningEffort("low"),
        summary=CODEX.CodexReasoningSummary("concise"),
        personality=CODEX.CodexPersonality("pragmatic"),
        sandbox=CODEX.CodexSandbox("read-only"),
    )
    return told(agent(turn=turn).run("say hello"))


def structured() -> Any:
    """Run with an output schema."""
    wanted = {
        "type": "object",
        "properties": {"answer": {"type": "string"}, "sure": {"type": "boolean"}},
        "required": ["answer", "sure"],
    }
    return told(agent(output_schema=wanted).run("as JSON"))


def inputs() -> Any:
    """Run with an input of several kinds."""
    items = (CODEX.CodexTextInput("say hello"), CODEX.CodexMentionInput(name="here", path=cases.WORKSPACE))
    return told(agent().run(CODEX.CodexRunInput(items=items)))


async def fork() -> Any:
    """Fork an agent, and run a turn of the fork."""
    one = agent()
    await one.arun("say hello")
    child = await one.afork()
    return told(await child.arun("say it again"))


def failed() -> Any:
    """Run turns that fail, each in its way."""
    prompts = ("be refused", "be overloaded", "be limited", "be broken", "be unauthorized")
    return [cases.observe(lambda prompt=prompt: told(agent().run(prompt))) for prompt in prompts]  # type: ignore[misc]  # it is bound


def unknown_thread() -> Any:
    """Resume a thread that does not exist."""
    return cases.observe(lambda: told(agent(thread_id=cases.UNKNOWN).run("say hello")))


def file_change() -> Any:
    """Run a turn that changes a file."""
    return told(agent(model=cases.WITH_PATCHES).run("change a file"))


def tools() -> Any:
    """Run a turn that uses a tool of the program, which the package adds by private parts of the client."""
    decorators: Any = importlib.import_module("vidbyte.tools.decorators")

    def weather(city: str) -> str:
        """Tell the weather."""
        return f"sunny in {city}"

    return told(agent(tools=(decorators.tool(weather),)).run("use a tool"))


async def stopped() -> Any:
    """Cancel a run, and run again."""
    import asyncio

    one = agent()
    ended = "not"
    try:
        await asyncio.wait_for(one.arun("never answer"), 3)
    except asyncio.TimeoutError:
        ended = "timed out"
    return [ended, told(await one.arun("say hello"))]


def missing_binary() -> Any:
    """Run with a runtime that does not exist."""
    return cases.builtin_kinds(lambda: agent(codex_bin=cases.NOWHERE).run("say hello"))


if __name__ == "__main__":
    cases.main(
        runs,
        conversation,
        options,
        structured,
        inputs,
        fork,
        failed,
        unknown_thread,
        file_change,
        tools,
        stopped,
        missing_binary,
    )
