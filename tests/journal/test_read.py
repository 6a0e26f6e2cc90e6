"""A journal can be read whatever its writer was: killed, several, or of another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from openai_codex import ConfigError
from openai_codex._journal.read import headers, read

HEADER = b'{"journal":1,"client":"%s","part":%d,"pid":1,"at":0.0,"t":0.0}\n'


def line(number: int, pid: int = 9, frame: bytes = b"{}") -> bytes:
    return b'{"t":%d,"at":1.0,"dir":"<","gen":1,"pid":%d,"frame":%s}\n' % (number, pid, frame)


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(HEADER % (b"a", 0) + line(1) + line(2)[:-9])
    assert [each.t for each in read(path)] == [1]
    # Another client has appended to it since.
    path.write_bytes(path.read_bytes() + b"\n" + HEADER % (b"b", 0) + line(3) + b"[]\n{}\nnoise\n" + line(4))
    assert [each.t for each in read(path)] == [1, 3, 4]
    assert [header.client for header in headers(path)] == ["a", "b"]


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    files = (("a.10", 10, 3), ("a.9", 9, 2), ("b", 0, 4), ("ab", 0, 5), ("a.20261101", 0, 6))
    for name, part, number in files:
        (tmp_path / f"{name}.jsonl").write_bytes(HEADER % (b"a", part) + line(number))
    (tmp_path / "a.jsonl.txt").write_bytes(HEADER % (b"a", 0) + line(9))
    # The first file of it was deleted, and another one is an archive.
    assert [each.t for each in read(tmp_path / "a.jsonl")] == [2, 3]
    assert [each.t for each in read(tmp_path)] == [2, 3, 6, 5, 4]
    assert [header.part for header in headers(tmp_path / "a.9.jsonl")] == [9]


def test_each_envelope_has_the_header_of_its_client(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    start = b'{"t":0,"at":0,"dir":"!","gen":1,"pid":%d,"frame":{"event":"process_started","client":"%s"}}\n'
    first, second = HEADER % (b"a", 0) + start % (8, b"a"), HEADER % (b"b", 0) + start % (9, b"b")
    path.write_bytes(first + second + line(1, 8) + line(2, 9))
    assert [each.header and each.header.client for each in read(path)] == ["a", "b", "a", "b"]
    [event, *_] = read(path)
    assert (event.event, event.method) == ("process_started", None)


def test_a_byte_order_mark_before_the_first_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER % (b"a", 0) + line(1))
    assert [header.client for header in headers(path)] == ["a"]
    assert [each.header and each.header.client for each in read(path)] == ["a"]


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.jsonl cannot be read: No such file"):
        list(read(tmp_path / "missing.jsonl"))
    newer = tmp_path / "newer.jsonl"
    newer.write_bytes(b'{"journal":2}\n')
    with pytest.raises(ConfigError, match="a journal of format 2; this version reads format 1"):
        list(read(newer))
