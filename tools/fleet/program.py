"""The program that is killed and started again: a pool on a state, with the same jobs each time."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from openai_codex import AppServerConfig, CodexPool, Job, JobResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

WORKERS, THREADS = 2, 4


def processes() -> ProcessPoolExecutor:
    """Return two workers."""
    return ProcessPoolExecutor(WORKERS, get_context("spawn"))


def cluster(stack: ExitStack) -> Callable[[], Executor]:
    """Return what makes an executor of a cluster of two workers on loopback, which ends with the stack."""
    import dask.config
    from distributed import Client, LocalCluster

    # So long after a worker was lost, Dask closes its place for good if none of its name is there: the next may be killed then.
    stack.enter_context(dask.config.set({"distributed.deploy.lost-worker-timeout": "1 h"}))
    here = "127.0.0.1:0"
    local = LocalCluster(
        n_workers=WORKERS, threads_per_worker=THREADS, dashboard_address=here, worker_dashboard_address=here
    )
    stack.enter_context(local)
    client = stack.enter_context(Client(local))
    return lambda: client.get_executor(pure=False)


def carry_out(given: dict[str, Any], executor: Callable[[], Executor] | None) -> list[JobResult]:
    """Carry out the jobs, and return their results."""
    jobs = [Job(prompts=[f"job {number} a", f"job {number} b"], key=f"k{number}") for number in range(given["jobs"])]
    with CodexPool(AppServerConfig(**given["config"]), executor=executor, state=given["state"], turns=4) as pool:
        return list(pool.map(jobs))


def main() -> int:
    """Run the program. Returns the exit code: 1 if one of the jobs has not completed."""
    given = json.loads(sys.argv[1])
    with ExitStack() as stack:
        kind = given["executor"]
        results = carry_out(given, None if kind == "threads" else processes if kind == "processes" else cluster(stack))
    failed = [result for result in results if result.status != "completed"]
    for result in failed:
        print(result)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
