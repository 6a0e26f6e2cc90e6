"""vidbyte-sdk's `CodexHost`: many threads of one process. It is built on `CodexClient`, which is private at the published SDK."""

from __future__ import annotations

import importlib
from typing import Any

from . import cases

HOST: Any = importlib.import_module("vidbyte.harnesses.native.codex")
CODEX: Any = importlib.import_module("vidbyte.agents.codex")


def settings() -> Any:
    """Return the settings of the client."""
    return CODEX.CodexClientSettings(codex_bin=cases.bundled(), env=cases.HOME, cwd=cases.WORKSPACE)


async def models() -> Any:
    """List the models."""
    return await HOST.list_codex_models(settings=settings())


async def threads() -> Any:
    """List the threads."""
    return await HOST.list_codex_threads(settings=settings())


async def ready() -> Any:
    """Ask whether it is ready."""
    async with HOST.CodexHost(settings()) as host:
        return await host.check_codex_ready()


if __name__ == "__main__":
    cases.main(models, threads, ready)
