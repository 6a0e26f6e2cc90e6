"""What all tests share: the kit's fixtures, and coroutine tests run on a fresh loop each."""

from __future__ import annotations

import asyncio
import inspect

import pytest

pytest_plugins = ["openai_codex.testing.pytest_plugin"]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test; it is no test that passes because nobody awaited it."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True
