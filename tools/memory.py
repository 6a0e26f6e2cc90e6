"""Measures how much memory the real runtime keeps of each thread: `python -m tools.memory [THREADS]`.

Each row starts a runtime of its own, warms it up with twenty threads, and then starts THREADS (200) more, one after
another, each with one short turn of a scripted model. Linux only.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import attrs

from openai_codex import Codex, Restart
from openai_codex.testing import offline

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex import Thread

_WARM_UP = 20
_MEGABYTE = 1e6


@attrs.frozen
class Row:
    """One way to use threads."""

    name: str
    ephemeral: bool
    end: Callable[[Thread], None]
    restart: Restart | None = None


def _leave(_: Thread) -> None:
    """Drop the handle."""


def _archive(thread: Thread) -> None:
    thread.close(archive=True)


def _delete(thread: Thread) -> None:
    thread.close(delete=True)


def _close(thread: Thread) -> None:
    thread.close()


ROWS = (
    Row("ephemeral, left", True, _leave),
    Row("ephemeral, close()", True, _close),
    Row("ephemeral, close(delete=True)", True, _delete),
    Row("ephemeral, close(), Restart(max_threads=50)", True, _close, Restart(max_threads=50)),
    Row("stored, left", False, _leave),
    Row("stored, close()", False, _close),
    Row("stored, close(archive=True)", False, _archive),
    Row("stored, close(delete=True)", False, _delete),
)


def measure(row: Row, threads: int) -> str:
    """Run one row; return it as a line of a Markdown table."""
    with offline() as kit, Codex(attrs.evolve(kit.config, restart=row.restart)) as codex:

        def use(count: int) -> int:
            for _ in range(count):
                thread = codex.thread_start(ephemeral=row.ephemeral)
                thread.run("Hi")
                row.end(thread)
            return codex.health().rss or 0

        before = use(_WARM_UP)
        began = time.monotonic()
        after = use(threads)
        seconds = time.monotonic() - began
    grown = (after - before) / threads / _MEGABYTE
    cells = f"{grown:.2f}", f"{after / _MEGABYTE:.0f}", f"{1000 * seconds / threads:.0f}"
    return f"| {row.name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    threads = int(sys.argv[1]) if sys.argv[1:] else 200
    print("| threads | MB per thread | MB in the end | ms per thread |\n|---|---|---|---|")
    for row in ROWS:
        print(measure(row, threads), flush=True)


if __name__ == "__main__":
    main()
