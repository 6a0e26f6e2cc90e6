"""almanac-yoke: its adapter of the SDK, with runs, streamed sessions, forks and the list of models."""

from __future__ import annotations

import importlib
from typing import Any

from . import cases

YOKE: Any = importlib.import_module("yoke")
ADAPTER: Any = importlib.import_module("yoke.providers.codex_sdk")
OPTIONS: Any = importlib.import_module("yoke.options")
MODELS: Any = importlib.import_module("yoke.models")


def adapter() -> Any:
    """Return its adapter, which wants the path of a runtime."""
    return ADAPTER.CodexPythonSdk(codex_bin=cases.bundled())


def harness() -> Any:
    """Return a harness that may run commands."""
    permissions = MODELS.Permissions(access=MODELS.Access.FULL, approval=MODELS.Approval.NEVER)
    agent = MODELS.Agent(instructions="Be brief.", model="mock-model", permissions=permissions)
    return MODELS.Harness(
        "codex", surface="codex_python_sdk", agent=agent, cwd=cases.WORKSPACE, permissions=permissions
    )


def told(run: Any) -> Any:
    """Return what a user reads of a run."""
    events = [[event.kind, event.message] for event in run.events]
    return {
        "status": run.status, "output": run.output, "data": run.data, "usage": run.usage,
        "failure": run.failure and run.failure.message, "events": events,
    }  # fmt: skip


async def run(*prompts: str, **options: Any) -> Any:
    """Run prompts."""
    return [told(await adapter().run(harness(), prompt, OPTIONS.RunOptions(**options))) for prompt in prompts]


async def runs() -> Any:
    """Run prompts: text, a command, reasoning."""
    return await run("say hello", "use a command", "think first", effort="low")


async def structured() -> Any:
    """Run with an output schema."""
    return await run(
        "as JSON",
        output_schema={
            "type": "object",
            "properties": {"answer": {"type": "string"}, "sure": {"type": "boolean"}},
            "required": ["answer", "sure"],
            "additionalProperties": False,
        },
    )


async def failed() -> Any:
    """Run prompts that fail, each in its way."""
    return await run("be refused", "be overloaded", "be limited", "be broken", "be unauthorized")


async def streamed() -> Any:
    """Stream turns of one session: text in pieces, a command, one that fails."""
    one, bound = adapter(), harness()
    session = await one.start(bound, OPTIONS.SessionOptions())
    events: dict[str, Any] = {}
    try:
        for prompt in ("in pieces", "use a command", "be limited"):
            stream = one.stream(session, MODELS.Turn(prompt=prompt), OPTIONS.RunOptions())
            events[prompt] = [_event(event) async for event in stream]
    finally:
        await one.close(session)
    return events


def _event(event: Any) -> Any:
    return event.model_dump(mode="json", exclude={"raw", "id", "created_at"})


async def forked() -> Any:
    """Fork a session, and resume it."""
    one, bound = adapter(), harness()
    session = await one.start(bound, OPTIONS.SessionOptions())
    try:
        first = told(await one._send(session, MODELS.Turn(prompt="say hello")))  # noqa: SLF001  what its `Session.send` calls
        fork = await one.fork(session, OPTIONS.ForkOptions())
        second = told(await one._send(fork, MODELS.Turn(prompt="say it again")))  # noqa: SLF001  the same
        await one.close(fork)
        return [first, second]
    finally:
        await one.close(session)


async def models() -> Any:
    """List the models."""
    return [[model.id, model.hidden, model.reasoning_efforts] for model in await adapter().models(harness())]


async def status() -> Any:
    """Ask whether it is ready."""
    return [await adapter().check(harness()), await adapter().auth_status(harness())]


async def key() -> Any:
    """Log in with a key."""
    return (await adapter().login(harness(), "api_key", api_key="sk-compat")).model_dump(mode="json")


async def interrupted() -> Any:
    """Interrupt a streamed turn at its first text, and send another one."""
    one, bound = adapter(), harness()
    session = await one.start(bound, OPTIONS.SessionOptions())
    messages: list[str] = []
    try:
        async for event in one.stream(session, MODELS.Turn(prompt="talk for long"), OPTIONS.RunOptions()):
            if "agentMessage/delta" in (event.message or "") and event.message not in messages:
                await one.interrupt(session)
            messages.append(event.message or "")
        again = told(await one.send(session, MODELS.Turn(prompt="say hello"), OPTIONS.RunOptions()))
    finally:
        await one.close(session)
    return [sorted(set(messages)), again]


def missing_binary() -> Any:
    """Run with a runtime that does not exist."""
    other = ADAPTER.CodexPythonSdk(codex_bin=cases.NOWHERE)
    return cases.builtin_kinds(lambda: other.run(harness(), "say hello", OPTIONS.RunOptions()))


async def file_change() -> Any:
    """Stream a turn that changes a file."""
    one, bound = adapter(), harness()
    session = await one.start(bound, OPTIONS.SessionOptions(model=cases.WITH_PATCHES))
    try:
        stream = one.stream(session, MODELS.Turn(prompt="change a file"), OPTIONS.RunOptions(model=cases.WITH_PATCHES))
        return [_event(event) async for event in stream]
    finally:
        await one.close(session)


if __name__ == "__main__":
    cases.main(
        runs, structured, failed, streamed, forked, models, status, key, interrupted, missing_binary, file_change
    )
