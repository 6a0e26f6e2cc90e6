"""The warnings of a runtime: which notifications are one, what they say, and how often they came."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._log import LIBRARY, Log, is_library_loaded
from openai_codex._runtime.display import hide
from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._notification import Notification

# How many warnings to remember, so that one that the runtime repeats for each thread and turn is logged once.
_KEPT = 1_024

# How much of a text is logged: the body of a provider's failure may be a page of HTML.
_LONGEST = 2_000

# The first line imports the library, which takes the processor for some 25 ms. Usually the runtime warns of its configuration
# when it starts, and the program needs the processor for its first turn then: so this line waits, at most so many seconds.
_DELAY = 0.25

_log = Log("runtime")


def _joined(*parts: Any) -> str:
    return "; ".join(str(part) for part in parts if part)


def _failed(what: str, name: Any, error: Any) -> str:
    return _joined(f"{what} {name}" if name else what, error)


# What a notification says, by its method; ``None`` if this one is no warning.
_TEXTS: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "warning": lambda params: params["message"],
    "guardianWarning": lambda params: params["message"],
    "configWarning": lambda params: _joined(params["summary"], params.get("details"), params.get("path")),
    "deprecationNotice": lambda params: _joined(params["summary"], params.get("details")),
    # The last failure is the end of the turn, which has a log event of its own.
    "error": lambda params: (
        _joined(params["error"]["message"], params["error"].get("additionalDetails")) if params["willRetry"] else None
    ),
    "hook/completed": lambda params: (
        _failed("a hook failed:", params["run"]["sourcePath"], params["run"].get("statusMessage"))
        if params["run"]["status"] == "failed"
        else None
    ),
    "mcpServer/oauthLogin/completed": lambda params: (
        None if params["success"] else _failed("no login to the MCP server", params["name"], params.get("error"))
    ),
    "mcpServer/startupStatus/updated": lambda params: (
        _failed("no start of the MCP server", params["name"], params.get("error"))
        if params["status"] == "failed"
        else None
    ),
    "model/rerouted": lambda params: (
        f"the model {params['fromModel']} is replaced by {params['toModel']}: {params['reason']}"
    ),
    "modelProvider/authRecoveryStarted": lambda params: _joined(params["provider"], params["message"]),
    "thread/environment/disconnected": lambda params: f"the environment {params['environmentId']} is disconnected",
    "thread/realtime/error": lambda params: params["message"],
    "windows/worldWritableWarning": lambda params: f"world-writable directories: {', '.join(params['samplePaths'])}",
    "windowsSandbox/setupCompleted": lambda params: (
        None if params["success"] else _failed("no sandbox", params["mode"], params.get("error"))
    ),
}

METHODS = frozenset(_TEXTS)
"""The notifications that may be a warning."""

# These tell of an event. The others tell of a state, and the runtime repeats them for each thread or turn.
_EVENTS = frozenset({"error", "hook/completed", "thread/environment/disconnected", "thread/realtime/error"})


class Notices:
    """Logs each warning of the runtimes of a client once, and counts all. It is told them on the reader thread."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """How many came, by method."""
        self._post: Callable[[Callable[[], None]], object] | None = None
        self._lines: deque[Callable[[], None]] = deque(maxlen=_KEPT)
        self._is_posted = False
        self._hurried = Latch()
        self._dropped = 0
        self._seen: dict[object, None] = {}

    def log_with(self, post: Callable[[Callable[[], None]], object]) -> None:
        """Have the lines written by ``post``, which runs a function on a worker: the reader must not log."""
        self._post, self._is_posted = post, False
        if self._lines:
            self._request()

    def hurry(self) -> None:
        """Have the first line written at once, if it waits: the client is about to end its threads."""
        if self._lines and _log.is_warning:
            load(LIBRARY)
        self._hurried.set()

    def note(self, event: Notification) -> None:
        """Count a notification that is a warning, and have it logged: as a warning, or for debugging if it was before."""
        method, params = event.method, event.params
        text = _TEXTS[method](params)
        if text is None:
            return
        self.counts[method] = self.counts.get(method, 0) + 1
        place = (params.get("threadId"), params.get("turnId"))
        # By the text alone: the runtime says the same by several methods, too.
        key = (text, place if method in _EVENTS else None)
        log = _log.debug if key in self._seen else _log.warning
        keep_newest(self._seen, key, None, _KEPT)
        fields = {"kind": method, "message": hide(text)[:_LONGEST], "thread_id": place[0], "turn_id": place[1]}
        self._dropped += len(self._lines) == _KEPT  # the oldest one gives way
        self._lines.append(partial(log, "codex.runtime_warning", **fields))
        self._request()

    def _request(self) -> None:
        """Have the lines written, by one task at a time: warnings of many turns must not start a thread for each."""
        if self._post is not None and not self._is_posted:
            self._is_posted = True  # first: the worker may begin at once
            if self._post(self._write) is False:  # so many tasks wait for a thread
                self._is_posted = False

    def _write(self) -> None:
        if not is_library_loaded():
            block_until_ready(self._hurried, _DELAY)
        self._is_posted = False  # first: what is noted from now on has a task of its own
        if self._dropped:
            count, self._dropped = self._dropped, 0
            _log.warning("codex.log_lines_dropped", count=count, reason="no thread wrote the warnings of the runtime")
        with suppress(IndexError):
            while True:
                self._lines.popleft()()
