"""Files of an exported thread in a home: all are written, or nothing is."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import attrs
import pytest

from openai_codex import ThreadConflictError
from openai_codex._portable import placing
from openai_codex._portable.placing import open_private, place, write_whole
from openai_codex._portable.rollouts import Rollout
from tests.portable.rollout_files import CHILD, PARENT, SETTINGS, file_of, turn

OTHER = "01a217e1-4b6e-7601-be30-f7fd55d2c16a"


def closed(_thread_id: str) -> bool:
    return False


def held(home: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(home)): path.read_bytes() if path.is_file() else None for path in home.rglob("*")}


def put(home: Path, *files: Rollout) -> None:
    for file in files:
        write_whole(home / file.place, file.data)


def plus(file: Rollout, *lines: bytes) -> Rollout:
    return attrs.evolve(file, data=file.data + b"".join(lines))


def test_it_is_written_where_the_runtime_looks(tmp_path: Path) -> None:
    child = file_of(CHILD, base=file_of(PARENT))
    place(tmp_path, [child, file_of(PARENT)], closed)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    day = Path("sessions/2026/11/26")
    names = (day / f"rollout-2026-11-26T12-00-00-{thread_id}.jsonl" for thread_id in (CHILD, PARENT))
    assert files == sorted(names)
    assert [path.stat().st_mode & 0o077 for path in tmp_path.rglob("*.jsonl")] == [0, 0]


def test_an_error_at_any_step_leaves_the_home_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = file_of(PARENT)
    (tmp_path / "config.toml").write_text("")
    put(tmp_path, old)
    before = held(tmp_path)
    newer = plus(old, turn("two"))
    wanted = [file_of(CHILD, base=newer), newer]

    class Full:
        """A disk that is full at the step with a number, and has room for what was there before."""

        def __init__(self, step: int) -> None:
            self.left = step

        def __call__(self, descriptor: int) -> None:
            self.left -= stat.S_ISREG(os.fstat(descriptor).st_mode)
            if self.left == 0:
                self.left = -1
                raise OSError(errno.ENOSPC, "full")

    for step in (1, 2):
        monkeypatch.setattr(placing.os, "fsync", Full(step))
        with pytest.raises(OSError, match="full"):
            place(tmp_path, wanted, closed)
        assert held(tmp_path) == before
    monkeypatch.undo()
    place(tmp_path, wanted, closed).undo()
    assert held(tmp_path) == before


def fail(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "full")


def test_directories_that_were_there_stay_although_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "data" / "threads"
    here.mkdir(parents=True)
    monkeypatch.setattr(placing.os, "fsync", fail)
    for path in (here / "a", here / "made" / "below" / "a"):
        with pytest.raises(OSError, match="full"):
            write_whole(path, b"x")
        assert held(tmp_path) == {"data": None, "data/threads": None}


def test_a_disk_that_stays_full_leaves_no_file_that_was_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = file_of(PARENT)
    put(tmp_path, newest)
    before, synced = held(tmp_path), iter([None])

    def fill(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and next(synced, fail) is fail:
            fail(descriptor)

    monkeypatch.setattr(placing.os, "fsync", fill)
    newer = plus(newest, turn("two"))
    with pytest.raises(OSError, match="full"):
        place(tmp_path, [newer, file_of(CHILD)], closed)
    assert held(tmp_path) == before


@pytest.mark.parametrize(
    ("here", "given", "outcome"),
    [
        ("A", "A", "nothing"),
        ("As", "A", "nothing"),
        ("A", "As", "nothing"),
        ("Ass", "As", "nothing"),
        ("A", "AB", "replaced"),
        ("As", "AssB", "replaced"),
        ("Ass", "AsB", "replaced"),
        ("AB", "A", "newer turns"),
        ("AsB", "A", "newer turns"),
        ("AB", "AC", "other turns"),
        ("AsB", "AB", "other turns"),
        ("B", "A", "other turns"),
    ],
)
def test_what_is_here_is_compared_turn_by_turn(tmp_path: Path, here: str, given: str, outcome: str) -> None:
    lines = {"s": SETTINGS, **{letter: turn(letter) for letter in "ABC"}}
    start = file_of(PARENT)
    there, imported = (plus(start, *(lines[letter] for letter in word)) for word in (here, given))
    put(tmp_path, there)
    before = held(tmp_path)
    if "turns" in outcome:
        with pytest.raises(ThreadConflictError, match=outcome):
            place(tmp_path, [imported], closed)
    else:
        place(tmp_path, [imported], closed)
    written = (tmp_path / there.place).read_bytes()
    assert written == (imported.data if outcome == "replaced" else there.data)
    assert (held(tmp_path) == before) is (outcome != "replaced")


def test_an_open_thread_is_not_replaced(tmp_path: Path) -> None:
    put(tmp_path, file_of(PARENT))
    before = held(tmp_path)
    with pytest.raises(ThreadConflictError, match="has it open"):
        place(tmp_path, [plus(file_of(PARENT), turn("two"))], PARENT.__eq__)
    assert held(tmp_path) == before
    place(tmp_path, [file_of(PARENT)], PARENT.__eq__)  # nothing to write


def test_settings_that_another_thread_continues_are_not_replaced(tmp_path: Path) -> None:
    grown = plus(file_of(PARENT), SETTINGS)
    put(tmp_path, grown, file_of(CHILD, base=grown))
    before = held(tmp_path)
    with pytest.raises(ThreadConflictError, match="other turns"):
        place(tmp_path, [plus(file_of(PARENT), turn("two"))], closed)
    assert held(tmp_path) == before


def test_a_parent_may_be_here_with_more_and_archived(tmp_path: Path) -> None:
    parent = file_of(PARENT)
    write_whole(tmp_path / "archived_sessions" / parent.place.name, plus(parent, turn("two")).data)
    placed = place(tmp_path, [file_of(CHILD, base=parent), parent], closed)
    assert [path.name for path, *_ in placed.changes] == [file_of(CHILD, base=parent).place.name]


def test_a_thread_that_was_reverted_here_is_not_mixed_with_another_state(tmp_path: Path) -> None:
    first = file_of(PARENT)
    put(tmp_path, first, file_of(PARENT, base=first, file_id=OTHER))
    with pytest.raises(ThreadConflictError, match="reverted here"):
        place(tmp_path, [first], closed)


def test_a_name_is_made_of_checked_parts(tmp_path: Path) -> None:
    file = file_of(PARENT)
    for changed in ({"thread_id": "../x"}, {"file_id": "../x"}, {"started": "2026-11-26T12-00-00/../x"}):
        with pytest.raises(ValueError, match="no name of a rollout file"):
            attrs.evolve(file, **changed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o644, 0o666, 0o600, None])
def test_a_file_that_is_named_is_for_the_user_alone(tmp_path: Path, mode: int | None) -> None:
    path = tmp_path / "out"
    if mode is not None:
        path.write_text("before")
        path.chmod(mode)
    os.close(open_private(path, os.O_WRONLY | os.O_TRUNC))
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, "")


def test_a_pipe_that_is_named_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    path.chmod(0o644)
    os.close(open_private(path, os.O_RDWR))
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "junk", [b"", b"\xff\n", b"[]\n", b"3", b'{"payload":3}\n', b'{"payload":{"history_base":3}}\n']
)
def test_a_file_of_the_home_that_is_none_of_a_thread_is_left_alone(tmp_path: Path, junk: bytes) -> None:
    parent = file_of(PARENT)
    put(tmp_path, plus(parent, SETTINGS))
    other = tmp_path / parent.place.with_name(f"rollout-2026-11-26T12-00-00-{OTHER}.jsonl")
    other.write_bytes(junk)
    newer = plus(parent, turn("two"))
    place(tmp_path, [newer], closed)
    assert (tmp_path / parent.place).read_bytes() == newer.data
    assert other.read_bytes() == junk
