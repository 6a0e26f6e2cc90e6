# Derived from openai_codex/_async/client/thread_registry.py by `python -m tools.unasync`; do not edit.
"""Which threads a client has loaded in which of its runtimes, so that a restarted runtime loads them again."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._sync.client.rpc import call
from openai_codex._engine.transport import writer_of
from openai_codex._log import Log
from openai_codex._runtime.imports import load
from openai_codex._turns.effective import (
    EffectiveSettings,
    asked_settings,
    from_reply,
    kept_model,
    not_in_force,
    update_to,
)
from openai_codex._turns.work import STARTING
from openai_codex.errors import (
    ConfigError,
    InternalRpcError,
    InvalidRequestError,
    JsonRpcError,
    MethodNotFoundError,
    ServerBusyError,
    ThreadBusyError,
    ThreadLostError,
    ThreadNotFoundError,
)

if TYPE_CHECKING:
    from openai_codex._sync.client.handlers import Handlers
    from openai_codex._sync.client.supervisor import Supervisor
    from openai_codex._config import AppServerConfig
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.waiting import Deadline
    from openai_codex._turns.reported import Reported

# The methods after which the runtime has a thread loaded, and those after which it has not.
_LOADING = frozenset({"thread/start", "thread/resume", "thread/fork"})
_UNLOADING = frozenset({"thread/archive", "thread/delete", "thread/unsubscribe"})
NOTED = _LOADING | _UNLOADING | {"turn/start"}
"""Requests whose success `note` has to know of."""
PLACED = _LOADING | {"turn/start"}
"""Requests that name a working directory."""

# Settings that the runtime does not store with a thread, so the next runtime has to be told again.
_UNSTORED = ("base_instructions", "config", "developer_instructions")

# The code of a method that the runtime has, and not for this thread.
_NOT_SUPPORTED = -32601

# Size of the table, least recently loaded first out. Threads evicted from it are not resumed after a restart.
_MOST_THREADS = 65_536

_log = Log("connection")


class ThreadRegistry:
    """Records which runtime has each thread, and resumes a thread in the next runtime when it is used again.

    Single operations on its tables need no lock. Two callers that resume one thread at once both send the request,
    which is harmless.
    """

    def __init__(self, supervisor: Supervisor, handlers: Handlers, reported: Reported, config: AppServerConfig) -> None:
        self._supervisor = supervisor
        self._config = config
        self._tools = handlers.tools
        self._work = handlers.work
        self._agents = handlers.agents
        self._usages = handlers.turns.usages
        self._reported = reported
        self._unstored: dict[str, dict[str, Any]] = {}
        self._released: set[str] = set()
        self.has_released: bool = False
        """Whether a thread was ever released or closed, so that it may have to be resumed in the first runtime, too."""
        self.closes: int = 0
        """Counts the threads that were given up. A call that starts a turn compares the count before and after its request."""
        self._generations: dict[str, int] = {}
        self._directories: dict[str, str] = {}
        self._to_pause: set[str] = set()
        handlers.on_reconnect = weakref.WeakMethod(self.reconnect)

    def count(self) -> int:
        """Count the threads that the current runtime has loaded."""
        current = self._supervisor.generation
        return sum(generation == current for generation in tuple(self._generations.values()))

    def is_current(self, thread_id: str) -> bool:
        """Return whether no runtime that has died since was the last to load a thread."""
        return self._generations.get(thread_id, self._supervisor.generation) == self._supervisor.generation

    def forget(self, thread_id: str) -> None:
        """Release what is kept about a thread that the program has given up."""
        self.has_released, self.closes = True, self.closes + 1  # first: another handle may be about to start a turn
        self._generations.pop(thread_id, None)
        self._directories.pop(thread_id, None)
        self._unstored.pop(thread_id, None)
        self._reported.forget(thread_id)
        self._usages.forget(thread_id)
        self._to_pause.discard(thread_id)
        self._tools.forget(thread_id)  # the model calls no tool of this client in it after that
        self._work.forget(thread_id)
        self._agents.forget(thread_id)

    def note(self, actor: Actor, params: protocol.ClientRequest[Any], result: Any) -> None:
        """Record what a successful request has loaded or unloaded."""
        if params.METHOD in _LOADING:
            self._generations.pop(result.thread.id, None)
            self._generations[result.thread.id] = actor.generation
            self._directories.pop(result.thread.id, None)
            self._warn(result.thread.id, params, self._reported.put_settings(result.thread.id, from_reply(result)))
            unstored = {name: value for name in _UNSTORED if (value := getattr(params, name)) is not protocol.UNSET}
            if unstored:
                self._unstored[result.thread.id] = {**self._unstored.pop(result.thread.id, {}), **unstored}
            for table in (self._generations, self._directories, self._unstored):
                if len(table) > _MOST_THREADS:
                    table.pop(next(iter(table)), None)
        elif params.METHOD == "turn/start":
            cwd = getattr(params, "cwd", None)
            if isinstance(cwd, str):  # it holds for the following turns, too
                self._directories[thread_of(params) or ""] = cwd
        elif params.METHOD in _UNLOADING and thread_of(params) not in self._released:
            self.forget(thread_of(params) or "")

    def _warn(self, thread_id: str, params: protocol.ClientRequest[Any], effective: EffectiveSettings) -> None:
        """Log the settings of a request that are not in force: the runtime ignores some without a word."""
        asked = asked_settings(params)
        for name, value in not_in_force(asked, effective, self.base()).items():
            fields = {"setting": name, "asked": str(asked[name]), "in_force": None if value is None else str(value)}
            _log.warning("codex.setting_not_in_force", thread_id=thread_id, **fields)

    def unstored_of(self, thread_id: str) -> dict[str, Any]:
        """Return the settings that this client has loaded a thread with and that the runtime does not store."""
        return self._unstored.get(thread_id, {})

    def release(self, thread_id: str) -> None:
        """Note that a thread is unsubscribed only to be loaded anew, so that what is kept about it stays.

        If its resume does not come to pass, whoever uses the thread next resumes it: its events would be missed.
        """
        self._generations[thread_id] = 0
        self._released.add(thread_id)
        self.has_released = True

    def reconnect(self, running: set[str]) -> None:
        """Note that the connection to the runtime is another one, which has resumed only the threads that run."""
        known = self._generations.copy()
        self._generations = {each: known[each] if each in running else 0 for each in known}
        self.has_released = True

    def reloaded(self, thread_id: str) -> None:
        """Note the end of what `release` has begun, whatever came of it."""
        self._released.discard(thread_id)

    def directory_of(self, thread_id: str, cwd: str | None) -> str | None:
        """Return the directory of a turn, in which relative paths are looked up; ``None`` if files cannot be seen here."""
        base, settings = self.base(), self._reported.settings_of(thread_id)
        of_thread = self._directories.get(thread_id) or (settings and settings.cwd)
        return None if base is None else str(base / (cwd or of_thread or ""))

    def check_directory(self, params: protocol.ClientRequest[Any]) -> None:
        """Raise `ConfigError` for a working directory that does not exist: the runtime accepts any."""
        cwd = getattr(params, "cwd", None)
        if isinstance(cwd, str) and (base := self.base()) is not None and not (base / cwd).is_dir():
            raise ConfigError("cwd", f"expected a directory that exists, got {cwd}")

    def base(self) -> Path | None:
        """Return the directory of the runtime; ``None`` if a program of the user's own may run it somewhere else."""
        config = self._config
        is_elsewhere = config.launch_args_override is not None or config.endpoint is not None
        return None if is_elsewhere else Path(config.cwd or "").absolute()

    def pause_when_resumed(self, thread_id: str) -> None:
        """Pause this thread's goal when the thread is next resumed, because the runtime died before it was paused."""
        self._to_pause.add(thread_id)

    def resume(self, actor: Actor, params: protocol.ClientRequest[Any], deadline: Deadline) -> None:
        """Load the thread of a request again, if it was loaded in a runtime that has died since.

        So is one that is unknown, as it may have been closed, if the request starts a turn by another handle: the runtime
        would accept that, and tell nothing of it.

        Raises `ThreadLostError` if the runtime refuses, or `ThreadNotFoundError` if it was closed, `ThreadBusyError` if
        another process has the thread, and `ConfigError` if the request has a field that an older runtime would ignore.
        """
        if self._supervisor.metadata is not None and self._supervisor.is_older:
            load("openai_codex._runtime.report").check_known(params, self._supervisor.metadata)
        thread_id = thread_of(params)
        if thread_id is None or params.METHOD == "thread/resume" or params.METHOD in _UNLOADING:
            return
        generation = self._generations.get(thread_id)
        may_be_closed = generation is None and self.has_released and params.METHOD in STARTING
        if generation == actor.generation or (generation is None and not may_be_closed):
            return
        # Without the turns: a long history is a large frame, and handles need none of it.
        settings = self._reported.settings_of(thread_id)
        before = {} if settings is None else attrs.asdict(settings, recurse=False)
        given = {**kept_model(before, {}), **self.unstored_of(thread_id)}
        request = protocol.ThreadResumeParams(thread_id=thread_id, exclude_turns=True, **given)
        try:
            reply = codec.structure_result(request.METHOD, call(actor, request, deadline))
            # The runtime stores settings only when a turn begins.
            if lost := update_to(before, from_reply(reply), {}):
                call(actor, protocol.ThreadSettingsUpdateParams(thread_id=thread_id, **lost), deadline)
        except ServerBusyError:
            raise  # not carried out, so the caller can repeat the request
        except (InternalRpcError, InvalidRequestError) as error:  # the former if the thread's file was never written
            self.check_writer(request, error)
            if generation is None:  # no runtime has lost it
                raise
            raise ThreadLostError(thread_id, actor.generation, error.message) from error
        self._generations[thread_id] = actor.generation
        _log.info("codex.thread_resumed", thread_id=thread_id, generation=actor.generation)
        if thread_id in self._to_pause:
            self._pause(actor, thread_id, deadline)

    def _pause(self, actor: Actor, thread_id: str, deadline: Deadline) -> None:
        """Pause a goal that the runtime resumed with its thread, and stop the turn that it may have started."""
        paused = protocol.ThreadGoalSetParams(thread_id=thread_id, status=protocol.ThreadGoalStatus.paused)
        stopped = protocol.TurnInterruptParams(thread_id=thread_id, turn_id="")
        for request in (paused, stopped):
            try:
                call(actor, request, deadline)
            except JsonRpcError as error:  # the goal or the turn has ended
                _log.debug("codex.goal_not_paused", thread_id=thread_id, method=error.method)
        self._to_pause.discard(thread_id)

    def explain(
        self, actor: Actor, params: protocol.ClientRequest[Any], error: JsonRpcError, deadline: Deadline
    ) -> None:
        """Raise the error that says why a request was refused, if another one says more than this."""
        thread_id = thread_of(params)
        if isinstance(error, MethodNotFoundError) and self._supervisor.metadata is not None:
            error.version = self._supervisor.metadata.server_info.version
        if error.code == _NOT_SUPPORTED and params.METHOD == "thread/items/list" and thread_id is not None:
            # The runtime answers so if the thread does not exist.
            try:
                call(actor, protocol.ThreadReadParams(thread_id=thread_id), deadline)
            except ThreadNotFoundError as missing:
                missing.method = params.METHOD
                raise missing from error
        if isinstance(error, InvalidRequestError):
            self.check_writer(params, error)

    def check_writer(self, params: protocol.ClientRequest[Any], error: JsonRpcError) -> None:
        """Raise `ThreadBusyError` if a resume was refused because another process has the thread."""
        thread_id = thread_of(params)
        metadata, actor = self._supervisor.metadata, self._supervisor.actor
        if params.METHOD != "thread/resume" or thread_id is None or metadata is None or actor is None:
            return
        holder = writer_of(metadata.codex_home, thread_id)
        if holder is not None and actor.pid is not None and holder != actor.pid:
            raise ThreadBusyError(
                error.code, error.message, error.data, error.method, thread_id=thread_id, holder=holder
            ) from error


def thread_of(params: object) -> str | None:
    """Return the id of the thread that a request is about, ``None`` if it is about none."""
    thread_id = getattr(params, "thread_id", None)
    return thread_id if isinstance(thread_id, str) else None
