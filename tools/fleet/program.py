"""The program that is killed and started again: a pool on a state, with the same jobs each time."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from openai_codex import AppServerConfig, CodexPool, Job


def processes() -> ProcessPoolExecutor:
    """Return two workers."""
    return ProcessPoolExecutor(2, get_context("spawn"))


def main() -> int:
    """Carry out the jobs. Returns the exit code: 1 if one of them has not completed."""
    given = json.loads(sys.argv[1])
    executor = processes if given["workers"] else None
    with CodexPool(AppServerConfig(**given["config"]), executor=executor, state=given["state"], turns=4) as pool:
        jobs = [
            Job(prompts=[f"job {number} a", f"job {number} b"], key=f"k{number}") for number in range(given["jobs"])
        ]
        results = list(pool.map(jobs))
    for result in results:
        if result.status != "completed":
            print(result)
    return int(any(result.status != "completed" for result in results))


if __name__ == "__main__":
    sys.exit(main())
