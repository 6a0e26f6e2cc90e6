"""What a job names by import paths, imported."""

from __future__ import annotations

from typing import Any

import attrs

from openai_codex import _checks as checks
from openai_codex._jobs.job import Job
from openai_codex._jobs.paths import found
from openai_codex._schemas.output import OutputType, output_type
from openai_codex._tools.declaration import AnyTool, Tool, tool


@attrs.frozen
class Prepared:
    """What a job names, imported."""

    tools: list[AnyTool]
    output: OutputType[Any] | None
    type_: Any
    on_budget: Any


def prepare(job: Job) -> Prepared:
    """Import what a job names. Raises `ConfigError`."""
    functions = [found(f"tools[{number}]", path) for number, path in enumerate(job.tools)]
    tools: list[AnyTool] = [each if isinstance(each, Tool) else tool(each) for each in functions]
    type_ = None if job.output_type is None else found("output_type", job.output_type)
    on_budget = None if job.on_budget is None else found("on_budget", job.on_budget)
    if on_budget is not None:
        checks.plain_function("on_budget", on_budget, "two arguments, the job and its tokens", job, 0)
    return Prepared(tools, None if type_ is None else output_type(type_), type_, on_budget)
