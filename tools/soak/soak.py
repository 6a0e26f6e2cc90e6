"""A run from its start to its report: the workers work, become idle and close; then what is left is checked.

The monitor samples resources during the run, checks the clients, finds operations that hang, and prints a line now and
then.
"""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING

from openai_codex import Restart
from tools.soak import resources
from tools.soak.faces import AsyncFace, SyncFace
from tools.soak.foreign import foreign_code
from tools.soak.journal import report
from tools.soak.prompts import Violation, expect
from tools.soak.worker import DEADLINE
from tools.soak.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_codex import Health
    from openai_codex.testing import QuietHome
    from tools.soak.journal import Journal
    from tools.soak.model import Model
    from tools.soak.shared_client import SharedClient

_SIZES = ((AsyncFace(), 6), (SyncFace(), 4))
"""The number of workers of each face."""

_MOST_IN_FLIGHT = 16

# How long a state that is normally reached at once may take, and how often it is checked, in seconds.
_TIMEOUT, _POLL = 10.0, 0.02

# How often the monitor checks, in seconds, and after how many checks it prints a line.
_INTERVAL, _CHECKS_PER_LINE = 0.5, 20


class Soak:
    """One run."""

    def __init__(self, home: QuietHome, model: Model, seed: int, journal: Journal) -> None:
        config = home.config(
            # Kills follow each other closely here: no number of them may be final, and no worker shall wait long.
            restart=Restart(limit=1_000_000, initial_delay=0.02, max_delay=0.1, max_threads=40, drain_timeout=2.0),
            handler_timeout=4.0,
            max_in_flight=_MOST_IN_FLIGHT,
            # Soon, but not so soon that a runtime on a busy machine counts as frozen.
            ping_interval=2.0,
            ping_timeout=10.0,
        )
        self._home = home
        self._model = model
        self._journal = journal
        self._groups = [Workers(face, config, size, seed, journal) for face, size in _SIZES]
        self._monitor = Monitor([group.shared for group in self._groups], journal)

    def run(self, seconds: float) -> str:
        """Work for so many seconds, and return the report."""
        before = resources.sample()
        threads = [threading.Thread(target=group.run, daemon=True) for group in self._groups]
        for thread in threads:
            thread.start()
        with foreign_code(lambda: [each.current.client for each in self._monitor.open_clients()], self._journal):
            ended = self._work(seconds)
        if ended:
            for thread in threads:
                thread.join(_TIMEOUT)
            self._expect_nothing_left(before)
        else:
            self._journal.violation("not all operations have ended")
        resources.kill_runtime_processes(self._home.path)  # there are some only after a violation
        print(self._monitor.line(), flush=True)
        return report(self._journal, self._trends(), self._counts())

    def _work(self, seconds: float) -> bool:
        """Let the workers work, become idle and close; return whether they did."""
        until = time.monotonic() + seconds
        in_time = self._monitor.watch(lambda: time.monotonic() > until, seconds + DEADLINE, sampling=True)
        for group in self._groups:
            group.stopped = True
        if not in_time or not self._monitor.watch(lambda: all(group.idle for group in self._groups), 2 * DEADLINE):
            return False
        self._expect(lambda: self._model.counts()["active"] == 0, "no model request in progress")
        for group in self._groups:
            group.may_close = True
        return self._monitor.watch(lambda: all(group.ended for group in self._groups), DEADLINE)

    def _expect_nothing_left(self, before: resources.Sample) -> None:
        """Check that nothing is left except for the model."""
        home, model = self._home.path, self._model
        self._expect(lambda: not _codex_threads(), "no thread of the package", _codex_threads)
        self._expect(lambda: not resources.runtime_processes(home), "no process of a runtime")
        self._expect(lambda: resources.children() == [model.pid], "no child except the model", resources.children)
        gc.collect()
        after = resources.sample()
        for name in ("fds", "threads"):
            if getattr(after, name) > getattr(before, name):
                self._journal.violation(
                    f"expected {getattr(before, name)} {name} at the end, got {getattr(after, name)}"
                )
        requests, status = model.counts()["requests"], model.close()
        self._journal.counts["requests to the model"] = requests
        if status:
            self._journal.violation("the model could not answer a request")

    def _expect(self, holds: Callable[[], bool], what: str, found: Callable[[], object] = str) -> None:
        deadline = time.monotonic() + _TIMEOUT
        while not holds():
            if time.monotonic() > deadline:
                self._journal.violation(f"expected {what} within {_TIMEOUT:g} s, got {found()}")
                return
            time.sleep(_POLL)

    def _trends(self) -> list[resources.Trend]:
        trends = resources.trends(self._monitor.samples)
        for trend in trends:
            if not trend.is_flat:
                self._journal.violation(f"{trend.name} grows from {trend.early:.1f} to {trend.late:.1f}")
        return trends

    def _counts(self) -> list[tuple[str, object]]:
        shared = [group.shared for group in self._groups]
        return [
            ("clients shared by workers", sum(each.clients for each in shared)),
            ("kills of their runtimes", sum(each.kills for each in shared)),
            *sorted(self._journal.counts.items()),
        ]


