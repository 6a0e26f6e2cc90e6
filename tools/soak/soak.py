"""A run from its start to its report: the crews work, rest and end, and then stock is taken of what is left."""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING

from openai_codex import Restart
from tools.soak import figures, processes, table
from tools.soak.crew import Crew
from tools.soak.faces import AsyncFace, SyncFace
from tools.soak.watch import Watch
from tools.soak.worker import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex.testing import QuietHome
    from tools.soak.ledger import Ledger
    from tools.soak.model import Model

_SIZES = ((AsyncFace(), 6), (SyncFace(), 4))
"""How many workers each face has."""

_MOST_IN_FLIGHT = 16

# How long something may take that must be so in a moment, in seconds, and how often to look for it.
_MOMENT, _POLL = 10.0, 0.02


class Soak:
    """One run."""

    def __init__(self, home: QuietHome, model: Model, seed: int, ledger: Ledger) -> None:
        config = home.config(
            # Kills come one after another here: no number of them shall be the last, and nobody shall wait long.
            restart=Restart(limit=1_000_000, initial_delay=0.02, max_delay=0.1),
            handler_timeout=4.0,
            max_in_flight=_MOST_IN_FLIGHT,
        )
        self._home = home
        self._model = model
        self._ledger = ledger
        self._crews = [Crew(face, config, size, seed, ledger) for face, size in _SIZES]
        self._watch = Watch([crew.room for crew in self._crews], ledger, _MOST_IN_FLIGHT)

    def run(self, seconds: float) -> str:
        """Work for so many seconds, and return the report."""
        before = figures.sample()
        threads = [threading.Thread(target=crew.run, daemon=True) for crew in self._crews]
        for thread in threads:
            thread.start()
        if self._work(seconds):
            for thread in threads:
                thread.join(_MOMENT)
            self._take_stock(before)
        else:
            self._ledger.violation("not all came to an end")
        processes.kill(self._home.path)  # none is left if all went well
        print(self._watch.line(), flush=True)
        return table.report(self._ledger, self._trends(), self._facts())

    def _work(self, seconds: float) -> bool:
        """Let the crews work, rest and end; return whether they did."""
        until = time.monotonic() + seconds
        goes_on = self._watch.keep(lambda: time.monotonic() > until, 2 * seconds, sampling=True)
        for crew in self._crews:
            crew.stopped = True
        if not goes_on or not self._watch.keep(lambda: all(crew.rests for crew in self._crews), 2 * DEADLINE):
            return False
        self._expect(lambda: self._model.counts()["active"] == 0, "a model that nobody waits for")
        for crew in self._crews:
            crew.dismissed = True
        return self._watch.keep(lambda: all(crew.ended for crew in self._crews), DEADLINE)

    def _take_stock(self, before: figures.Sample) -> None:
        """See that nothing is left, but for the model."""
        self._expect(lambda: not _codex_threads(), "no thread of the package", _codex_threads)
        self._expect(lambda: not processes.marked(self._home.path), "no process of a runtime")
        self._expect(lambda: processes.children() == [self._model.pid], "no child but the model", processes.children)
        gc.collect()
        after = figures.sample()
        for name in ("fds", "threads"):
            if getattr(after, name) > getattr(before, name):
                self._ledger.violation(
                    f"{name}: {getattr(before, name)} before, {getattr(after, name)} after all of it"
                )
        asked, status = self._model.counts()["asked"], self._model.close()
        self._ledger.facts["turns asked of the model"] = asked
        if status:
            self._ledger.violation("the model was asked what it could not answer")

    def _expect(self, holds: Callable[[], bool], what: str, found: Callable[[], object] = str) -> None:
        give_up = time.monotonic() + _MOMENT
        while not holds():
            if time.monotonic() > give_up:
                self._ledger.violation(f"expected after {_MOMENT:g} s: {what}; found {found()}")
                return
            time.sleep(_POLL)

    def _trends(self) -> list[figures.Trend]:
        trends = figures.trends(self._watch.samples)
        for trend in trends:
            if not trend.is_flat:
                self._ledger.violation(f"{trend.name} grows: {trend.early:.1f}, later {trend.late:.1f}")
        return trends

    def _facts(self) -> list[tuple[str, object]]:
        rooms = [crew.room for crew in self._crews]
        return [
            ("clients that workers shared", sum(room.clients for room in rooms)),
            ("kills of their runtimes", sum(room.kills for room in rooms)),
            *sorted(self._ledger.facts.items()),
        ]


def _codex_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("codex-")]
