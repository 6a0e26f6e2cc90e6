"""When a silent runtime is asked for a sign of life, and when it counts as frozen."""

from __future__ import annotations

import threading

from openai_codex._engine.actor import Actor
from openai_codex._engine.reader import Silence
from openai_codex._engine.waiting import block_until_ready
from openai_codex._engine.wire import PING
from tests.support.bounds import PATIENCE, eventually
from tests.support.pipe import Pipe


def armed(interval: float | None, timeout: float) -> Silence:
    silence = Silence(interval, timeout)
    silence.armed = True
    return silence


def test_it_is_asked_once_after_the_interval_and_frozen_after_the_timeout() -> None:
    silence = armed(30, 60)
    steps = [silence.add_step() for _ in range(90)]
    assert [number for number, (ask, _) in enumerate(steps, 1) if ask] == [30]
    assert [number for number, (_, frozen) in enumerate(steps, 1) if frozen] == [90]
    assert silence.seconds == 90


def test_anything_that_arrives_starts_the_measurement_anew() -> None:
    silence = armed(3, 3)
    for _ in range(100):
        assert [silence.add_step() for _ in range(5)][2] == (True, False)
        assert silence.is_suspicious
        silence.end()
        assert not silence.is_suspicious


def test_steps_are_no_longer_than_what_they_measure() -> None:
    assert Silence(30, 60).step == 1
    assert Silence(0.2, 60).step == 0.2
    assert Silence(30, 0.1).step == 0.1


def test_nothing_counts_before_the_handshake() -> None:
    silence = Silence(1, 1)
    assert [silence.add_step() for _ in range(100)] == [(False, False)] * 100
    assert silence.seconds == 0


def test_an_hour_in_which_this_program_was_stopped_is_one_step() -> None:
    """The reader adds a step per read that has timed out, however long ago it began."""
    silence = armed(2, 2)
    assert silence.add_step() == (False, False)
    assert silence.seconds == 1


class Watched(Pipe):
    """Notes which thread writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writers: list[str] = []

    def try_write(self, data: bytes | memoryview) -> int:
        self.writers.append(threading.current_thread().name)
        return super().try_write(data)

    def write_short(self, data: bytes) -> int | None:
        self.writers.append(threading.current_thread().name)
        return super().write_short(data)


def test_the_writer_asks_and_not_the_reader_that_finds_the_silence() -> None:
    pipe, silence = Watched(), armed(0.01, PATIENCE)
    actor = Actor(pipe, lambda _: None, max_in_flight=4, silence=silence)
    actor.start()
    assert eventually(lambda: pipe.written)
    pipe.feed(b"")
    assert block_until_ready(actor.exited, PATIENCE)
    assert block_until_ready(actor.threads.ended, PATIENCE)
    assert pipe.written == [PING]
    assert pipe.writers == ["codex-writer-fuzz"]
