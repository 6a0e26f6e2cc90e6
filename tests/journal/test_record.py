"""The journal and its faults: a killed program, a full disk, a flood, several processes, a fork."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import AppServerConfig, Codex, ConfigError, Journal, TransportClosedError
from openai_codex._engine.waiting import Deadline, block_until_ready
from openai_codex._journal import entries, files, record
from openai_codex._journal.read import Envelope, headers, read
from openai_codex._journal.record import JournalWriter
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import actor_of
from tests.support.journals import header_of
from tests.support.programs import end_of, running

DELTA = "item/agentMessage/delta"


def texts(path: Path) -> list[str]:
    return [each.frame["params"]["delta"] for each in read(path) if each.method == DELTA]


def test_a_killed_program_leaves_a_readable_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with FakeAppServer() as server:
        program = f"""
            config.journal = {str(path)!r}
            with Codex(config) as codex:
                turn = codex.thread_start().turn("go")
                print("started", flush=True)
                turn.run()
        """
        with running(program, server.config()) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            number = 0
            while not (path.exists() and path.read_bytes().count(b"\n") > 500):
                for _ in range(50):
                    server.turn.delta(f"word {number}")
                    number += 1
                threading.Event().wait(0.01)  # not so many that a thread which gets no time for a while drops them
            process.kill()
            process.wait(PATIENCE)
        lines = path.read_bytes().split(b"\n")
        assert [line for line in lines[:-1] if not isinstance(json.loads(line), dict)] == []
        envelopes = list(read(path))
        assert [each.event for each in envelopes if each.dir == "!"] == ["process_started", "runtime_ready"]
        assert "turn/start" in [each.method for each in envelopes]
        # In other pieces: the end of one may be the beginning of a secret that the environment has.
        found = "".join(texts(path))
        assert "".join(f"word {index}" for index in range(number)).startswith(found)
        assert len(found) > 500
        # The runtime of this test is alive for as long as its server.


def test_a_program_that_exits_without_closing_leaves_a_whole_journal(
    codex_config: AppServerConfig, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    with running(f"config.journal = {str(path)!r}; codex = Codex(config); codex.models()", codex_config) as process:
        assert end_of(process, PATIENCE).code == 0
    envelopes = list(read(path))
    assert "model/list" in [each.method for each in envelopes]
    assert envelopes[-1].event == "process_exited"


@pytest.mark.parametrize("where", ["directory", "run.jsonl"])
def test_two_processes_share_a_directory_or_a_file(codex_config: AppServerConfig, tmp_path: Path, where: str) -> None:
    (tmp_path / "directory").mkdir()
    path = tmp_path / where
    program = f"""
        config.journal = {str(path)!r}
        with Codex(config) as codex:
            sys.stdin.read()
            for _ in range(20):
                codex.models()
    """
    with running(program, codex_config) as first, running(program, codex_config) as second:
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        ended = [end_of(process, PATIENCE) for process in (first, second)]
        assert [each.code for each in ended] == [0, 0], ended
    assert len({header.pid for header in headers(path)}) == 2
    by_client: dict[str, list[Envelope]] = {}
    for each in read(path):
        assert each.header is not None
        if each.gen:
            by_client.setdefault(each.header.client, []).append(each)
    assert len(by_client) == 2
    for envelopes in by_client.values():
        asked = [each.frame["id"] for each in envelopes if each.method == "model/list" and each.dir == ">"]
        assert len(asked) == 20
        answered = [each.frame["id"] for each in envelopes if each.dir == "<" and "result" in each.frame]
        assert [number for number in answered if number in asked] == asked
        assert envelopes[-1].event == "process_exited"


def test_files_are_bounded_and_the_newest_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with FakeAppServer() as server:
        config = server.config(journal=Journal(path, max_bytes=1 << 16, files=2))
        with Codex(config) as codex:
            turn = codex.thread_start().turn("go")
            for number in range(1_000):
                server.turn.delta(f"{number} {'x' * 400}")
            server.turn.complete()
            turn.run(timeout=PATIENCE)
    parts = files.parts_of(path)
    assert len(parts) == 2
    assert min(parts) > 0
    found = [int(text.split()[0]) for text in texts(path)]
    assert found == list(range(found[0], 1_000))
    assert [header.part for header in headers(path)] == list(parts)
    assert [each.event for each in read(path)][-1] == "client_closed"
    # The next program goes on with the last file.
    with FakeAppServer() as server, Codex(server.config(journal=path)):
        pass
    assert set(files.parts_of(path)) == set(parts)


def test_a_full_disk_is_one_warning_and_what_is_missing_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.jsonl"
    refused: list[int] = []
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if b'{"journal"' in data[:20] or b"client_closed" in data or len(refused) >= 3:
            return write(descriptor, data)
        refused.append(sum(b'"frame":' in line and b"journal_dropped" not in line for line in data.splitlines()))
        if len(refused) == 2:
            write(descriptor, data[:10])  # the disk gets full within a line
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with FakeAppServer() as server, caplog.at_level(logging.WARNING, "openai_codex"):
        monkeypatch.setattr(files.os, "write", full)
        with Codex(server.config(journal=path)) as codex:
            while len(refused) < 3:
                codex.thread_start()
            codex.thread_start()
        monkeypatch.undo()
    failed = [vars(each)["codex"] for each in caplog.records if "journal" in each.getMessage()]
    assert [(each["event"], each["reason"]) for each in failed] == [("codex.journal_failed", os.strerror(errno.ENOSPC))]
    dropped = [each.frame["count"] for each in read(path) if each.event == "journal_dropped"]
    assert dropped == [sum(refused)]
    assert [each.event for each in read(path)][-1] in {"client_closed", "journal_dropped"}


def test_more_than_the_queue_holds_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.jsonl"
    log = caplog.at_level(logging.WARNING, "openai_codex")
    with FakeAppServer() as server, log, Codex(server.config(journal=path)) as codex:
        monkeypatch.setattr(entries, "_MOST_ENTRIES", -1)
        codex.thread_start()
        monkeypatch.undo()
        codex.thread_start()
    assert sum(each.frame["count"] for each in read(path) if each.event == "journal_dropped") == 2
    assert sum(vars(each)["codex"]["count"] for each in caplog.records) == 2
    assert len([each for each in read(path) if each.method == "thread/start"]) == 1


def test_clients_whose_runtimes_have_equal_numbers_share_a_file(tmp_path: Path) -> None:
    """As those of two containers that have one volume."""
    path = tmp_path / "run.jsonl"
    writers = [JournalWriter(Journal(path)) for _ in range(2)]
    for writer in writers:
        writer.open()
    runtimes = [writer.track(1, 7) for writer in writers]
    for runtime in runtimes:
        runtime.note("process_started")
    for number in range(20):
        for writer, runtime in zip(writers, runtimes, strict=True):
            runtime.sent(0.0, b'{"id":%d,"method":"of/%s"}' % (number, writer.client.encode()))
    for writer, runtime in zip(writers, runtimes, strict=True):
        writer.note("client_closed", by=writer.client)
        runtime.note("process_exited")
        writer.end()
        assert block_until_ready(writer.exited, PATIENCE)
    found = [(each.header and each.header.client, each.method) for each in read(path) if each.method]
    assert sorted(map(str, found)) == sorted(
        str((each.client, f"of/{each.client}")) for each in writers for _ in range(20)
    )
    closed = [each for each in read(path) if each.event == "client_closed"]
    assert [each.header and each.header.client for each in closed] == [each.frame["by"] for each in closed]
    assert {each.raw["client"] for each in read(path)} == {each.client for each in writers}


# What no text of deltas is found in.
FRAMES: list[Any] = [None]


def written_by(writer: JournalWriter, path: Path) -> tuple[list[str], int]:
    """End a journal. Returns the events in it, without losses, and how many lines it says are missing."""
    writer.open()
    writer.end()
    assert block_until_ready(writer.exited, PATIENCE)
    found = [each for each in read(path) if each.dir == "!"]
    lost = [each.frame["count"] for each in found if each.event == "journal_dropped"]
    return [str(each.event) for each in found if each.event != "journal_dropped"], sum(lost)


@pytest.mark.parametrize("direction", ["<", ">", "!"])
def test_bytes_are_counted_in_all_directions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direction: str) -> None:
    """The thread of the journal is held up: what waits for it is bounded, and what is lost is written."""
    monkeypatch.setattr(entries, "_MOST_UNITS", 100)
    writer = JournalWriter(Journal(tmp_path / "run.jsonl"))
    runtime = writer.track(1, 7)
    line = b'{"method":"m","params":{"text":"%s"}}' % (b"x" * 10_000)
    put = {
        "<": lambda: runtime.received(len(line), [line], FRAMES),
        ">": lambda: runtime.sent(0.0, line),
        "!": lambda: runtime.note("odd", reason="x" * 10_000),
    }
    for _ in range(50):
        put[direction]()
    _, lost = written_by(writer, tmp_path / "run.jsonl")
    kept = [each for each in read(tmp_path / "run.jsonl") if each.event != "journal_dropped"]
    assert len(kept) < 20
    assert len(kept) + lost == 50


def test_losses_of_all_runtimes_are_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a runtime is the newest one or not, and whether the line that says it fills a write or not."""
    monkeypatch.setattr(record, "_WRITE", 0)
    writer = JournalWriter(Journal(tmp_path / "run.jsonl"))
    monkeypatch.setattr(entries, "_MOST_ENTRIES", -1)
    for generation in (1, 2, 3, 4):
        runtime = writer.track(generation, generation)
        runtime.received(10, [b"{}", b"{}"], FRAMES)
        runtime.sent(0.0, b"{}")
        runtime.note("odd")
    monkeypatch.undo()
    writer.note("first")
    assert written_by(writer, tmp_path / "run.jsonl") == (["first"], 16)


