"""A process that was started before its client is there: who ends it, and what the lock of the home does meanwhile."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import attrs
import pytest

from openai_codex import AppServerConfig, Codex, ConfigError, LaunchError
from openai_codex._engine.transport import ChildProcess, HomeLock, RuntimeStart
from openai_codex._sync.client._wait import early_start
from openai_codex.testing import FakeAppServer, QuietHome
from tests.support.bounds import nothing_left
from tests.support.children import ECHO


def started(config: AppServerConfig) -> RuntimeStart:
    start = RuntimeStart(config)
    start.begin()
    return start


def test_a_process_that_nobody_takes_is_ended_and_the_lock_released(codex_home: QuietHome) -> None:
    with nothing_left():
        start = started(codex_home.config())
        assert start.has_begun()
        assert not HomeLock(codex_home.config()).try_acquire()
        start.end()
        start.end()
    assert not start.has_begun()
    other = HomeLock(codex_home.config())
    assert other.try_acquire()
    other.release()


def test_a_process_that_was_handed_over_is_left_alone(codex_home: QuietHome) -> None:
    with nothing_left():
        start = started(codex_home.config())
        process = start.process()
        assert process is start.process()
        assert start.has_begun()
        start.hand_over()
        assert not start.has_begun()
        start.end()
        assert not process.has_exited()
        process.discard()


def test_no_process_is_started_while_another_one_starts_in_the_home(codex_home: QuietHome) -> None:
    holder = HomeLock(codex_home.config())
    assert holder.try_acquire()
    start = started(codex_home.config())
    assert not start.has_begun()
    holder.release()
    start.end()


def test_a_process_is_started_for_who_asks_for_it_if_there_is_none() -> None:
    start = RuntimeStart(AppServerConfig(launch_args_override=ECHO))
    assert start.process().process_info().command[0] == sys.executable
    start.end()


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # the test kit has threads
def test_a_fork_keeps_nothing_of_a_start(codex_home: QuietHome) -> None:
    before = open_files()
    start = early_start(codex_home.config())
    assert start is not None
    assert open_files() > before
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            kept = open_files() - before - open_files(reading)
            start.end()  # as the code does that a signal handler has interrupted to fork
            os.write(writing, " ".join(kept).encode() or b"nothing")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    said = os.read(reading, 4096)
    os.close(reading)
    os.close(writing)
    assert said == b"nothing"
    assert not start.process().has_exited()
    assert not HomeLock(codex_home.config()).try_acquire(), "the parent holds it"
    start.end()


def open_files(*descriptors: int) -> set[str]:
    """Return what these descriptors refer to, or all of this process."""
    found: set[str] = set()
    for descriptor in descriptors or [entry.name for entry in Path("/proc/self/fd").iterdir()]:
        with contextlib.suppress(OSError):  # the one that lists them
            found.add(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
    return found


def test_a_start_that_fails_keeps_no_lock(codex_home: QuietHome) -> None:
    config = attrs.evolve(codex_home.config(), codex_bin="/nowhere/codex")
    with pytest.raises(LaunchError, match="/nowhere/codex"):
        Codex(config)
    other = HomeLock(config)
    assert other.try_acquire()
    other.release()


def test_a_handler_that_is_refused_starts_no_process() -> None:
    with FakeAppServer() as server:
        with pytest.raises(ConfigError, match="on_approval"):
            Codex(server.config(), on_approval=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  wrong
        assert server.starts == 0


def test_the_lock_is_held_until_the_process_has_ended(codex_home: QuietHome, monkeypatch: pytest.MonkeyPatch) -> None:
    start, free = started(codex_home.config()), list[bool]()
    other = HomeLock(codex_home.config())
    discard = ChildProcess.discard

    def look(process: ChildProcess) -> None:
        free.append(other.try_acquire())
        discard(process)

    monkeypatch.setattr(ChildProcess, "discard", look)
    start.end()
    assert free == [False]
    assert other.try_acquire()
    other.release()


def test_the_process_boots_while_its_client_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr("openai_codex._sync.verbs.base._connection", lambda _, early: seen.append(early.has_begun()))
    with nothing_left(), pytest.raises(AttributeError):
        Codex(AppServerConfig(launch_args_override=ECHO))
    assert seen == [True]
