"""Stores of exported threads: the folder, and what the conformance test says of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from openai_codex import ConfigError, FolderStore
from openai_codex.testing import check_thread_store
from tests.portable.rollout_files import CHILD, PARENT


def test_a_folder_conforms(tmp_path: Path) -> None:
    check_thread_store(FolderStore(tmp_path / "a" / "b"))
    check_thread_store(FolderStore(tmp_path / "a" / "b"))


def test_two_stores_of_one_folder_share_it(tmp_path: Path) -> None:
    FolderStore(tmp_path).put(PARENT, b"data")
    (tmp_path / "notes.txt").write_text("not a thread")
    (tmp_path / "notes.codex-thread").write_text("not a thread")
    assert FolderStore(str(tmp_path)).get(PARENT) == b"data"
    assert list(FolderStore(tmp_path).list()) == [PARENT]


@pytest.mark.parametrize("bad", ["../x", "", "x", PARENT + "/..", PARENT.upper(), 7, None])
def test_an_id_is_never_a_path(tmp_path: Path, bad: str) -> None:
    store = FolderStore(tmp_path / "store")
    for call in (lambda: store.put(bad, b""), lambda: store.get(bad)):
        with pytest.raises(ConfigError, match="thread_id"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_bad_data_and_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="data"):
        FolderStore(tmp_path).put(CHILD, "text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  the point
    with pytest.raises(ConfigError, match="path"):
        FolderStore(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  the point


def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    store.put(CHILD, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError("full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="full"):
        store.put(CHILD, b"new")
    assert store.get(CHILD) == b"old"
    assert len(list(tmp_path.iterdir())) == 1