def test_the_end_has_one_deadline_however_often_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "_EXITS", 0.2)
    writer = JournalWriter(Journal(tmp_path / "run.jsonl"))
    writer.open()
    writer.track(1, 7).note("process_started")
    deadline = Deadline(PATIENCE)
    while not block_until_ready(writer.exited, 0.01):
        writer.end()
        assert not deadline.passed(), "each call has put it off"


def test_a_line_that_is_no_frame_is_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with FakeAppServer() as server:
        with Codex(server.config(journal=path)) as codex:
            server.child.write(b"warning: tokens=0123456789abcdef0123\xff\n[1]\n\n  \n")
            server.child.write(b'{"method":"deep","params":' + b"[" * 900 + b"]" * 900 + b"}\n")
            server.child.write(b"[" * 600 + b"]" * 600 + b"\n")
            actor_of(codex).recent.note("odd", text="\ud800", more="[" * 600 + "]" * 600)
            codex.thread_start()
        for line in path.read_bytes().splitlines():
            json.loads(line)
    bad = [each.raw for each in read(path) if each.raw["frame"] is None]
    assert [each.get("line") for each in bad][:2] == ["warning: tokens=0123456789abcdef0123\ufffd", "[1]"]
    assert bad[0]["reason"].startswith("not JSON")
    assert "thread/start" in [each.method for each in read(path)], "what came later is there, too"
    assert [each.event for each in read(path)][-1] == "client_closed"


