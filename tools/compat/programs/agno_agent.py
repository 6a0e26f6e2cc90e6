"""agno's `CodexAgent`: bare, with each way to configure its client, streamed, and failing."""

from __future__ import annotations

import importlib
from typing import Any

from . import cases

AGENTS: Any = importlib.import_module("agno.agents.codex")
SDK: Any = importlib.import_module("openai_codex")
TYPES: Any = importlib.import_module("openai_codex.types")


def agent(**settings: Any) -> Any:
    """Return an agent that may run commands."""
    return AGENTS.CodexAgent(
        **{
            "name": "Coder",
            "id": "coder",
            "model": "mock-model",
            "sandbox_mode": "full-access",
            "cwd": cases.WORKSPACE,
            **settings,
        }
    )


def told(output: Any) -> dict[str, Any]:
    """Return what a user reads of an output."""
    metrics = output.metrics
    counts = ("input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "reasoning_tokens")
    return {
        "content": output.content,
        "content_type": output.content_type,
        "status": output.status,
        "reasoning": output.reasoning_content,
        "tools": [
            {"name": tool.tool_name, "args": tool.tool_args, "result": tool.result, "failed": tool.tool_call_error}
            for tool in output.tools or ()
        ],
        "tokens": {name: getattr(metrics, name) for name in counts} if metrics else None,
    }


def bare() -> Any:
    """Run without any setting."""
    return told(AGENTS.CodexAgent().run("say hello"))


def env() -> Any:
    """Run with `env=`."""
    return told(agent(env=cases.HOME).run("say hello"))


def codex_bin() -> Any:
    """Run with `codex_bin=`."""
    return told(agent(codex_bin=cases.bundled()).run("say hello"))


def client_options() -> Any:
    """Run with `client_options=`, and all other settings of the client."""
    options = SDK.CodexConfig(
        client_name="compat", client_title="Compat", client_version="1", config_overrides=("hide_agent_reasoning=true",)
    )
    first = told(agent(client_options=options).run("say hello"))
    second = told(agent(client_options=options, env=cases.HOME, codex_bin=cases.bundled()).run("use a command"))
    return {"first": first, "second": second, "unchanged": (options.env, options.codex_bin)}


def api_key() -> Any:
    """Run with a key in `env=`, which the agent logs in with first."""
    return told(agent(env={**cases.HOME, "OPENAI_API_KEY": "sk-compat"}).run("say hello"))


def options() -> Any:
    """Run with typed options for thread and turn."""
    settings: dict[str, Any] = {"developer_instructions": "Be brief.", "personality": "pragmatic"}
    turn: dict[str, Any] = {"effort": "low", "summary": TYPES.ReasoningSummary("concise")}
    return told(agent(thread_options=settings, turn_options=turn).run("say hello"))


def command() -> Any:
    """Run a turn that uses a command, and one whose command fails."""
    return [told(agent().run(prompt)) for prompt in ("use a command", "use a command that fails")]


def stream() -> Any:
    """Stream turns: text in pieces, reasoning, a command."""
    prompts = ("in pieces", "think first", "use a command")
    return {prompt: [_event(event) for event in agent().run(prompt, stream=True)] for prompt in prompts}


async def async_stream() -> Any:
    """Stream a turn in an event loop."""
    return [_event(event) async for event in agent().arun("in pieces", stream=True)]


def _event(event: Any) -> dict[str, Any]:
    tool = getattr(event, "tool", None)
    return {
        "event": getattr(event, "event", None),
        "content": getattr(event, "content", None),
        "reasoning": getattr(event, "reasoning_content", None),
        "tool": tool and {"name": tool.tool_name, "args": tool.tool_args, "result": tool.result},
    }


def session() -> Any:
    """Run twice in one session: the second run resumes the thread."""
    one = agent()
    return [told(one.run(prompt, session_id="s1")) for prompt in ("say hello", "say it again")]


def schema() -> Any:
    """Run with an output schema."""
    wanted = {
        "type": "object",
        "properties": {"answer": {"type": "string"}, "sure": {"type": "boolean"}},
        "required": ["answer", "sure"],
        "additionalProperties": False,
    }
    return told(agent(output_schema=wanted).run("as JSON"))


def failed_turn() -> Any:
    """Run turns that fail, each in its way."""
    prompts = ("be refused", "be overloaded", "be limited", "be broken", "be unauthorized")
    return {prompt: cases.observe(lambda prompt=prompt: told(agent().run(prompt))) for prompt in prompts}  # type: ignore[misc]  # the prompt is bound


def failed_stream() -> Any:
    """Stream a turn that fails."""
    return [_event(event) for event in agent().run("be limited", stream=True)]


def file_change() -> Any:
    """Run and stream turns that change a file."""
    one = agent(model=cases.WITH_PATCHES)
    return [told(one.run("change a file")), [_event(event) for event in one.run("change a file", stream=True)]]


async def cancelled() -> Any:
    """Cancel a run at its first text."""
    one = agent()
    seen: list[str] = []
    async for event in one.arun("talk for long", stream=True):
        name = event.event
        if name == "RunContent" and name not in seen:
            await one.acancel_run(event.run_id)
        seen.append(name)
    return sorted(set(seen))


async def abandoned() -> Any:
    """Cancel the task of a run, and run again."""
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
    output = agent(codex_bin=cases.NOWHERE).run("say hello")
    return [output.status, cases.NOWHERE in output.content]


def unknown_thread() -> Any:
    """Resume a thread that does not exist."""
    one = agent(require_native_resume=True)
    one._thread_ids["s1"] = cases.UNKNOWN  # noqa: SLF001  where the agent keeps it without a database
    return told(one.run("say hello", session_id="s1"))


if __name__ == "__main__":
    cases.main(
        bare, env, codex_bin, client_options, api_key, options, command, stream, async_stream, session, schema,
        failed_turn, failed_stream, file_change, cancelled, abandoned, missing_binary, unknown_thread,
    )  # fmt: skip
