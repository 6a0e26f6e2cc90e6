"""`replay`: a context that serves the journal of one client, for a client of now."""

from __future__ import annotations

import os
import signal as signals
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import orjson
from typing_extensions import Self

from openai_codex import _checks as checks
from openai_codex._config import AppServerConfig
from openai_codex._journal.read import Header, read
from openai_codex._journal.redact import Redactor
from openai_codex._runtime.display import escape
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.errors import ConfigError
from openai_codex.testing import frames
from openai_codex.testing._fake.child import FakeChild
from openai_codex.testing._fake.control import Control, Link
from openai_codex.testing._replay.player import Player
from openai_codex.testing._replay.recording import Recording, recordings
from openai_codex.testing._waiting import ScriptError, Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from openai_codex._journal.read import Envelope

Timing = Literal["compressed", "original"]

# The runtime's own code for failures of its own.
_FAILED = -32603

_INCOMPLETE = "the journal is not complete: entries were lost while it was written, so what is played may be wrong"
_CUT = "the journal ends here, while this was under way: {}\n"


def replay(path: str | os.PathLike[str], *, timing: Timing = "compressed", client: str | None = None) -> Replay:
    """Serve a journal as a fake runtime: what happened in production, again, without model, account and network.

        with replay("run.jsonl") as recorded, Codex(recorded.config) as codex:
            result = codex.thread_start().run("Hi")  # what the program did when the journal was written

    The program sends its requests as it did then, in any order that it may send them in. Each is compared with the recorded
    ones by method and params, and the first that is the same and was not sent yet is answered. Ids of requests may differ;
    ``cwd``, ``trace``, ``clientInfo`` and ``clientUserMessageId`` are not compared, an absolute path equals any other, and
    where the journal has ``***``, the hash or the beginning of a text, the rest is not known and not compared. The program
    receives these in place of the text, so what it makes of one may be another request, which the error says.

    What the runtime sent follows in its order: on each thread, with its forks and sub-agents, after the requests and answers
    that it followed when it was recorded. Threads do not wait for each other. Threads that were started by equal requests
    may be started in another order; the first request for one shows which it is. Requests that only read are answered at
    once, and events that are of no thread wait for all requests that came before them.

    Handlers and tools of the program run again. What they return is compared only as far as it decides how the turn goes
    on: ``decision``, ``action``, ``success``, and whether it is an error. If it differs, the recorded events follow
    nevertheless, and leaving the context reports it.

    A runtime that died then dies again, and the next start plays the next runtime of the journal. Where the journal ends in
    the middle of a turn, as that of a killed program does, the fake runtime exits and says so.

    Args:
        path: The journal: a file, with those that follow it, or a directory.
        timing: ``"compressed"`` sends without waiting, ``"original"`` lets the recorded time pass between two steps.
        client: Which client, if the journal has several: its id, which the error lists.

    Returns:
        The context. It is read already; the fake runtime is started when the context is entered.

    Raises:
        ConfigError: The journal cannot be read, its beginning was deleted, or it is not clear which client is meant.
        ScriptError: On leaving the context: a request was not in the journal, an answer differed, the journal ended
            within a turn, or entries were lost when it was written. The program has received an `InvalidRequestError` that
            shows the request and what was expected.
    """
    if timing not in get_args(Timing):
        raise checks.refusal("timing", timing, "'compressed' or 'original'")
    name, header, envelopes = _chosen(path, client)
    try:
        starts = recordings(envelopes)
    except Exception as error:  # a journal may hold anything
        raise ConfigError("path", f"{name} has lines that no runtime sends: {type(error).__name__}: {error}") from error
    if not starts or not any(each.method == "initialize" for each in starts[0].inputs):
        raise ConfigError("path", f"{name} does not have the beginning of client {header.client!r}: files were deleted")
    is_complete = not any(each.event == "journal_dropped" for each in envelopes)
    return Replay(name, header, starts, is_complete=is_complete, is_paced=timing == "original")


