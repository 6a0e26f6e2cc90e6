"""The files of one journal: which belong to it, how long they get, and that no other file is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from openai_codex import Codex, Journal
from openai_codex._journal.files import Files, parts_of
from openai_codex._journal.read import read
from openai_codex.testing import FakeAppServer
from tests.support.journals import header_of

BOUND = 1 << 16


def begin(path: Path, files: int = 1, client: str = "c") -> Files:
    begun = Files(Journal(path, max_bytes=BOUND, files=files), client, header_of(client))
    begun.open()
    return begun


def line(size: int, text: str = "x") -> bytes:
    return orjson.dumps({"text": text * (size - len(b'{"text":""}\n'))}) + b"\n"


@pytest.mark.skipif(os.name != "posix", reason="the system has no modes of files")
def test_a_file_that_others_may_read_is_no_longer_for_them(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.touch(0o644)
    path.chmod(0o644)
    begin(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


# What a user may have beside a journal, whose name looks like that of one of its files.
STRANGERS: dict[str, Callable[[], bytes]] = {
    "text": lambda: b"the notes of a month\n",
    "other JSON": lambda: b'{"level":"info"}\n',
    "empty": lambda: b"",
    "an archive of this journal": lambda: header_of("c")(0) + line(100),
    "of a later format": lambda: b'{"journal":2}\n',
}


@pytest.mark.parametrize("number", ["0", "1", "3", "20261101"])
@pytest.mark.parametrize("content", STRANGERS.values(), ids=STRANGERS)
def test_files_of_the_user_are_left_alone(tmp_path: Path, number: str, content: Callable[[], bytes]) -> None:
    stranger = tmp_path / f"run.{number}.jsonl"
    stranger.write_bytes(content())
    for _ in range(3):
        begun = begin(tmp_path / "run.jsonl")
        begun.write(line(BOUND // 2, "a"))
        begun.write(line(BOUND // 2, "b"))
        begun.close()
    # An empty file has nothing that could be lost, and may be one that another client is just beginning.
    assert (not content() and number in {"1", "3"}) or content() == stranger.read_bytes()
    ours = parts_of(tmp_path / "run.jsonl")
    assert len(ours) == 1
    assert b"bbb" in next(iter(ours.values())).read_bytes()


def test_a_client_opens_its_journal_beside_archives_of_it(tmp_path: Path) -> None:
    path, archive = tmp_path / "run.jsonl", tmp_path / "run.20261101.jsonl"
    archives = []
    for _ in range(2):
        with FakeAppServer() as server, Codex(server.config(journal=path)):
            pass
        path.rename(archive)
        archives.append(archive.read_bytes())
    with FakeAppServer() as server, Codex(server.config(journal=path)):
        pass
    assert archive.read_bytes() == archives[-1]
    assert [each.event for each in read(path)].count("client_closed") == 1
    assert [each.event for each in read(archive)].count("client_closed") == 1
    assert [each.event for each in read(tmp_path)].count("client_closed") == 2


def test_the_first_file_is_deleted_only_if_it_is_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"the notes of a month\n")
    begun = begin(path)
    for _ in range(3):
        begun.write(line(BOUND // 2))
    begun.close()
    assert path.read_bytes().startswith(b"the notes of a month\n")


@pytest.mark.parametrize("sizes", [[100] * 4_000, [30_000] * 12, [BOUND - 300] * 3, [100, 3 * BOUND, 100, 100]])
@pytest.mark.parametrize("together", [False, True])
def test_a_file_has_no_more_than_the_bound_unless_one_line_has(
    tmp_path: Path, sizes: list[int], together: bool
) -> None:
    path = tmp_path / "run.jsonl"
    lines = [line(size, chr(97 + number % 26)) for number, size in enumerate(sizes)]
    begun = begin(path, files=100)
    for data in [b"".join(lines)] if together else lines:
        begun.write(data)
    begun.close()
    parts = parts_of(path)
    assert list(parts) == list(range(len(parts)))
    for part in parts.values():
        header, *rest = part.read_bytes().splitlines(keepends=True)
        assert b'"journal"' in header
        assert sum(map(len, [header, *rest])) <= BOUND or len(rest) == 1
    found = [each for part in parts.values() for each in part.read_bytes().splitlines(keepends=True)[1:]]
    assert found == lines
