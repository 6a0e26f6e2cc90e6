"""The runtime as it is installed on this machine: the command that starts it, and the locks in its home directory."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex._log import Log
from openai_codex._runtime.environment import environment_of
from openai_codex._runtime.imports import load
from openai_codex.errors import ProcessInfo, RuntimeNotFoundError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig

if sys.platform != "win32":
    import fcntl

_log = Log("process")


def command_line(config: AppServerConfig) -> tuple[str, ...]:
    """Return the command that starts the runtime. Raises `LaunchError` if its program is not found."""
    if config.launch_args_override is not None:
        program, *arguments = config.launch_args_override
        return (_located(program, config), *arguments)
    strict = ("--strict-config",) if config.strict_config else ()
    traced = load("openai_codex._otel.settings").overrides(config) if config.otel else ()
    overrides = (part for setting in (*traced, *config.config_overrides) for part in ("-c", setting))
    program = _bundled_binary() if config.codex_bin is None else _located(config.codex_bin, config)
    return (program, *overrides, "app-server", *strict)


def _located(program: str, config: AppServerConfig) -> str:
    """Look up a bare name on the PATH of the runtime, but not in the relative directories there.

    The system would take those as relative to ``cwd=``, which is the repository that is being worked on.
    """
    if os.path.dirname(program) or "\0" in program:  # noqa: PTH120  a Path loses ./
        return program
    path = environment_of(config).get("PATH", os.defpath)
    absolute = [directory for directory in path.split(os.pathsep) if Path(directory).is_absolute()]
    found: str | None = load("shutil").which(program, path=os.pathsep.join(absolute))
    if found is None:
        raise RuntimeNotFoundError(f"{program}: not found in the absolute directories of PATH", ProcessInfo((program,)))
    return found


def _bundled_binary() -> str:
    try:
        from codex_cli_bin import bundled_codex_path  # pyright: ignore[reportMissingTypeStubs]  it ships no types

        return str(bundled_codex_path())
    except (ImportError, FileNotFoundError) as error:
        raise RuntimeNotFoundError(
            f"no runtime found: install openai-codex-cli-bin, or set codex_bin in AppServerConfig or OPENAI_CODEX_BIN ({error})"
        ) from error


class HomeLock:
    """A lock among the processes of this machine for the starts of runtimes that share one directory of databases.

    The first runtime there creates the databases one after another, and a later version migrates them; another start
    meanwhile makes one of the two exit. So every start holds the lock until `initialize` is answered: shared where there
    are databases, alone where there are none. The lock is on the directory itself, so no file is left behind, and it
    ends with the process that holds it. There is no lock on Windows, nor for a command of the user's own, whose home is
    unknown. Not thread-safe: one caller at a time.
    """

    def __init__(self, config: AppServerConfig) -> None:
        is_elsewhere = config.launch_args_override is not None or config.endpoint is not None
        self._directory = None if is_elsewhere else _databases(config)
        self._descriptor: int | None = None
        self.is_alone: bool = False
        """Whether this process holds the lock exclusively."""

    def is_cold(self) -> bool:
        """Return whether no runtime has ever started there."""
        return self._directory is not None and not any(self._directory.glob("*.sqlite"))

    def is_usable(self) -> bool:
        """Return whether there is a directory to lock."""
        return self._directory is not None and self._directory.is_dir()

    def databases(self) -> frozenset[tuple[str, int, int]]:
        """Return name, time and size of each database: they change while a runtime creates or migrates them."""
        found: set[tuple[str, int, int]] = set()
        for file in () if self._directory is None else self._directory.glob("*.sqlite"):
            with suppress(OSError):  # removed in the meantime
                stat = file.stat()
                found.add((file.name, stat.st_mtime_ns, stat.st_size))
        return frozenset(found)

    def try_acquire(self, *, alone: bool = False) -> bool:
        """Take the lock, or change how it is held, without blocking; return ``False`` if the caller has to try again.

        It is shared, unless the directory is cold or ``alone`` is set.
        """
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._directory or "", os.O_RDONLY)
            except OSError:  # no such directory: the runtime itself will report what is wrong
                return True
        exclusive = alone or self.is_cold()
        taken = _lock(self._descriptor, exclusive=exclusive)
        if taken and exclusive and not alone and not self.is_cold():  # prepared by another process in between
            exclusive = False
            taken = _lock(self._descriptor, exclusive=False)
        self.is_alone = taken and exclusive
        if not taken:  # a failed change may have lost the lock that was held
            self.release()
        return taken

    def release(self) -> None:
        """Release the lock; harmless if it is not held."""
        self.is_alone = False
        # First: what interrupts this call must not have another one close a number that belongs to somebody else by then.
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _unlock(descriptor)
            os.close(descriptor)

    def after_fork(self) -> None:
        """Close the descriptor of a forked child: the parent holds the lock by its own."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int, *, exclusive: bool) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
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


def _databases(config: AppServerConfig) -> Path:
    """Return the directory of the databases, which the runtime would create a moment later."""
    variables = environment_of(config)
    apart = variables.get("CODEX_SQLITE_HOME")
    named = apart or variables.get("CODEX_HOME")
    # The runtime takes a relative path from its own working directory.
    directory = Path(config.cwd or "", named) if named else Path(variables.get("HOME") or Path.home()) / ".codex"
    if apart or not named:  # it refuses a missing CODEX_HOME
        with suppress(OSError):
            directory.mkdir(parents=bool(apart), exist_ok=True)
    return directory


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
