"""Runs git without a prompt, a hook, or a variable that names another repository, and with an end in time.

Processes of the engine's transports are runtimes, which stay and are talked to; this one ends, and its output is its answer.
Only jobs need it, so it is theirs. It knows no job.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import attrs

from openai_codex._config import AppServerConfig
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._jobs.clients import Ready, Steps
from openai_codex._jobs.failure import JobError
from openai_codex._runtime.environment import environment_of

T = TypeVar("T")

# How long a call may take, in seconds; one that writes or removes the files of a tree may take longer.
_PATIENCE = 60.0
FILES_PATIENCE = 600.0

# How much of the output is read, and of what git complains about, in bytes.
_MOST, _MOST_SAID = 8_000_000, 2_000

# Settings of the user that would change what these calls do. Commands that the model runs have them as they are.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "filter.lfs.required=false",  # where Git LFS is missing, its pointers stay as they are
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_OPTIONS = ("--no-pager", "--literal-pathspecs", *(part for setting in _SETTINGS for part in ("-c", setting)))

# Variables that are kept of those that begin with GIT_: the others may name another repository.
_KEPT = ("GIT_CONFIG_", "GIT_EXEC_PATH")
_NOT_KEPT = "GIT_CONFIG_PARAMETERS"

_SET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "GCM_INTERACTIVE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",  # else each tree would download all large files
    "LC_ALL": "C",
}

# What makes git, in a directory of one repository, act on another one.
_REDIRECTING = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)


@attrs.frozen
class Output:
    """What a call has answered.

    Attributes:
        code: The exit code.
        data: The output.
        is_cut: Whether there was more than was to be read; git was ended then.
    """

    code: int
    data: bytes
    is_cut: bool = False

    @property
    def text(self) -> str:
        """The output without its last line end. It may hold paths, which need not be UTF-8."""
        return os.fsdecode(self.data).removesuffix("\n")


def git(
    directory: str | Path,
    *arguments: str,
    accepts: tuple[int, ...] = (0,),
    timeout: float = _PATIENCE,
    most: int = _MOST,
    given: bytes = b"",
    variables: Mapping[str, str] | None = None,
) -> Output:
    """Run git in a directory and return what it answers. It blocks the calling thread.

    Raises `JobError` of the kind ``worktree`` if git is missing, takes too long, or ends with another code than it may.
    """
    if not Path(directory).is_dir():
        raise failure(f"{str(directory)!r} is not a directory", directory)
    with tempfile.TemporaryFile() as typed, tempfile.TemporaryFile() as said:
        typed.write(given)
        typed.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603  git, with arguments of this package
                ("git", *_OPTIONS, *arguments),  # noqa: S607  the one of the user
                cwd=directory,
                env={**_environment(), **(variables or {})},
                stdin=typed,
                stdout=subprocess.PIPE,
                stderr=said,
                # It and its filters can be ended together, and none of them has the terminal.
                start_new_session=True,
            )
        except OSError as error:
            missing = "; install git, or add its directory to PATH" if isinstance(error, FileNotFoundError) else ""
            raise failure(f"git cannot be started: {error.strerror}{missing}", directory) from error
        output = _output(process, most, timeout)
        said.seek(max(0, said.seek(0, os.SEEK_END) - _MOST_SAID))
        complaint = said.read().decode(errors="replace").strip()
    command = " ".join(("git", *arguments))
    if output is None:
        raise failure(f"{command!r} took longer than {timeout:g} s", directory, command=command, timeout=timeout)
    if output.code not in accepts and not output.is_cut:
        facts = {"command": command, "exit_code": output.code, "stderr": complaint}
        raise failure(f"{command!r} failed: {complaint or f'exit code {output.code}'}", directory, **facts)
    return output


def failure(reason: str, repo: str | Path, **facts: object) -> JobError:
    """Return the error of a job whose tree cannot be made or used."""
    return JobError("worktree", reason, {"repo": os.fspath(repo), **facts})


def isolated(config: AppServerConfig) -> AppServerConfig:
    """Return a configuration whose runtime has no variable by which git would leave the directory that it is run in."""
    if config.endpoint is not None:
        return config
    found = environment_of(config)
    names = [name for name in _REDIRECTING if name in found]
    return attrs.evolve(config, env={**(config.env or {}), **dict.fromkeys(names)}) if names else config


def beside(ready: Ready, call: Callable[[], T]) -> Steps:
    """Have a function called on a Python thread of its own, so that no event loop is blocked; wait, and return its outcome."""
    outcomes: list[T] = []
    errors: list[BaseException] = []
    done = Latch()

    def run() -> None:
        try:
            outcomes.append(call())
        except BaseException as error:  # noqa: BLE001  it is raised where the outcome is waited for
            errors.append(error)
        finally:
            done.set()

    ThreadGroup("git").start("job", run)
    yield partial(ready, done, None)
    if errors:
        raise errors[0]
    return outcomes[0]


def _environment() -> dict[str, str]:
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("GIT_") or (name.startswith(_KEPT) and name != _NOT_KEPT)
    }
    return {**kept, **_SET}


def _output(process: subprocess.Popen[bytes], most: int, timeout: float) -> Output | None:
    """Read what a process writes and wait for its end; ``None`` if that takes too long. The process has ended then, too."""
    deadline = Deadline(timeout)
    assert process.stdout is not None
    with process:
        try:
            data = _read(process.stdout, most + 1, deadline)
            if data is not None and len(data) <= most:
                with suppress(subprocess.TimeoutExpired):
                    return Output(process.wait(deadline.remaining()), data)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return None if data is None or len(data) <= most else Output(process.returncode, data[:most], is_cut=True)


def _read(stream: IO[bytes], most: int, deadline: Deadline) -> bytes | None:
    """Return all that can be read, but not much more than ``most`` bytes; ``None`` if it takes too long."""
    parts: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while size < most:
            if not selector.select(deadline.remaining()):
                return None
            part = os.read(stream.fileno(), 1 << 16)
            if not part:
                break
            parts.append(part)
            size += len(part)
    return b"".join(parts)
