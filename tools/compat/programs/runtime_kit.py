"""agent-runtime-kit: its runtime for Codex, with and without a process that is used again."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
from pathlib import Path
from typing import Any

from . import cases

KIT: Any = importlib.import_module("agent_runtime_kit")
ADAPTER: Any = importlib.import_module("agent_runtime_kit.adapters.codex")


def runtime(**settings: Any) -> Any:
    """Return a runtime for this home."""
    return ADAPTER.CodexAgentRuntime(env=cases.HOME, default_model="mock-model", **settings)


def task(goal: str, **settings: Any) -> Any:
    """Return a task that may run commands."""
    return KIT.AgentTask(
        goal,
        task_id="task-1",
        working_directory=Path(cases.WORKSPACE),
        permissions=KIT.PermissionProfile(filesystem="full-access"),
        **settings,
    )


async def readiness() -> Any:
    """Ask whether it is ready."""
    async with runtime() as one:
        return [one.availability(), await one.check_readiness()]


async def run(*goals: str, **settings: Any) -> Any:
    """Run tasks, each with its events."""
    given = {name: settings.pop(name) for name in ("reuse_process",) if name in settings}
    async with runtime(**given) as one:
        return [await _result(one, goal, settings) for goal in goals]


async def _result(one: Any, goal: str, settings: dict[str, Any]) -> Any:
    events: list[Any] = []

    class Sink:
        async def emit(self, event: Any) -> None:
            events.append(event)

    try:
        result = await one.run(task(goal, event_sink=Sink(), **settings))
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  every error is a result to compare
        return {"error": list(cases.errors(error)), "events": events}
    return {"result": result, "events": events}


async def tasks() -> Any:
    """Run tasks: text, a command, a command that fails, reasoning."""
    return await run("say hello", "use a command", "use a command that fails", "think first")


async def reused() -> Any:
    """Run tasks in one process."""
    return await run("say hello", "say it again", reuse_process=True)


async def structured() -> Any:
    """Run a task with an output schema and an effort."""
    wanted = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    return await run("as JSON", output_schema=wanted, reasoning_effort="low")


async def failed() -> Any:
    """Run tasks that fail, each in its way."""
    return await run("be refused", "be overloaded", "be limited", "be broken", "be unauthorized")


async def resumed() -> Any:
    """Run a task in the thread of another, and one in a thread that does not exist."""
    async with runtime() as one:
        first = await one.run(task("say hello"))
        second = await one.run(task("say it again", session_id=first.session_id))
        unknown = await _result(one, "say hello", {"session_id": cases.UNKNOWN})
        return [first.output, second, first.session_id == second.session_id, unknown]


async def file_change() -> Any:
    """Run a task that changes a file."""
    return await run("change a file", model=cases.WITH_PATCHES)


async def late() -> Any:
    """Run a task that is not done by its deadline, and cancel one."""
    deadline = dt.datetime.now(tz=dt.timezone.utc) + dt.timedelta(seconds=3)
    async with runtime() as one:
        late = await _result(one, "never answer", {"deadline": deadline})
        running = asyncio.ensure_future(_result(one, "never answer", {}))
        await asyncio.sleep(2)
        receipt = await one.cancel("task-1")
        return [late, receipt, await running]


if __name__ == "__main__":
    cases.main(readiness, tasks, reused, structured, failed, resumed, file_change, late)
