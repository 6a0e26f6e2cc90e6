"""A fork of a program with a client: a clear error there, no harm here."""

from __future__ import annotations

import os
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from openai_codex import AppServerConfig, Codex, TransportClosedError, TurnHandle
from openai_codex._engine import at_exit
from openai_codex._engine.waiting import Latch
from openai_codex.testing import ScriptedModel
from tests.support.inside import actor_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are a thing of POSIX"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),  # that is what is tested
]


def outcome_in_a_fork(work: Callable[[], object]) -> str:
    """Run ``work`` in a fork of this process and return what it wrote down."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = str(work())
        except BaseException:  # noqa: BLE001  told to the parent
            text = traceback.format_exc()
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return text


def error_of(work: Callable[[], object]) -> str:
    try:
        return f"no error, but {work()}"
    except TransportClosedError as error:
        return error.reason


def test_a_client_is_of_no_use_in_a_fork(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)

        def try_everything() -> str:
            reasons = {error_of(codex.models), error_of(lambda: thread.run("Hi")), error_of(codex.events)}
            codex.close()
            codex.health()
            return " | ".join(reasons)

        said = outcome_in_a_fork(try_everything)
        assert said == "it belongs to the process that this one was forked from"
        assert thread.run("Hi").final_response == "ok"


def test_a_turn_that_is_under_way_ends_in_a_fork_alone(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("two words", gate=gate, hold_after=1)
    with Codex(codex_config) as codex:
        turn: TurnHandle = codex.thread_start(ephemeral=True).turn("Hi")
        gate.wait_reached()
        assert (
            outcome_in_a_fork(lambda: error_of(turn.run)) == "it belongs to the process that this one was forked from"
        )
        gate.open()
        assert turn.run().final_response == "two words"


def test_the_end_of_a_fork_leaves_the_runtime_alone(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:

        def end() -> str:
            actor_of(codex).let_go()  # what the garbage collector does
            at_exit._stop_all()  # noqa: SLF001 what the end of the interpreter does
            return "ended"

        assert outcome_in_a_fork(end) == "ended"
        assert len(codex.models().data) > 0


def test_a_fork_does_not_hold_the_runtime_open(codex_config: AppServerConfig) -> None:
    codex = Codex(codex_config)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)  # lives until the parent says so
        os._exit(0)
    try:
        transport = actor_of(codex).transport
        codex.close()
        assert transport.process_info().exit_code == 0, "it ended by itself, when its input did"
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(pid, 0)


def test_a_supervised_client_starts_nothing_in_a_fork(codex_config: AppServerConfig) -> None:
    with Codex(attrs.evolve(codex_config, restart=True)) as codex:
        said = outcome_in_a_fork(lambda: error_of(codex.models))
        assert said == "it belongs to the process that this one was forked from"
        assert codex.health().generation == 1


class GrowsMeanwhile(weakref.WeakSet[Any]):
    """Connections, to which another thread adds one while they are looked at."""

    def __init__(self, connections: list[Any]) -> None:
        super().__init__(connections)
        self._interruptions = [RuntimeError("Set changed size during iteration")]

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        if self._interruptions:
            raise self._interruptions.pop()


class Recorded:
    """A connection that notes what is done to it."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.exited = Latch()

    def stop(self, _timeout: float) -> Iterator[float]:
        self.steps.append("stopped")
        self.exited.set()
        yield 0.0

    def after_fork(self) -> None:
        self.steps.append("given up")


def test_a_client_that_starts_at_the_end_of_the_program_keeps_no_runtime_from_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = Recorded()
    monkeypatch.setattr(at_exit, "_live", GrowsMeanwhile([connection]))
    at_exit._stop_all()  # noqa: SLF001  what the interpreter calls
    assert connection.steps == ["stopped"]
