"""The bytes of an exported thread: what is written is read again, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import ThreadDataError
from openai_codex._portable.package import Package, read_package
from openai_codex._portable.rollouts import Rollout
from tests.portable.rollout_files import CHILD, PARENT, file_of

PACKAGE = Package((file_of(CHILD, base=file_of(PARENT)), file_of(PARENT)), "0.163.0", "a name")
DATA = PACKAGE.to_bytes()


def sealed(rest: bytes, version: bytes = b"1") -> bytes:
    """Return bytes with the right hash, whatever they hold."""
    return b"openai-codex-thread %b %b\n%b" % (version, hashlib.sha256(rest).hexdigest().encode(), rest)


def with_header(**changed: object) -> bytes:
    line, _, contents = DATA.split(b"\n", 1)[1].partition(b"\n")
    return sealed(orjson.dumps({**orjson.loads(line), **changed}) + b"\n" + contents)


def test_what_is_written_is_read_again() -> None:
    assert read_package(DATA) == PACKAGE
    assert PACKAGE.thread_id == CHILD


def test_every_truncation_is_refused() -> None:
    for length in range(len(DATA)):
        with pytest.raises(ThreadDataError):
            read_package(DATA[:length])


def test_every_flipped_bit_is_refused() -> None:
    for at in range(len(DATA)):
        for bit in range(8):
            with pytest.raises(ThreadDataError):
                read_package(DATA[:at] + bytes([DATA[at] ^ 1 << bit]) + DATA[at + 1 :])


@given(st.binary() | st.binary().map(sealed) | st.binary().map(lambda data: DATA + b"\0" + data))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ThreadDataError):
        read_package(data)


@given(
    st.recursive(
        st.none() | st.integers(-(2**60), 2**60) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_other_headers_are_refused(header: object) -> None:
    with pytest.raises(ThreadDataError):
        read_package(sealed(orjson.dumps(header, default=str) + b"\n" + zlib.compress(b"{}\n")))


def test_a_newer_format_is_named() -> None:
    with pytest.raises(ThreadDataError, match="format 2; this version of the package reads format 1"):
        read_package(sealed(b"whatever", b"2"))


@pytest.mark.parametrize("bad", ["../../etc/passwd", "..", CHILD + "/x", CHILD.upper(), "", CHILD + "\n", None, 7])
@pytest.mark.parametrize("field", ["thread", "file", "started"])
def test_no_part_of_a_name_is_a_path(field: str, bad: object) -> None:
    rollouts = [
        {"thread": each.thread_id, "file": each.file_id, "started": each.started, "size": len(each.data)}
        for each in PACKAGE.rollouts
    ]
    with pytest.raises(ThreadDataError):
        read_package(with_header(rollouts=[{**rollouts[0], field: bad}, rollouts[1]]))


def test_files_that_do_not_continue_each_other_are_refused() -> None:
    parent, child = file_of(PARENT), file_of(CHILD, base=file_of(PARENT))
    for files in ((), (child,), (child, parent, parent), (parent, child)):
        with pytest.raises(ValueError, match="does not continue"):
            Package(files, "0.163.0")


def test_no_more_is_decompressed_than_the_header_announces() -> None:
    line, _, _ = DATA.split(b"\n", 1)[1].partition(b"\n")
    with pytest.raises(ThreadDataError, match="sizes differ"):
        read_package(sealed(line + b"\n" + zlib.compress(bytes(50_000_000))))


@pytest.mark.parametrize("size", [10**30, 2**63, -1, 0, "1", None, 1.5])
def test_sizes_that_cannot_be_are_refused(size: object) -> None:
    line, _, contents = DATA.split(b"\n", 1)[1].partition(b"\n")
    text = re.sub(rb'"size":\d+', b'"size":' + json.dumps(size).encode(), line)
    with pytest.raises(ThreadDataError):
        read_package(sealed(text + b"\n" + contents))


def test_the_error_pickles_and_names_the_reason() -> None:
    error = pickle.loads(pickle.dumps(ThreadDataError("a reason")))  # noqa: S301  its own bytes
    assert (error.thread_id, error.reason, str(error)) == (
        None,
        "a reason",
        "the bytes are not an exported thread: a reason",
    )


def test_a_file_has_a_first_line_of_its_thread() -> None:
    good = file_of(CHILD)
    for data in (b"", b"{}\n", b"[]\n", good.data[:-1], b'{"type":"session_meta","payload":{"id":"x"}}\n'):
        with pytest.raises(ValueError, match=r"line|unexpected|JSON|input"):
            Rollout(CHILD, CHILD, good.started, data)
