"""The error of a job, where it comes from: another process."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from openai_codex import JobError, errors


def test_it_pickles_with_its_facts_and_says_them() -> None:
    error = JobError("worker", "it\x1b died", {"a": 1})
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert (type(again), vars(again), str(again)) == (JobError, vars(error), str(error))
    assert "\x1b" not in str(error)
    assert errors.JobError is JobError


@pytest.mark.parametrize("module", ["failure", "state", "job", "result", "run", "pool_base"])
def test_each_module_can_be_imported_first(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import openai_codex._jobs.{module}"], check=True)


@pytest.mark.parametrize("package", ["_jobs.failure", "_portable.errors", "errors._base", "errors._runtime"])
def test_an_error_of_each_module_is_unpickled_in_a_process_that_has_imported_nothing(package: str) -> None:
    subprocess.run([sys.executable, "-c", f"import openai_codex.{package}"], check=True)
