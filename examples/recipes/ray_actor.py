"""Ray: an actor is a process with one client of its own; a pool of actors takes any number of jobs."""

from collections.abc import Iterator

import ray
from ray.util import ActorPool

from openai_codex import AppServerConfig, Job, JobResult, run_job


@ray.remote(max_restarts=-1)
class Worker:
    """Carries out one job at a time."""

    def carry_out(self, job: Job) -> JobResult:
        """Carry out a job; a failure of it is in the result."""
        return run_job(AppServerConfig(restart=True), job)


def carry_out_all(jobs: list[Job], workers: int = 2) -> Iterator[JobResult]:
    """Yield the results in the order of the jobs."""
    pool = ActorPool([Worker.remote() for _ in range(workers)])
    yield from pool.map(lambda worker, job: worker.carry_out.remote(job), jobs)
