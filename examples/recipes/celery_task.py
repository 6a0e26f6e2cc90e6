"""Celery: a job as a task. Each worker process keeps one client, which `run_job` starts for the first task."""

from typing import Any

from celery import Celery

from openai_codex import AppServerConfig, Job, run_job

app = Celery("codex", broker="memory://", backend="cache+memory://")  # the addresses of yours
CONFIG = AppServerConfig(restart=True)


@app.task
def carry_out(job: dict[str, Any]) -> dict[str, Any]:
    """Carry out a job. Celery sends JSON, so a job and its result travel as dictionaries."""
    return run_job(CONFIG, Job.from_dict(job)).to_dict()


def submit(prompt: str, cwd: str) -> Any:
    """Queue a job; `JobResult.from_dict(task.get())` is its result, with the error of a job that failed."""
    return carry_out.delay(Job(prompts=[prompt], cwd=cwd, timeout=600).to_dict())
