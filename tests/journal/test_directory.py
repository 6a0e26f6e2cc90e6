"""A directory of journals is bounded as a whole, and nothing that a living process writes is deleted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openai_codex import AppServerConfig, Codex, Journal
from openai_codex._journal import directory
from openai_codex._journal.files import Files
from openai_codex._journal.read import read
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE
from tests.support.journals import header_of
from tests.support.programs import end_of, running

BOUND = 1 << 17
KIB_60 = b"x" * 61_439 + b"\n"


def begin(path: Path, client: str, files: int = 4) -> Files:
    journal = Journal(f"{path}{os.sep}", directory_bytes=BOUND, max_bytes=1 << 16, files=files)
    begun = Files(journal, client, header_of(client))
    begun.open()
    return begun


def size_of(path: Path) -> int:
    return sum(each.stat().st_size for each in path.iterdir())


def names(path: Path) -> set[str]:
    return {each.name for each in path.iterdir()}


def age(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def test_many_clients_have_no_more_than_the_bound_and_the_newest_stay(tmp_path: Path) -> None:
    for number in range(20):
        one = begin(tmp_path, f"c{number}")
        one.write(KIB_60)
        one.close()
        age(one.path, number)
    last = begin(tmp_path, "last")
    last.write(KIB_60)
    last.close()
    assert size_of(tmp_path) <= BOUND
    assert {each.rpartition("-")[2] for each in names(tmp_path)} == {"c19.jsonl", "last.jsonl"}


def test_finished_files_of_a_client_that_still_writes_count_too(tmp_path: Path) -> None:
    one = begin(tmp_path, "one", files=100)
    for _ in range(10):
        one.write(KIB_60)
    one.close()
    assert size_of(tmp_path) <= BOUND + (1 << 16)


def test_small_files_are_bounded_by_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_FILES", 5)
    for number in range(9):
        one = begin(tmp_path, f"c{number}")
        one.write(b"{}\n")
        one.close()
    assert len(names(tmp_path)) <= 5


def test_other_files_stay(tmp_path: Path) -> None:
    others = ["data.jsonl", "run.1.jsonl", "20260101T000000-1-a.txt", "20260101T000000.jsonl"]
    for name in others:
        (tmp_path / name).write_bytes(KIB_60 * 3)
    (tmp_path / "20260101T000000-1-directory.jsonl").mkdir()
    (tmp_path / "20260101T000000-1-link.jsonl").symlink_to(tmp_path / others[0])
    one = begin(tmp_path, "one")
    one.write(KIB_60)
    one.close()
    assert set(others) <= names(tmp_path)
    assert (tmp_path / "data.jsonl").stat().st_size


@pytest.mark.skipif(sys.platform == "win32", reason="there the system deletes no file that is open")
def test_without_locks_nothing_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(45, "no locks on this file system")

    monkeypatch.setattr("fcntl.flock", refuse)
    for number in range(4):
        begin(tmp_path, f"c{number}").write(KIB_60)
    assert len(names(tmp_path)) == 4


def test_what_another_process_writes_stays_until_it_ends(codex_config: AppServerConfig, tmp_path: Path) -> None:
    program = f"""
        config.journal = {f"{tmp_path}{os.sep}"!r}
        codex = Codex(config)
        print("open", flush=True)
        sys.stdin.read()
        codex.models()
        codex.close()
    """
    with running(program, codex_config) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        [written] = tmp_path.iterdir()
        age(written, 1)
        for number in range(5):
            one = begin(tmp_path, f"c{number}")
            one.write(KIB_60)
            one.close()
        assert written.exists()
        assert end_of(process, PATIENCE).code == 0
    assert [each.method for each in read(written) if each.dir == ">"][-1] == "model/list"
    age(written, 1)
    begin(tmp_path, "last").write(KIB_60)
    assert not written.exists()


def test_a_killed_process_keeps_no_file(codex_config: AppServerConfig, tmp_path: Path) -> None:
    program = f"config.journal = {f'{tmp_path}{os.sep}'!r}; codex = Codex(config); print('open', flush=True); sys.stdin.read()"
    with running(program, codex_config) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        [written] = tmp_path.iterdir()
        process.kill()
        process.wait(PATIENCE)
    age(written, 1)
    for number in range(3):
        begin(tmp_path, f"c{number}").write(KIB_60)
    assert not written.exists()


def test_a_file_that_is_being_deleted_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another client deletes the file between its creation and the lock."""
    hold: Callable[[int], bool] = directory.hold
    deleted: list[Path] = []

    def late(descriptor: int) -> bool:
        if not deleted:
            [path] = tmp_path.iterdir()
            path.unlink()
            deleted.append(path)
        return hold(descriptor)

    monkeypatch.setattr(directory, "hold", late)
    one = begin(tmp_path, "one")
    one.write(b"the line\n")
    one.close()
    [path] = tmp_path.iterdir()
    assert path.read_bytes().endswith(b"}\nthe line\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are a thing of POSIX")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # that is what is tested
def test_a_fork_releases_nothing(tmp_path: Path) -> None:
    with FakeAppServer() as server, Codex(server.config(journal=f"{tmp_path}{os.sep}")) as codex:
        codex.thread_start()
        [written] = tmp_path.iterdir()
        pid = os.fork()
        if pid == 0:
            os._exit(0)  # what is called in each child has run
        os.waitpid(pid, 0)
        age(written, 1)
        directory.prune(tmp_path, 1)
        assert written.exists()
    directory.prune(tmp_path, 1)
    assert not written.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there a directory is not locked")
def test_of_two_that_delete_at_once_one_does(tmp_path: Path) -> None:
    for number in range(4):
        one = begin(tmp_path, f"c{number}")
        one.write(b"{}\n")
        one.close()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    assert directory.hold(descriptor)
    directory.prune(tmp_path, 1)
    assert len(names(tmp_path)) == 4
    os.close(descriptor)
    directory.prune(tmp_path, 1)
    assert names(tmp_path) == set()
