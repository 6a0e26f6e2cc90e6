"""Prefect: jobs as mapped tasks of a flow, at most four at a time; they share one client."""

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from openai_codex import AppServerConfig, Job, JobResult, run_job

CONFIG = AppServerConfig(restart=True)


@task
def carry_out(job: Job) -> JobResult:
    """Carry out a job. The task fails if the job has: Prefect shows why."""
    result = run_job(CONFIG, job)
    if result.error is not None:
        raise result.error
    return result


@flow(task_runner=ThreadPoolTaskRunner(max_workers=4))
def review(directories: list[str]) -> list[str]:
    """Have each directory reviewed; return what the model says."""
    jobs = [Job(prompts=["Review this directory."], cwd=directory, timeout=600) for directory in directories]
    return [result.final_response or "" for result in carry_out.map(jobs).result()]
