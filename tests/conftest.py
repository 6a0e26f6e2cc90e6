"""What all tests share: the kit's fixtures, and coroutine tests run on a fresh loop each."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from openai_codex._async.client import launch as async_launch
from openai_codex._engine.transport import child
from openai_codex._runtime import display
from openai_codex._sync.client import launch as sync_launch
from tests.support.log_table import Comparison
from tests.support.traces import measure_all_threads

pytest_plugins = ["openai_codex.testing.pytest_plugin"]

# On a loaded machine, an example may take any time. The suite tries the same examples each time; to try others, give
# `--hypothesis-profile others`.
settings.register_profile("others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", settings.get_profile("others"), derandomize=True)
settings.load_profile("suite")

# What usually takes milliseconds, and is waited for no longer than a second, may take longer there: a thread that has still
# to log, and one that has still to read the last lines on stderr.
_UNHURRIED = 5.0
for _module, _name in (
    (async_launch, "_THREADS_PATIENCE"),
    (sync_launch, "_THREADS_PATIENCE"),
    (child, "_DRAIN_TIMEOUT"),
):
    assert hasattr(_module, _name)
    setattr(_module, _name, _UNHURRIED)

measure_all_threads()

_WORKERS_PER_CORE = 3
_MAX_WORKERS = 24


@pytest.hookimpl(optionalhook=True)  # only pytest-xdist knows it
def pytest_xdist_auto_num_workers() -> int:
    """Return what ``-n auto`` means: more workers than cores, because most tests wait for a runtime."""
    return min(_WORKERS_PER_CORE * len(os.sched_getaffinity(0)), _MAX_WORKERS)


_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse test ids with a memory address: ``--lf`` and pytest-xdist need the same ids in every process."""
    unstable = [item.nodeid for item in items if _ADDRESS.search(item.nodeid)]
    if unstable:
        raise pytest.UsageError("test ids contain a memory address, give `ids=`:\n" + "\n".join(unstable))


@pytest.fixture(autouse=True)
def log_is_as_it_was() -> Iterator[None]:
    """Undo what a test does to the logger of the package, such as a snippet of the README that calls `debug`."""
    logger = logging.getLogger("openai_codex")
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


_SECRETS, _FINDS = vars(display)["_known"], vars(display)["_finds"]


@pytest.fixture(autouse=True, scope="module")
def no_secret_of_another_module_is_known() -> None:
    """Forget the secrets that tests have passed: what is, or begins as, an ordinary word would be masked in all later ones."""
    _FINDS.clear()
    _SECRETS.clear()


@pytest.fixture(autouse=True)
def no_secret_of_another_test_is_known(no_secret_of_another_module_is_known: None) -> Iterator[None]:
    """Forget the secrets that a test has passed."""
    kept = dict(_SECRETS)
    yield
    _FINDS.clear()
    _SECRETS.clear()
    _SECRETS.update(kept)


@pytest.fixture(autouse=True)
def log_is_as_documented() -> Iterator[None]:
    """Fail a test in which an event was logged that the documentation does not have, or has otherwise."""
    comparison, handle = Comparison(), logging.Logger.handle

    def compare_and_handle(logger: logging.Logger, record: logging.LogRecord) -> None:
        if logger.name.startswith("openai_codex."):
            comparison.compare(record)
        handle(logger, record)

    # Not a handler: that logging has none is what some tests are about.
    logging.Logger.handle = compare_and_handle  # type: ignore[method-assign]  # for all loggers
    yield
    logging.Logger.handle = handle  # type: ignore[method-assign]  # as it was
    assert comparison.faults == []


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test; without this, a coroutine that is never awaited would pass."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True
