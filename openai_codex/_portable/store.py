"""Where exported threads are kept: the protocol of a store, and a folder as one."""

# The bodies of a Protocol are documentation:
# pyright: reportReturnType=false

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from openai_codex import _checks as checks
from openai_codex._portable.placing import write_whole
from openai_codex._portable.rollouts import is_id
from openai_codex.errors import ConfigError

_SUFFIX = ".codex-thread"


class ThreadStore(Protocol):
    """Keeps the bytes of `AsyncCodex.thread_export`, by the id of the thread: in a folder, a bucket, a database.

    `openai_codex.testing.check_thread_store` tests an implementation. Every method may raise what its storage raises.
    """

    def put(self, thread_id: str, data: bytes) -> None:
        """Keep the data of a thread, in place of what was there. A reader gets the one or the other, never a mixture."""

    def get(self, thread_id: str) -> bytes:
        """Return what was put last. Raises `KeyError` if there is nothing."""

    def list(self) -> Sequence[str]:
        """Return the ids of all threads, in any order."""


class FolderStore:
    """A `ThreadStore` in a folder: one file per thread. Several processes may use it, also over a shared file system.

    Args:
        path: The folder; it is created by the first `put`.

    Raises:
        ConfigError: The path is not accepted, or an id is not that of a thread.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(checks.path("path", path))

    def put(self, thread_id: str, data: bytes) -> None:
        """Keep the data of a thread, in place of what was there. Raises `OSError`; then that is still there."""
        write_whole(self._file(thread_id), checks.instance("data", data, bytes, "bytes"))

    def get(self, thread_id: str) -> bytes:
        """Return what was put last. Raises `KeyError` if there is nothing, and `OSError`."""
        try:
            return self._file(thread_id).read_bytes()
        except FileNotFoundError:
            raise KeyError(thread_id) from None

    def list(self) -> Sequence[str]:
        """Return the ids of all threads, sorted."""
        names = [file.name.removesuffix(_SUFFIX) for file in self._path.glob(f"*{_SUFFIX}")]
        return sorted(filter(is_id, names))

    def _file(self, thread_id: str) -> Path:
        if not is_id(thread_id):
            raise ConfigError("thread_id", "expected the id of a thread, a UUID in lower case")
        return self._path / f"{thread_id}{_SUFFIX}"
