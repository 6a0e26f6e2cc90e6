"""Runs the lines of `rows`: each case those of one row, and records for each line its value, or its error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import cases
from .rows import ROWS, Row

STDIN = "import json, sys\nfor line in sys.stdin:\n request = json.loads(line)\n if 'id' in request: "
MINIMAL = STDIN + "print(json.dumps({'id': request['id'], 'result': {'userAgent': 'fake/1.0'}}), flush=True)"
"""A fake app-server, as tests of users have one: its answer to everything is a user agent."""


def observed(row: Row) -> dict[str, Any]:
    """Run the lines of a row in one client; return the outcome of each."""
    import asyncio
    import contextlib
    import dataclasses
    import importlib.metadata

    import openai_codex as sdk
    from openai_codex import AsyncCodex, Codex, CodexConfig, Sandbox
    from openai_codex import types as T  # noqa: N812  short, as the lines are long

    def of_a_client() -> Any:
        made = _module("client").CodexClient(CodexConfig(), approval_handler=lambda *_: {"decision": "accept"})
        made.start()
        try:
            made.initialize()
            thread: Any = sdk.Thread
            return thread(made, made.thread_start({}).thread.id).run("say hello").final_response
        finally:
            made.close()

    async def own_handler() -> str:
        async with AsyncCodex() as other:
            private: Any = other
            private._client._sync._approval_handler = lambda *_: {"decision": "accept"}  # noqa: SLF001  what users do
            return "installed"

    async def closing() -> int:
        async with AsyncCodex() as other:
            handle = await (await other.thread_start()).turn("say hello")
            async with contextlib.aclosing(handle.stream()) as stream:
                return len([event async for event in stream]) > 0

    async def closed() -> str:
        async with AsyncCodex() as other:
            handle = await (await other.thread_start()).turn("say hello")
            stream = handle.stream()
            await stream.__anext__()
            await stream.aclose()
            return "closed"

    async def of_an_id() -> Any:
        async with AsyncCodex() as other:
            made: Any = sdk.AsyncThread
            return (await made(other, (await other.thread_start()).id).run("say hello")).final_response

    def minimal() -> str:
        with Codex(CodexConfig(launch_args_override=(sys.executable, "-c", MINIMAL))):
            return "started"

    with Codex() as codex:
        thread = codex.thread_start(sandbox=Sandbox.full_access)
        turn = thread.turn("say hello")
        events = list(turn.stream())
        result = thread.run("say hello")
        broken = thread.turn("be limited")
        payloads: list[Any] = [event.payload for event in broken.stream()]
        known: dict[str, Any] = {
            **locals(), "asyncio": asyncio, "contextlib": contextlib, "dataclasses": dataclasses, "T": T,
            "importlib": importlib, "V": _module("generated.v2_all"), "M": _module("models"),
            "config": CodexConfig(), "failed": payloads[-1].turn,
        }  # fmt: skip
        return {line: cases.observe(lambda line=line: _run(line, known)) for line in row.lines}  # type: ignore[misc]  # it is bound


def _module(name: str) -> Any:
    import importlib

    return importlib.import_module(f"openai_codex.{name}")


def _run(line: str, known: dict[str, Any]) -> Any:
    try:
        code = compile(line, "line", "eval")
    except SyntaxError:
        exec(line, {})  # noqa: S102  the lines are those above
        return None
    return eval(code, dict(known))  # noqa: S307  the same


def case_of(row: Row) -> Callable[[], Any]:
    """Return the case of a row."""

    def case() -> Any:
        return observed(row)

    case.__name__ = row.name
    return case


if __name__ == "__main__":
    cases.main(*map(case_of, ROWS))
