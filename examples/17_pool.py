"""Carry out many jobs, a few at a time. Each ends with a result; a failure is in it and stops no other job."""

from pathlib import Path

from openai_codex import CodexPool, Job

STATE = Path("jobs.sqlite")

jobs = [
    Job(prompts=[f"Review {name}.py."], key=name, thread={"sandbox": "read-only"}, timeout=600)
    for name in ("parser", "writer", "server")
]
with CodexPool(turns=2, state=STATE) as pool:  # after a kill, the next run carries on from the state
    for result in pool.as_completed(jobs):
        print(result.key, result.status, result.error or result.final_response)

with CodexPool(state=STATE) as pool:
    print("known:", [result.key for result in pool.map(jobs)])  # no prompt is sent again
