"""Jobs of two turns on the real runtime: in a pool, and in a loop over what both packages have."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from openai_codex import Codex, CodexConfig

from . import gauge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from openai_codex import CodexPool

WORKERS, THREADS = 2, 8
"""Worker processes, and threads of each of them on a cluster."""

TURNS = WORKERS * THREADS


def pool(executor: str, jobs: int) -> None:
    """Carry out jobs on threads of this process, in other processes, or on a cluster of processes."""
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(_pool(_executor(executor, stack), turns=TURNS))
        _carry_out(made, range(min(TURNS, jobs)), 0)  # every worker starts its runtime
        span = gauge.Span()
        _carry_out(made, range(jobs), 0)
        gauge.report(per_s=jobs / span.seconds(), mb=gauge.peak_mb())


def loop(jobs: int, **_of_a_pool: object) -> None:
    """Carry out the same jobs one after another."""
    with Codex(_config()) as codex:
        _converse(codex, 0, 0)
        span = gauge.Span()
        for number in range(jobs):
            _converse(codex, number, 0)
        gauge.report(per_s=jobs / span.seconds(), mb=gauge.peak_mb())


def curve(levels: Sequence[int], most: int, answer_ms: int) -> None:
    """Carry out ``level`` jobs at once, but not more than ``most``; each answer of the model takes ``answer_ms``."""
    measures: dict[str, float] = {}
    with _pool(None, turns=max(levels)) as made:
        _carry_out(made, range(1), 0)
        for level in levels:
            span = gauge.Span()
            _carry_out(made, range(min(level, most)), answer_ms)
            measures |= _measures(level, min(level, most), span)
        gauge.report(**measures)


def loop_curve(levels: Sequence[int], most: int, answer_ms: int) -> None:
    """The same on as many Python threads as there are jobs, which share a client. What fails is not counted."""
    measures: dict[str, float] = {}
    with Codex(_config()) as codex:
        _converse(codex, 0, 0)
        for level in levels:
            with ThreadPoolExecutor(level) as threads:
                span = gauge.Span()
                tries = threads.map(lambda number: _tried(codex, number, answer_ms), range(min(level, most)))
                measures |= _measures(level, sum(tries), span)
        gauge.report(**measures)


def _measures(level: int, done: int, span: gauge.Span) -> dict[str, float]:
    return {f"done_{level}": done, f"per_s_{level}": done / span.seconds(), f"mb_{level}": gauge.peak_mb()}


def _config() -> CodexConfig:
    return CodexConfig(cwd=os.environ["BENCH_WORKSPACE"])


def _pool(executor: Any, turns: int) -> CodexPool:
    from openai_codex import CodexPool  # which the published package has not

    return CodexPool(_config(), executor=executor, turns=turns, max_waiting=1_000)


def _executor(name: str, stack: contextlib.ExitStack) -> Any:
    if name == "threads":
        return None
    if name == "processes":
        return stack.enter_context(ProcessPoolExecutor(WORKERS, get_context("spawn")))
    from distributed import Client, LocalCluster

    here = "127.0.0.1:0"
    cluster = LocalCluster(
        n_workers=WORKERS, threads_per_worker=THREADS, dashboard_address=here, worker_dashboard_address=here
    )
    return stack.enter_context(Client(stack.enter_context(cluster))).get_executor(pure=False)


def _prompts(number: int, answer_ms: int) -> list[str]:
    return [f"job {number} {part} after {answer_ms} ms" for part in "ab"]


def _carry_out(made: CodexPool, numbers: Iterable[int], answer_ms: int) -> None:
    from openai_codex import Job

    prompts = [_prompts(number, answer_ms) for number in numbers]
    futures = [made.submit(Job(prompts=each)) for each in prompts]
    for each, future in zip(prompts, futures, strict=True):
        result = future.result()
        assert [turn.final_response for turn in result.results] == [f"to {text}" for text in each], result.error


def _converse(codex: Codex, number: int, answer_ms: int) -> None:
    thread = codex.thread_start()
    for prompt in _prompts(number, answer_ms):
        assert thread.run(prompt).final_response == f"to {prompt}"


def _tried(codex: Codex, number: int, answer_ms: int) -> bool:
    with contextlib.suppress(Exception):
        _converse(codex, number, answer_ms)
        return True
    return False


if __name__ == "__main__":
    gauge.main(pool, loop, curve, loop_curve)
