"""Follows a pool and hands its progress on, on a thread or task of its own: never where jobs are started or ended."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._engine.once import Once
from openai_codex._engine.waiting import Latch
from openai_codex._jobs.displays import Callback, Display, Lines
from openai_codex._jobs.progress import Estimate, PoolProgress, untimed

if TYPE_CHECKING:
    from openai_codex._jobs.clients import Steps
    from openai_codex._jobs.fleet import Fleet

# How long nothing is shown after something was, how long at most while jobs run, and how long `close` waits for the last
# one, in seconds.
_BREAK, _TICK, _PATIENCE = 0.1, 1.0, 5.0


class Reporter:
    """Hands the progress of a pool to a display. It does not keep the pool alive."""

    def __init__(self, fleet: Fleet, display: Display) -> None:
        self._fleet = weakref.ref(fleet)
        self._ready = fleet.ready
        self._display: Display | None = display
        self._beginning, self._is_over, self._ended = Once(), Latch(), Latch()
        self._began = time.monotonic()
        self._estimate = Estimate()
        self._last = PoolProgress()

    def begin(self) -> None:
        """Begin, with the first call of the pool."""
        fleet = self._fleet()
        if fleet is None or not self._beginning.take():
            return
        self._began = time.monotonic()
        try:
            if self._display is not None:
                self._display.open()
            fleet.spawn(self._steps(), lambda _outcome: None)
        except Exception as error:  # noqa: BLE001  of the display, or because the system gives no more threads
            fleet.callback_failed(error)
            self._end()

    def close(self) -> Steps:
        """Show the last progress. It does not wait for a callback that does not return."""
        if not self._beginning.is_taken():
            return
        self._is_over.set()
        if (fleet := self._fleet()) is not None:
            fleet.post(lambda: None)  # wakes the steps
        yield partial(self._ready, self._ended, _PATIENCE)

    def _steps(self) -> Steps:
        changed: Latch | None = None
        try:
            while (fleet := self._fleet()) is not None:
                if changed is None or changed.is_ready():
                    changed = fleet.watch()  # before the look
                is_over = self._is_over.is_ready()
                self._show(fleet, is_over=is_over)
                if is_over:
                    return
                del fleet
                yield partial(self._ready, changed, _TICK)
                yield partial(self._ready, self._is_over, _BREAK)
        finally:
            self._end()

    def _end(self) -> None:
        try:
            if self._display is not None:
                self._display.close()
        finally:
            self._ended.set()

    def _show(self, fleet: Fleet, *, is_over: bool) -> None:
        progress = self._progress(fleet, is_over=is_over)
        before, self._last = self._last, progress
        goes_on = progress.running or progress.waiting
        if not goes_on and untimed(progress) == untimed(before):
            return
        display = self._display
        try:
            if display is not None:
                display.show(progress)
        except Exception as error:  # noqa: BLE001  of the program, or of a stream that is closed
            fleet.callback_failed(error)
            if display is not None and not display.is_of_program:
                self._display = None
                with suppress(Exception):
                    display.close()

    def _progress(self, fleet: Fleet, *, is_over: bool) -> PoolProgress:
        counts = attrs.asdict(fleet.counts())
        # A job that waits to be carried on has no watch meanwhile: what was used stays used.
        counts["tokens"] = max(self._last.tokens, counts["tokens"] + fleet.running_tokens())
        progress = PoolProgress(
            **counts,
            expected=fleet.sources.left(),
            elapsed=time.monotonic() - self._began,
            paused_until=fleet.homes.paused_until(),
            is_over=is_over,
        )
        return attrs.evolve(progress, eta=self._estimate.eta(progress))


def reporter_of(fleet: Fleet, progress: bool | Callable[[PoolProgress], object] | None) -> Reporter | None:
    """Return what hands the progress on as the program wants it; ``None`` if it wants nothing."""
    if callable(progress):
        return Reporter(fleet, Callback(progress))
    return Reporter(fleet, _fitting()) if progress else None


def _fitting() -> Display:
    """Return what fits where the program runs. Without rich, that is lines everywhere."""
    stream: Any = sys.stderr
    is_notebook = _is_notebook()
    is_terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    if (is_notebook or is_terminal) and importlib.util.find_spec("rich") is not None:
        # Needs the extra `cli`.
        from openai_codex._jobs.drawn import Cell, Screen

        return Cell() if is_notebook else Screen()
    return Lines()


def _is_notebook() -> bool:
    """Return whether this is a kernel of Jupyter; only those that have imported IPython are."""
    get: Any = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return getattr(get() if get is not None else None, "kernel", None) is not None
