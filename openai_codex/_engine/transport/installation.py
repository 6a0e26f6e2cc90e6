"""The runtime as it is installed on this machine: the command that starts it, and the locks in its home directory."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex._log import Log
from openai_codex.errors import LaunchError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig

if sys.platform != "win32":
    import fcntl

_log = Log("process")


def command_line(config: AppServerConfig) -> tuple[str, ...]:
    """Return the command that starts the runtime. Raises `LaunchError` if the pinned binary is not installed."""
    if config.launch_args_override is not None:
        return config.launch_args_override
    strict = ("--strict-config",) if config.strict_config else ()
    overrides = (part for setting in config.config_overrides for part in ("-c", setting))
    return (config.codex_bin or _bundled_binary(), *overrides, "app-server", *strict)


def _bundled_binary() -> str:
    try:
        from codex_cli_bin import bundled_codex_path  # pyright: ignore[reportMissingTypeStubs]  it ships no types

        return str(bundled_codex_path())
    except (ImportError, FileNotFoundError) as error:
        raise LaunchError(
            f"no runtime found: install openai-codex-cli-bin, or set codex_bin in AppServerConfig ({error})"
        ) from error


class HomeLock:
    """A lock among the processes of this machine for the first start of a runtime in a Codex home.

    The runtime creates its databases there on its first start; of several first starts at once all but one fail. The
    lock is on the directory itself, so no file is left behind, and it ends with the process that holds it. There is no
    lock on Windows, nor for a command of the user's own, whose home is unknown. Not thread-safe: one caller at a time.
    """

    def __init__(self, config: AppServerConfig) -> None:
        self._home = None if config.launch_args_override is not None else _home(config)
        self._descriptor: int | None = None

    def is_cold(self) -> bool:
        """Return whether no runtime has ever started there."""
        return self._home is not None and not any(self._home.glob("*.sqlite"))

    def is_free(self) -> bool:
        """Return whether there is a home to lock, and this object does not hold its lock."""
        return self._home is not None and self._home.is_dir() and self._descriptor is None

    def try_acquire(self) -> bool:
        """Take the lock if it is free, without blocking; return ``False`` if the caller has to wait and try again."""
        try:
            descriptor = os.open(self._home or "", os.O_RDONLY)
        except OSError:  # no such directory: the runtime itself will report what is wrong
            return True
        if not _lock(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Release the lock; harmless if it is not held."""
        if self._descriptor is not None:
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # a file system without locks: start without one
            _log.debug("codex.home_not_locked", reason=error.strerror)
    return True


def _unlock(descriptor: int) -> None:
    # Closing alone would not do: a forked child may have the same descriptor, and would keep the lock through it.
    if sys.platform != "win32":
        with suppress(OSError):  # the file system has no locks
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _home(config: AppServerConfig) -> Path | None:
    variables = {**os.environ, **(config.env or {})}
    if variables.get("CODEX_HOME"):
        return Path(variables["CODEX_HOME"])
    home = Path(variables.get("HOME") or Path.home()) / ".codex"
    with suppress(OSError):
        home.mkdir(exist_ok=True)  # the runtime would create it a moment later
    return home


def writer_of(codex_home: str, thread_id: str) -> int | None:
    """Return the process id of the runtime that has a thread open for writing; ``None`` if none has, or it is unknown.

    The runtime locks one file per thread (seen in 0.163.0); Linux lists the holder of each lock.
    """
    try:
        file = (Path(codex_home) / "thread-writer-locks" / f"{thread_id}.lock").stat()
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    # 9: FLOCK ADVISORY WRITE <pid> <major:minor:inode> <from> <to>
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    holders = (int(lock[4]) for lock in locks if lock[1] == "FLOCK" and lock[5] == place)
    return next((holder for holder in holders if holder > 0), None)  # 0: it runs in another container
