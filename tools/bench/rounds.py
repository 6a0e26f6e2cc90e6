"""Runs all programs alternately: every round runs each workload once for each subject, one directly after another."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from itertools import product
from typing import TYPE_CHECKING

from codex_cli_bin import bundled_codex_path

from openai_codex.testing import RecordedRequest, Reply, ScriptedModel, say, temporary_home
from tools.bench.runner import ABSENT, Failure, Outcome, run

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from tools.bench.rows import Workload
    from tools.bench.subjects import Subject

DELTAS = 200
"""The number of deltas in the answer to a prompt that ends in ``words``; other prompts get ``ok``."""

_AFTER = re.compile(r" after (\d+) ms$")


def _late(request: RecordedRequest) -> Reply:
    """Answer a prompt by its text, as late as it says."""
    text = request.last_user_text
    found = _AFTER.search(text)
    assert found is not None
    return say(f"to {text}", delay=int(found[1]) / 1e3)


Results = dict[tuple[int, str], list[Outcome]]
"""The outcomes of the runs, by index of the workload and name of the subject."""


def measure(workloads: Sequence[Workload], subjects: Sequence[Subject], rounds: int, *, smoke: bool) -> Results:
    """Run everything; raise `RuntimeError` if ours or the floor fails. The published package may fail."""
    results: Results = {}
    with _offline_runtime() as environment:
        for number, (index, workload), subject in product(range(rounds), enumerate(workloads), subjects):
            outcomes = results.setdefault((index, subject.name), [])
            program = workload.program_for(subject.name)
            if program is None or _is_enough(workload, outcomes):
                continue
            start = time.monotonic()
            outcomes.append(_run(subject, program, workload, environment, smoke=smoke))
            taken = time.monotonic() - start
            print(f"round {number + 1}: {program} of {subject.name}, {taken:.1f} s", file=sys.stderr)
    return results


def _is_enough(workload: Workload, outcomes: list[Outcome]) -> bool:
    """Return whether there are enough runs; after a failure there is no other run."""
    return any(workload.once or isinstance(outcome, Failure) for outcome in outcomes)


def _run(subject: Subject, program: str, workload: Workload, environment: dict[str, str], *, smoke: bool) -> Outcome:
    if subject.python is None:
        return Failure(ABSENT, subject.problem)
    sizes = workload.sizes_for(subject.name, smoke=smoke)
    outcome = run(subject.python, program, sizes, environment, workload.deadline)
    if isinstance(outcome, Failure) and subject.name != "published":
        raise RuntimeError(f"{program} of {subject.name} {outcome.what}: {outcome.detail}")
    return outcome


@contextlib.contextmanager
def _offline_runtime() -> Generator[dict[str, str]]:
    """Start a scripted model and create a home; yield the environment in which any runtime uses them."""
    with ScriptedModel(record_limit=1) as model, temporary_home(model.url) as home:
        model.when(re.compile("words$"), say(deltas=["word "] * DELTAS))
        model.when(_AFTER, _late)
        yield {
            **home.env,
            "BENCH_WORKSPACE": str(home.workspace.absolute()),
            "BENCH_BINARY": str(bundled_codex_path()),
        }