class Replay(NotPickled):
    """A journal that is served as a fake runtime; made by `replay`. Needs a POSIX system."""

    _TO_PICKLE = "pickle the path of the journal that it replays"

    def __init__(
        self, name: str, header: Header, starts: list[Recording], *, is_complete: bool, is_paced: bool
    ) -> None:
        self._name = name
        self._header = header
        self._starts = starts
        self._is_paced = is_paced
        self._problems = [] if is_complete else [_INCOMPLETE]
        self._control: Control | None = None
        self._count = 0

    @property
    def config(self) -> AppServerConfig:
        """The configuration of a client, for one client at a time. Raises `ScriptError` before the context is entered."""
        if self._control is None:
            raise ScriptError(("the replay is not started: use it as a context",))
        return AppServerConfig(launch_args_override=self._control.command_line)

    def __enter__(self) -> Self:
        if self._control is not None:
            raise ScriptError(("a replay can be used only once",))
        self._control = Control(self._welcome)
        self._control.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._control is not None:
            self._control.close()
        if kind is None and self._problems:
            raise ScriptError(tuple(f"replay of {self._name}: {problem}" for problem in self._problems))

    # -- on the control thread ---------------------------------------------------------------------------------------

    def _welcome(self, link: Link) -> None:
        self._count += 1
        missing = self._count > len(self._starts)
        recording = Recording(self._count) if missing else self._starts[self._count - 1]
        child = FakeChild(self._count, link, Watch(), lambda _, line: self._take(stage, player, line))
        stage = _Stage(child, link, self._problems)
        redactor = Redactor(_content(self._header), self._header.redact)
        player = Player(recording, redactor, stage, paced=self._is_paced)
        self._attempt(stage, {}, player.begin)
        child.resume_reading()

    def _take(self, stage: _Stage, player: Player, line: bytes) -> None:
        frame = orjson.loads(line)
        self._attempt(stage, frame, partial(player.receive, frame))

    def _attempt(self, stage: _Stage, frame: dict[str, Any], act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001  a journal may hold anything, and the program would wait for ever
            stage.report(f"the journal cannot be played: {type(error).__name__}: {error}")
            if "method" in frame and "id" in frame:
                stage.send(frames.refusal(frame["id"], _FAILED, self._problems[-1]))


class _Stage:
    """The process that plays a start."""

    def __init__(self, child: FakeChild, link: Link, problems: list[str]) -> None:
        self._child = child
        self._link = link
        self._problems = problems
        self.send = child.write

    @property
    def now(self) -> float:
        return time.monotonic()

    def later(self, delay: float, action: Callable[[], None]) -> None:
        self._link.control.loop.call_later(delay, action)

    def report(self, problem: str) -> None:
        self._problems.append(problem)

    def end(self, recording: Recording) -> None:
        if recording.is_frozen:
            self._child.stop_reading()
        elif recording.is_cut:
            open_ones = [f"turn {turn} of thread {thread}" for turn, thread in recording.open_turns.items()]
            open_ones += [f"the request {each.method}" for each in recording.inputs if each.is_open]
            self.report(_CUT.format(", ".join(open_ones)).strip())
            self._child.write_stderr(escape(self._problems[-1]).encode() + b"\n")
            self._child.exit(1)
        elif (code := recording.exit_code or 0) < 0:
            self._child.kill(signals.Signals(-code))
        else:
            self._child.exit(code)


def _content(header: Header) -> Any:
    return header.content if header.content in {"hash", "cut"} else "keep"


def _chosen(path: str | os.PathLike[str], client: str | None) -> tuple[str, Header, list[Envelope]]:
    found: dict[str, list[Envelope]] = {}
    headers: dict[str, Header] = {}
    for envelope in read(path):
        header = envelope.header or Header(1, "")
        headers.setdefault(header.client, header)
        found.setdefault(header.client, []).append(envelope)
    named = "; ".join(f"{id!r} (process {each.pid}, {len(found[id])} entries)" for id, each in headers.items())
    if not found:
        raise ConfigError("path", f"{path} has no frames")
    if client is None and len(found) > 1:
        raise ConfigError("client", f"{path} has several clients, of which one has to be chosen: {named}")
    if client is not None and client not in found:
        raise ConfigError("client", f"{path} has no client {client!r}, but {named}")
    id = next(iter(found)) if client is None else client
    return os.fspath(path), headers[id], found[id]