def _codex_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("codex-")]


class Monitor:
    """Observes the clients of a run, from one thread that does nothing else."""

    def __init__(self, shared: Sequence[SharedClient], journal: Journal) -> None:
        self.samples: list[resources.Sample] = []
        self._shared = shared
        self._journal = journal
        self._begun = time.monotonic()
        self._checks = 0
        self._zombies: set[int] = set()

    def watch(self, done: Callable[[], bool], timeout: float, *, sampling: bool = False) -> bool:
        """Observe until ``done``; ``False`` after ``timeout`` seconds, or if an operation hangs."""
        deadline = time.monotonic() + timeout
        while not done():
            time.sleep(_INTERVAL)
            if sampling:
                self.samples.append(resources.sample())
            self._check()
            if self._report_overdue() or time.monotonic() > deadline:
                return False
        return True

    def open_clients(self) -> list[SharedClient]:
        """Return the shared clients that are open."""
        return [each for each in self._shared if each.is_open]

    def line(self) -> str:
        """Return the progress on one line."""
        journal, now = self._journal, resources.sample()
        healths = [each.current.client.health() for each in self._shared if each.is_open]
        runtimes = sum(health.rss or 0 for health in healths) / resources.MEGABYTE
        kills, clients = sum(each.kills for each in self._shared), sum(each.clients for each in self._shared)
        return (
            f"{time.monotonic() - self._begun:6.0f} s {journal.ended:7} operations,"
            f" {journal.begun - journal.ended:2} in progress | {kills:3} kills, {clients:3} clients"
            f" | rss {now.rss:6.1f} MB, {now.fds:3.0f} fds, {now.threads:3.0f} threads | runtimes {runtimes:6.0f} MB"
            f" | {journal.counts['violations']} violations"
        )

    def _check(self) -> None:
        self._checks += 1
        for tracked in [each.current for each in self._shared if each.is_open]:
            health = tracked.client.health()
            try:
                _check_health(health, tracked.kills)
            except Violation as violation:
                self._journal.violation(str(violation))
        if self._checks % _CHECKS_PER_LINE == 0:
            self._check_zombies()
            print(self.line(), flush=True)

    def _check_zombies(self) -> None:
        zombies = resources.zombies()
        if zombies & self._zombies:
            self._journal.violation(f"children not reaped for {_CHECKS_PER_LINE * _INTERVAL:g} s: {zombies}")
        self._zombies = zombies

    def _report_overdue(self) -> bool:
        overdue = self._journal.overdue()
        for entry in overdue:
            self._journal.violation(
                f"{entry.name}, {entry.worker}: not ended after {entry.age:.0f} s; it is here:\n{entry.where()}"
            )
        return bool(overdue)


def _check_health(health: Health, kills: int) -> None:
    """Raise `Violation` unless the values of `Health` are possible."""
    counts = (health.requests_in_flight, health.requests_queued, health.requests_of_runtime, health.unread)
    expect(min(counts) >= 0, f"expected no count below 0, got {health}")
    expect(health.requests_in_flight <= _MOST_IN_FLIGHT, f"expected at most {_MOST_IN_FLIGHT} in flight, got {health}")
    expect(health.deepest <= health.unread, f"expected no mailbox above the total of unread events, got {health}")
    replaced = health.restarts + health.recycled
    expect(replaced == health.generation - 1, f"expected one replacement per further generation, got {health}")
    expect(health.restarts <= kills, f"expected at most {kills} restarts after {kills} kills, got {health}")
