"""One start in the home of a configuration: the lock on it, and the process that was started under the lock."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from openai_codex._engine.transport.base import NO_THREAD
from openai_codex._engine.transport.child import ChildProcess
from openai_codex._engine.transport.installation import HomeLock, command_line
from openai_codex._log import Log
from openai_codex._runtime.environment import environment_of, left_out
from openai_codex._runtime.handshake import initialize_line
from openai_codex.errors import LaunchError, RuntimeNotFoundError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig
    from openai_codex._engine.transport.remote import WebSocket

_log = Log("connection")


Started: TypeAlias = "ChildProcess | WebSocket"
"""What a start gives: a transport that can be discarded before it has an actor."""


class RuntimeStart:
    """Starts a process before there is anything to talk to it with: it boots while that is imported.

    It owns the lock, and the process until that is handed over. Not thread-safe: one caller at a time.
    """

    def __init__(self, config: AppServerConfig) -> None:
        self.lock: HomeLock = HomeLock(config)
        self.before: object = None
        """The databases as they were before the process was started."""
        self.said: bytes = b""
        """The line that the process was sent: a runtime that finds it when it has booted does not wait for this program."""
        self._config = config
        self._child: Started | None = None

    def begin(self) -> None:
        """Start a process if the lock is free. Raises `LaunchError`."""
        if not self.lock.is_usable() or self.lock.try_acquire():
            self._spawn()

    def has_begun(self) -> bool:
        """Return whether a process was started and not handed over."""
        return self._child is not None

    def process(self) -> Started:
        """Return the process; start one if there is none. Raises `LaunchError`."""
        return self._child or self._spawn()

    def hand_over(self) -> None:
        """Leave the process to the caller, who has something now that ends it."""
        self._child = None

    def end(self) -> None:
        """End a process that was not handed over, then release the lock, which its databases need till then. Idempotent."""
        try:
            if self._child is not None:
                self._child.discard()
                self._child = None
        finally:
            self.lock.release()

    def after_fork(self) -> None:
        """Give up in a forked child what belongs to the parent, so that both end when the parent says so."""
        child, self._child = self._child, None
        if child is not None:
            child.after_fork()
        self.lock.after_fork()

    def _spawn(self) -> Started:
        config = self._config
        if config.endpoint is not None or config.token is not None or config.token_env is not None:
            self._child = remote = _remote(config)
            return remote
        _check_directory(config.cwd)
        if names := left_out(config):
            _log.warning("codex.variables_left_out", names=",".join(names), reason="not UTF-8")
        self.before, self.said = self.lock.databases(), b""
        try:
            child = ChildProcess(command_line(config), config.cwd, environment_of(config), self._keep)
        except RuntimeError as error:
            raise LaunchError(NO_THREAD) from error
        if not config.otel:  # else the request has a context, and what finds that is not imported yet
            self._say(child, initialize_line(config))
        return child

    def _keep(self, child: ChildProcess) -> None:
        self._child = child

    def _say(self, child: ChildProcess, line: bytes) -> None:
        """Send the first line, if the pipe takes it as a whole; else the actor does, and finds out what is wrong."""
        with suppress(OSError):
            if len(line) <= child.short() and child.write_short(line):
                self.said = line


def _remote(config: AppServerConfig) -> WebSocket:
    """Return a connection to a runtime elsewhere, which the reader opens. Raises `ConfigError`."""
    # Few programs need it.
    from openai_codex._engine.transport.lasting import LastingWebSocket
    from openai_codex._engine.transport.remote import WebSocket

    return WebSocket(config) if config.restart is None else LastingWebSocket(config)


def _check_directory(cwd: str | None) -> None:
    """Raise `LaunchError` if the runtime would inherit a directory that it cannot use: it says so with the first thread."""
    try:
        if cwd is None:
            os.getcwd().encode()  # noqa: PTH109  a Path is not needed
    except FileNotFoundError:
        raise RuntimeNotFoundError(
            "the working directory of this program does not exist any more; pass cwd=…"
        ) from None
    except UnicodeEncodeError:
        raise LaunchError("the working directory is not named in UTF-8, as the runtime requires; pass cwd=…") from None
