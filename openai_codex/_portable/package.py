"""The bytes of an exported thread: what they hold, written and read.

    openai-codex-thread 1 <SHA-256 of all that follows>
    {"sdk": …, "runtime": …, "name": …, "rollouts": [{"thread", "file", "started", "size"}, …]}
    the contents of the files, one after another, compressed by zlib

The newest file is first, and each continues the next one. The hash finds damage; it is not a signature.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from openai_codex._portable.rollouts import Base, Rollout, collect
from openai_codex._version import __version__
from openai_codex.errors import ThreadDataError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1

_FIRST_LINE = re.compile(rb"openai-codex-thread (\d{1,9}) ([0-9a-f]{64})")


@attrs.frozen
class Package:
    """An exported thread.

    Attributes:
        rollouts: Its files, newest first; each continues the next one.
        runtime: The version of the runtime that wrote them.
        name: The name of the thread, if it has one.
        sdk: The version of this package that wrote the bytes.
    """

    rollouts: tuple[Rollout, ...]
    runtime: str
    name: str | None = None
    sdk: str = __version__

    def __attrs_post_init__(self) -> None:
        wanted = [rollout.base for rollout in self.rollouts]
        given = [Base(rollout.file_id, len(rollout.data)) for rollout in self.rollouts]
        if not given or wanted != [*given[1:], None]:
            raise ValueError("one of its files does not continue the next one")

    @property
    def thread_id(self) -> str:
        """Id of the thread."""
        return self.rollouts[0].thread_id

    def to_bytes(self) -> bytes:
        """Write it down."""
        rollouts = [
            {"thread": each.thread_id, "file": each.file_id, "started": each.started, "size": len(each.data)}
            for each in self.rollouts
        ]
        header = {"sdk": self.sdk, "runtime": self.runtime, "name": self.name, "rollouts": rollouts}
        contents = zlib.compress(b"".join(each.data for each in self.rollouts))
        rest = orjson.dumps(header) + b"\n" + contents
        return b"openai-codex-thread %d %s\n%b" % (FORMAT, hashlib.sha256(rest).hexdigest().encode(), rest)


def collect_package(thread_id: str, home: Path, path: Path, runtime: str, name: str | None) -> Package:
    """Read the files of a thread, the newest of which is at ``path``. Raises `ThreadTransferError`."""
    return Package(tuple(collect(home, thread_id, path)), runtime, name)


def read_package(data: bytes) -> Package:
    """Return what bytes hold. Raises `ThreadDataError` unless they are whole, unchanged and of a known format."""
    first, _, rest = data.partition(b"\n")
    match = _FIRST_LINE.fullmatch(first)
    if match is None:
        raise ThreadDataError("they do not begin as an exported thread")
    if int(match[1]) != FORMAT:
        raise ThreadDataError(f"they have format {int(match[1])}; this version of the package reads format {FORMAT}")
    if hashlib.sha256(rest).hexdigest().encode() != match[2]:
        raise ThreadDataError("they are truncated, or were changed: the hash differs")
    try:
        return _read(rest)
    # Only bytes that another program has made come here: the hash is right.
    except (ValueError, LookupError, TypeError, OverflowError, zlib.error) as error:
        raise ThreadDataError(f"their contents are not those of an exported thread: {error}") from error


def _read(rest: bytes) -> Package:
    line, _, compressed = rest.partition(b"\n")
    header: dict[str, Any] = orjson.loads(line)
    sizes = [int(each["size"]) for each in header["rollouts"]]
    inflating = zlib.decompressobj()
    # No more than is announced is kept in memory.
    contents, rollouts, at = inflating.decompress(compressed, sum(sizes) + 1), [], 0
    if min(sizes, default=0) < 1 or len(contents) != sum(sizes) or not inflating.eof or inflating.unused_data:
        raise ValueError("the sizes differ")
    for each, size in zip(header["rollouts"], sizes, strict=True):
        rollouts.append(Rollout(each["thread"], each["file"], each["started"], contents[at : at + size]))
        at += size
    name = header["name"]
    return Package(tuple(rollouts), str(header["runtime"]), None if name is None else str(name), str(header["sdk"]))
