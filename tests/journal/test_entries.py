"""What waits to be written is bounded, whatever it is, and every loss is counted."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from openai_codex._journal import entries
from openai_codex._journal.entries import EntryQueue, size_of

KIB = 1 << 10
UNITS = 100


@pytest.fixture(autouse=True)
def few_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_MOST_UNITS", UNITS)


def test_bytes_are_bounded_until_they_are_written() -> None:
    queue: EntryQueue[Any] = EntryQueue()
    for number in range(300):
        queue.put_unless_full((number,), KIB)
    assert queue.is_full()
    found = queue.take([])
    assert [each[0] for each in found] == list(range(UNITS + 1))
    assert queue.is_full(), "they are being written, and take as much as before"
    queue.forget()
    assert not queue.is_full()
    assert queue.lost() == 300 - len(found)
    assert queue.lost() == 0


def test_an_entry_that_was_not_put_after_all_is_forgotten() -> None:
    """An exception of a signal handler may come between the two steps."""
    queue: EntryQueue[Any] = EntryQueue()
    queue._units.extend([None] * (UNITS + 1))  # noqa: SLF001  the first step alone
    assert queue.is_full()
    assert queue.take([]) == []
    queue.forget()
    assert not queue.is_full()


def test_losses_of_several_threads_are_all_counted() -> None:
    queue: EntryQueue[Any] = EntryQueue()
    queue.is_closed = True
    found: list[int] = []

    def lose() -> None:
        for number in range(2_000):
            queue.put_unless_full((number,), 0)
            queue.lose(3)

    threads = [threading.Thread(target=lose) for _ in range(4)]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        found.append(queue.lost())
    found.append(queue.lost())
    assert sum(found) == 4 * 2_000 * 4


def test_a_wait_ends_without_an_entry() -> None:
    queue: EntryQueue[Any] = EntryQueue()
    assert queue.wait(0.0) == []
    queue.wake()
    assert queue.wait(None) == []
    queue.put((2,), 0)
    queue.put((1,), 0)
    assert queue.take(queue.wait(None)) == [(1,), (2,)]


@pytest.mark.parametrize(
    "value",
    ["x" * 9_000, b"x" * 9_000, ["x" * 3_000] * 3, {"a": ("x" * 9_000,)}, ValueError("x" * 9_000)],
    ids=lambda value: type(value).__name__,
)
def test_what_an_event_holds_has_a_size(value: object) -> None:
    assert 9_000 <= size_of({"event": value}) < 10_000
    assert size_of({"event": 3, "flag": None}) < KIB
