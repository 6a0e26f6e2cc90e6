"""Other processes that carry out jobs, by whatever executor the program has: one is replaced when it is broken."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from openai_codex._checks import refusal
from openai_codex._jobs import dask
from openai_codex._log import Log
from openai_codex._runtime.imports import load
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig
    from openai_codex._jobs.clients import Steps
    from openai_codex._jobs.entry import Entry
    from openai_codex._jobs.ledger import Ledger
    from openai_codex._jobs.result import JobResult
    from openai_codex._jobs.steps import Ticket

ExecutorLike: TypeAlias = Union[Executor, Callable[[], Executor]]
"""An executor, or a function that makes one."""

# The arguments of the standard executor, which has no public attributes for them.
_ARGUMENTS = {
    "max_workers": "_max_workers",
    "mp_context": "_mp_context",
    "initializer": "_initializer",
    "initargs": "_initargs",
}

_log = Log("jobs")


class Workers:
    """Submits attempts to an executor."""

    def __init__(self, executor: ExecutorLike) -> None:
        # Checked by the pool: it can be called, or has `submit`.
        self._make: Any = executor if isinstance(executor, type) or not hasattr(executor, "submit") else None
        self._is_own = self._make is not None
        self._executor: Any = _checked(executor if self._make is None else self._make())
        self._task = load("openai_codex._jobs.run").attempt

    def submit(self, entry: Entry, config: AppServerConfig, ticket: Ticket, settle: Callable[[Any], None]) -> None:
        """Submit an attempt; ``settle`` gets its outcome."""
        entry.executor = self._executor
        inner: Future[JobResult] = self._executor.submit(
            self._task, config, entry.job, ticket, **dask.arguments(self._executor)
        )
        entry.inner = inner
        inner.add_done_callback(partial(_hand_on, settle))

    def cancel(
        self, entry: Entry, ledger: Ledger, spawn: Callable[[Steps, Callable[[Any], None]], None] | None
    ) -> bool:
        """Cancel an attempt, if no process has begun it; return whether it is, or will be: ``spawn`` carries that out."""
        if entry.inner is None or spawn is None:
            return True
        if not dask.is_client_executor(entry.executor):
            return entry.inner.cancel()
        # Dask also cancels the future of a running task. The task then continues, and its result is lost.
        if not ledger.withdraw(entry):
            return False
        # It waits for the client's own thread, which this one may be.
        spawn(_one_step(entry.inner.cancel), lambda _outcome: None)
        return True

    def replace(self, entry: Entry) -> None:
        """Replace the executor that has lost an entry, unless that has been done."""
        if entry.executor is not self._executor:
            return
        executor: Any = None
        try:
            executor = _copied(self._executor) if self._make is None else _checked(self._make())
        except Exception as error:  # noqa: BLE001  of the program's function: its jobs fail with the broken one
            _log.warning("codex.executor_not_replaced", exc_info=error)
        if executor is None:
            return
        # The broken one has shut itself down. It must not be called here: on its own thread, it holds a lock meanwhile.
        self._executor, self._is_own = executor, True
        _log.warning("codex.executor_replaced", executor=type(executor).__name__)

    def close(self) -> None:
        """Shut down an executor that was made here. It has no work left, or none that anybody waits for."""
        if self._is_own:
            self._executor.shutdown(wait=False)


def _checked(executor: Any) -> Any:
    if hasattr(executor, "get_executor"):
        raise ConfigError(
            "executor", "expected an Executor, got a client of Dask: give client.get_executor(pure=False)"
        )
    if isinstance(executor, type) or not hasattr(executor, "submit"):
        raise refusal("executor", executor, "a function that returns an Executor")
    if dask.is_asynchronous(executor):
        raise ConfigError(
            "executor",
            "expected that of a client of Dask with a loop of its own, got one with asynchronous=True;"
            " both faces of a pool take dask.distributed.Client(…) without that",
        )
    return executor


def _one_step(call: Callable[[], object]) -> Steps:
    yield call


def _copied(executor: Any) -> Executor | None:
    if not isinstance(executor, ProcessPoolExecutor):
        return None
    arguments = {name: getattr(executor, attribute, None) for name, attribute in _ARGUMENTS.items()}
    return ProcessPoolExecutor(**{name: value for name, value in arguments.items() if value is not None})


def _hand_on(settle: Callable[[Any], None], inner: Future[Any]) -> None:
    # `exception` raises that the future was cancelled.
    try:
        settle(inner.exception() or inner.result())
    except BaseException as error:  # noqa: BLE001  it is the outcome
        settle(error)
