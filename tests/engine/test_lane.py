"""One caller at a time writes; the writer withdraws the line of a caller that is suspended, and never waits for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openai_codex._engine.lane import Lane, Ticket


def never(line: bytes) -> int:
    pytest.fail(f"{line!r} is not to be written")


def test_a_line_is_written_once() -> None:
    written: list[bytes] = []

    def write(line: bytes) -> int:
        written.append(line)
        return len(line)

    ticket = Ticket(b"line")
    assert ticket.write(write)
    assert not ticket.write(write)
    assert not ticket.withdraw()
    assert ticket.take() is None
    assert written == [b"line"]


def test_a_withdrawn_line_is_not_written() -> None:
    ticket = Ticket(b"line")
    assert ticket.withdraw()
    assert not ticket.write(never)
    assert ticket.withdraw(), "it was not written, however often that is asked"


def test_a_line_is_withdrawn_as_often_as_one_likes() -> None:
    ticket = Ticket(b"line")
    assert [ticket.withdraw() for _ in range(3)] == [True] * 3
    assert ticket.take() is None
    taken = Ticket(b"line")
    assert taken.take() == b"line"
    assert [taken.withdraw() for _ in range(3)] == [False] * 3, "the writer has it"


def test_a_line_that_a_full_pipe_did_not_take_was_not_written() -> None:
    lane, ticket = Lane(), Ticket(b"line")
    assert not lane.write(ticket, lambda _: None)
    assert ticket.withdraw()
    assert lane.write(Ticket(b"next"), len), "the lane is free again"


def test_a_write_that_fails_leaves_the_lane_free() -> None:
    def fail(_: bytes) -> int:
        raise BrokenPipeError

    lane = Lane()
    with pytest.raises(BrokenPipeError):
        lane.write(Ticket(b"line"), fail)
    assert lane.write(Ticket(b"next"), len)


def test_a_caller_within_a_caller_stays_out() -> None:
    """A signal handler or a finalizer interrupts a caller that is in the lane."""
    lane, inner = Lane(), list[bool]()

    def write(line: bytes) -> int:
        inner.append(lane.write(Ticket(b"inner"), never))
        return len(line)

    assert lane.write(Ticket(b"outer"), write)
    assert inner == [False]


def test_a_closed_lane_takes_nobody_until_it_is_opened() -> None:
    lane = Lane()
    lane.close()
    lane.close()
    assert not lane.write(Ticket(b"line"), never)
    lane.open()
    assert lane.write(Ticket(b"line"), len)


def test_the_writer_withdraws_the_line_of_a_suspended_caller() -> None:
    """The caller is in the lane and has not begun to write when the writer closes it."""

    class Suspended(Ticket):
        def write(self, write: Callable[[bytes], int | None]) -> bool:
            lane.close()
            assert self.take() is None, "the writer has withdrawn it, and may write now"
            return super().write(write)

    lane = Lane()
    assert not lane.write(Suspended(b"line"), never)
    lane.open()
    assert lane.write(Ticket(b"next"), len)


def test_a_caller_that_finds_the_lane_replaced_does_not_write() -> None:
    lane = Lane()

    class Table(dict[int, Ticket]):
        def setdefault(self, key: int, default: Ticket) -> Ticket:  # type: ignore[override]
            lane.close()  # between the look at the table and the entry
            return super().setdefault(key, default)

    setattr(lane, "_inside", Table())  # noqa: B010  the instant cannot be chosen otherwise
    assert not lane.write(Ticket(b"line"), never)