def test_what_another_client_has_deleted_is_not_written_to(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl", max_bytes=1 << 16, files=1)
    slow, fast = [files.Files(journal, name, header_of(name)) for name in ("slow", "fast")]
    slow.open()
    fast.open()
    for _ in range(3):
        fast.write(b"x" * 60_000 + b"\n")
    slow.write(b"the line\n")
    slow.close()
    fast.close()
    assert b"the line" in b"".join(part.read_bytes() for part in files.parts_of(tmp_path / "run.jsonl").values())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are a thing of POSIX")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # that is what is tested
def test_a_fork_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with FakeAppServer() as server, Codex(server.config(journal=path)) as codex:
        codex.thread_start()
        pid = os.fork()
        if pid == 0:
            try:
                with pytest.raises(TransportClosedError, match="forked"):
                    codex.thread_start()
                codex.close()
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        codex.thread_start()
    envelopes = list(read(path))
    assert len([each for each in envelopes if each.method == "thread/start"]) == 2
    assert [each.event for each in envelopes].count("client_closed") == 1
    assert len(list(headers(path))) == 1


def test_a_client_that_is_dropped_ends_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with FakeAppServer() as server:
        codex = Codex(server.config(journal=path))
        codex.thread_start()
        threads = actor_of(codex).threads
        del codex
        gc.collect()
        assert eventually(threads.ended.is_ready)
        assert eventually(lambda: [each.event for each in read(path)][-1] == "process_exited")


def test_a_program_without_a_journal_loads_none_of_it() -> None:
    with FakeAppServer() as server:
        program = f"""if True:
            import sys
            from openai_codex import AppServerConfig, Codex
            with Codex(AppServerConfig(launch_args_override={server.config().launch_args_override!r})) as codex:
                codex.thread_start()
            print([name for name in sys.modules if name.startswith("openai_codex._journal.")])
        """
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=PATIENCE)
    assert ended.stdout == b"[]\n"


def test_a_path_below_a_file_is_refused(codex_config: AppServerConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "run.jsonl", f"{tmp_path / 'file'}{os.sep}"):
        with pytest.raises(ConfigError, match=r"^journal: .* cannot be written: "):
            Codex(attrs.evolve(codex_config, journal=path))


def test_a_file_is_for_its_user_alone(tmp_path: Path) -> None:
    with FakeAppServer() as server, Codex(server.config(journal=tmp_path)):
        pass
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"
