"""The command `jobs`: what the state of a pool tells about its jobs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import attrs

from openai_codex._cli.options import Command
from openai_codex._cli.output import shown
from openai_codex._jobs.rows import AttemptRow, JobRow
from openai_codex._jobs.state import reading
from openai_codex._jobs.worktree import Worktree

_MANUAL = """\
List the jobs in the state of a pool, `CodexPool(state=PATH)`: how each has ended, or how far it has come. It reads the
file only, also while a pool uses it. Where jobs have worktrees, the last column has those that were kept.

A job whose status is "interrupted" was running when its pool ended; the next pool on this state carries it on."""

STATUSES = ("waiting", "running", "interrupted", "completed", "stopped", "failed")

# How wide a column is at most; what is longer is cut.
_WIDEST = 60

_HEAD = ("status", "key", "attempts", "turns", "tokens", "seconds", "thread", "last error")


@attrs.frozen
class Listed:
    """One job, as it is listed."""

    status: str
    key: str
    attempts: int
    turns: str
    tokens: int | None
    seconds: float | None
    thread_id: str | None
    error: str | None
    worktree: dict[str, Any] | None
    labels: dict[str, str]
    queued_at: float
    started_at: float | None
    ended_at: float | None


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="the file that the pool was given")
    parser.add_argument("--status", choices=STATUSES, action="append", help="only jobs of this status; may be repeated")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each job, with its labels and times")


def _execute(options: argparse.Namespace) -> int:
    state = reading(str(Path(options.path).absolute()))
    try:
        listed = [_listed(row, state.last_attempt(row.id)) for row in state.jobs()]
    finally:
        state.close()
    chosen = [each for each in listed if not options.status or each.status in options.status]
    lines = [json.dumps(attrs.asdict(each)) for each in chosen] if options.json else _table(chosen)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _listed(row: JobRow, last: AttemptRow | None) -> Listed:
    result = row.result or (None if last is None else last.result)
    is_dead = row.status == "running" and last is not None and not (last.process and last.process.is_alive())
    ended_at = None if row.result is None else row.result.ended_at
    started_at = None if last is None else last.started_at
    until = ended_at if ended_at is not None else time.time() if row.status == "running" and not is_dead else None
    done = 0 if result is None else len(result.results)
    return Listed(
        "interrupted" if is_dead else row.status,
        row.key,
        0 if last is None else last.number,
        f"{done}/{len(row.job.prompts)}",
        None if result is None else result.tokens,
        None if until is None or started_at is None else round(until - started_at, 3),
        None if last is None else last.thread_id,
        None if result is None or result.error is None else str(result.error).splitlines()[0],
        None if result is None or result.worktree is None else _described(result.worktree),
        dict(row.job.labels),
        row.queued_at,
        started_at,
        ended_at,
    )


def _described(worktree: Worktree) -> dict[str, Any]:
    """Return what is known of a worktree, but for its diff, which may be long."""
    return attrs.asdict(worktree, filter=lambda field, _value: field.name != "diff")


def _table(listed: list[Listed]) -> list[str]:
    """Return aligned lines: a head, the jobs, and how many there are of each status."""
    rows = [_HEAD, *(tuple(map(_cell, attrs.astuple(each)[: len(_HEAD)])) for each in listed)]
    if any(each.worktree for each in listed):
        paths = [shown((each.worktree or {}).get("path") or "-") for each in listed]
        rows = [(*row, path) for row, path in zip(rows, ("worktree", *paths), strict=True)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    counts = [f"{sum(each.status == name for each in listed)} {name}" for name in STATUSES]
    return [*lines, "", ", ".join(count for count in counts if not count.startswith("0 ")) or "no jobs"]


def _cell(value: Any) -> str:
    text = shown("-" if value is None else str(value)).replace("\n", " ").replace("\t", " ")
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


COMMAND = Command("jobs", "list the jobs in the state of a pool", _MANUAL, _add_options, _execute)
