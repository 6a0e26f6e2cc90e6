"""The progress of a pool, drawn with rich: on a terminal, or in a cell of a notebook. It needs the extra `cli`."""

from __future__ import annotations

import atexit
import sys
from importlib import import_module
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from openai_codex._engine.once import Once
from openai_codex._jobs.displays import Display, Lines, clock, counted, duration
from openai_codex._jobs.progress import PoolProgress

# One at a time: a second one would draw over the first.
_terminal = Once()

# Of the bar, in characters.
_WIDTH = 30


def picture(progress: PoolProgress) -> Table:
    """Return a bar with the number of jobs, the counts, and a pause; as a table, which notebooks show, too."""
    total = progress.total
    of = " ended" if total is None else f"/{total}"
    left = "" if progress.eta is None or progress.is_over else f", about {duration(progress.eta)} left"
    head = Table.grid(padding=(0, 1, 0, 0))
    head.add_row(
        *([] if total is None else [ProgressBar(total=max(1, total), completed=progress.ended, width=_WIDTH)]),
        Text(f"{progress.ended}{of}", "bold"),
        Text(f"{duration(progress.elapsed)}{left}", no_wrap=True),
    )
    whole = Table.grid()
    whole.add_row(head)
    whole.add_row(Text(f"{counted(progress)}, {progress.tokens:,} tokens", overflow="fold"))
    if progress.paused_until is not None:
        whole.add_row(Text(f"usage limit, paused until {clock(progress.paused_until)}", "yellow"))
    return whole


class Screen(Display):
    """Draws on the terminal of stderr; what the program prints meanwhile stays above."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._instead: Lines | None = None

    def open(self) -> None:
        """Take the lower lines of the terminal, unless another pool of the program has them."""
        if not _terminal.take():
            self._instead = Lines()
            return
        self._live = Live(
            picture(PoolProgress()),
            console=Console(file=sys.stderr, highlight=False),
            auto_refresh=False,
            # Else it would go to stderr.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )
        atexit.register(self.close)  # for a program that does not close its pool
        self._live.start()

    def show(self, progress: PoolProgress) -> None:
        """Draw it."""
        if self._instead is not None:
            self._instead.show(progress)
        elif self._live is not None:
            self._live.update(picture(progress), refresh=True)

    def close(self) -> None:
        """Give the terminal back; what was drawn last stays."""
        live, self._live = self._live, None
        if live is not None:
            atexit.unregister(self.close)
            live.stop()
            _terminal.give_back()


class Cell(Display):
    """Draws in the cell that is executed, as rich does in notebooks, and draws it anew later."""

    def __init__(self) -> None:
        self._handle: Any = None

    def open(self) -> None:
        """Take a place in the output of the cell."""
        display: Any = import_module("IPython.display")  # there, as this is a notebook
        self._handle = display.display(picture(PoolProgress()), display_id=True)

    def show(self, progress: PoolProgress) -> None:
        """Draw it in its place."""
        self._handle.update(picture(progress))
