"""The watch over a run: takes samples, looks at the clients, finds what is overdue, and prints a line now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.soak import figures, processes
from tools.soak.verdict import Violation, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_codex import Health
    from tools.soak.ledger import Ledger
    from tools.soak.room import Room

# How often it looks, in seconds, and after how many looks it prints a line.
_EVERY, _LINE = 0.5, 20


class Watch:
    """Watches rooms; for one thread, which does nothing else."""

    def __init__(self, rooms: Sequence[Room], ledger: Ledger, most_in_flight: int) -> None:
        self.samples: list[figures.Sample] = []
        self._rooms = rooms
        self._ledger = ledger
        self._most_in_flight = most_in_flight
        self._begun = time.monotonic()
        self._looks = 0
        self._zombies: set[int] = set()

    def keep(self, done: Callable[[], bool], timeout: float, *, sampling: bool = False) -> bool:
        """Watch until ``done``; ``False`` if that is not so after ``timeout`` seconds, or if an operation hangs."""
        deadline = time.monotonic() + timeout
        while not done():
            time.sleep(_EVERY)
            if sampling:
                self.samples.append(figures.sample())
            self._look()
            if self._tell_overdue() or time.monotonic() > deadline:
                return False
        return True

    def line(self) -> str:
        """Say how it goes."""
        ledger, now = self._ledger, figures.sample()
        healths = [room.life.client.health() for room in self._rooms if room.is_open]
        runtimes = sum(health.rss or 0 for health in healths) / figures.MEGABYTE
        under_way = ledger.begun - ledger.ended
        return (
            f"{time.monotonic() - self._begun:6.0f} s {ledger.ended:7} operations, {under_way:2} under way"
            f" | {sum(room.kills for room in self._rooms):3} kills, {sum(room.clients for room in self._rooms):3} clients"
            f" | rss {now.rss:6.1f} MB, {now.fds:3.0f} fds, {now.threads:3.0f} threads | runtimes {runtimes:6.0f} MB"
            f" | {ledger.facts['violations']} violations"
        )

    def _look(self) -> None:
        self._looks += 1
        for life in [room.life for room in self._rooms if room.is_open]:
            health = life.client.health()
            try:
                _judge(health, life.kills, self._most_in_flight)
            except Violation as violation:
                self._ledger.violation(str(violation))
        if self._looks % _LINE == 0:
            self._look_for_zombies()
            print(self.line(), flush=True)

    def _look_for_zombies(self) -> None:
        zombies = processes.zombies()
        if zombies & self._zombies:
            self._ledger.violation(f"children that nobody has reaped for {_LINE * _EVERY:g} s: {zombies}")
        self._zombies = zombies

    def _tell_overdue(self) -> bool:
        overdue = self._ledger.overdue()
        for entry in overdue:
            self._ledger.violation(
                f"{entry.name}, {entry.who}: no end after {entry.age:.0f} s; it is here:\n{entry.where()}"
            )
        return bool(overdue)


def _judge(health: Health, kills: int, most_in_flight: int) -> None:
    """Raise `Violation` unless what a client says of itself can be."""
    counts = (health.requests_in_flight, health.requests_queued, health.requests_of_runtime, health.unread)
    expect(min(counts) >= 0, f"counts below 0: {health}")
    expect(health.requests_in_flight <= most_in_flight, f"more in flight than may be: {health}")
    expect(health.deepest <= health.unread, f"the deepest is deeper than all: {health}")
    expect(health.restarts == health.generation - 1, f"restarts and generations differ: {health}")
    expect(health.generation <= 1 + kills, f"a runtime was started anew though only {kills} were killed: {health}")
