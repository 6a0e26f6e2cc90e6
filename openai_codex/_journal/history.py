"""What a journal tells, as values: its runtimes, threads, turns, items, requests. `timeline` fills them.

All times are seconds since the epoch, by the monotonic clock of the machine that wrote the line: the wall clock of the first
line of a client, and what has passed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._turns.usage import TurnTokens

if TYPE_CHECKING:
    from openai_codex._journal.read import Header

LOST = "lost"
"""The status of a turn whose end is not in the journal."""

# How many silences of each turn are kept, the longest ones.
_SILENCES = 3


@attrs.define
class Span:
    """What has a beginning and an end.

    Attributes:
        began: When; of what began before the first line of the journal, when it is first mentioned.
        ended: When; ``None`` if the journal does not have it.
    """

    began: float
    ended: float | None = attrs.field(default=None, kw_only=True)

    @property
    def seconds(self) -> float | None:
        """How long it took, if it has ended."""
        return None if self.ended is None else self.ended - self.began


@attrs.define
class Item(Span):
    """A unit of a turn: a message, a command, a patch, a call of a tool."""

    id: str
    kind: str
    label: str = ""
    status: str = ""
    exit_code: int | None = None


@attrs.define
class Ask(Span):
    """A server request: an approval, a question, a call of a tool. It ends with the answer.

    Attributes:
        method: Its method.
        kind: What it is: approval, question, tool, or another.
        what: What it is about: the reason, or the name of the tool.
        item_id: The item that it belongs to.
        decision: The answer; ``None`` if there was none.
        by: Who decided it, or why it was declined.
    """

    method: str
    kind: str
    what: str = ""
    thread_id: str = ""
    turn_id: str = ""
    item_id: str = ""
    decision: str | None = None
    by: str = ""


@attrs.define
class Request(Span):
    """A request of the program. It ends with the response; ``error`` is that of a refused one."""

    method: str
    thread_id: str = ""
    error: str | None = None

    @property
    def outcome(self) -> str:
        """How it ended."""
        return "no answer" if self.ended is None else "ok" if self.error is None else f"refused: {self.error}"


@attrs.define
class Silence:
    """A time in which no event of a turn came."""

    began: float
    seconds: float
    waiting_on: str


@attrs.define
class Turn(Span):
    """One turn.

    Attributes:
        asked: When it was requested; ``None`` if that is not in the journal.
        first_token: When the first output of the model came.
        status: How it ended, as the runtime says, or `LOST`; empty while it is not known.
        why: The error, who interrupted it, or why it is lost.
        root_turn_id: The turn that it works for, if it is one of a sub-agent; else its own id.
        is_cut: Whether it began before the first line of the journal.
        last: When its last event came.
        interrupted: When the program asked for the interrupt.
        interrupted_by: Which of its Python threads did, or tasks.
        given_up: Why the program no longer waited for it.
    """

    id: str
    thread_id: str
    runtime: Runtime
    asked: float | None = None
    prompt: str = ""
    first_token: float | None = None
    status: str = ""
    why: str = ""
    error_kind: str = ""
    root_turn_id: str = ""
    is_cut: bool = True
    last: float = 0.0
    interrupted: float | None = None
    interrupted_by: str = ""
    given_up: str = ""
    retries: int = 0
    items: dict[str, Item] = attrs.field(factory=dict)
    asks: list[Ask] = attrs.field(factory=list)
    silences: list[Silence] = attrs.field(factory=list)
    usage: TurnTokens = attrs.field(factory=TurnTokens)

    @property
    def is_agents(self) -> bool:
        """Whether it is the turn of a sub-agent."""
        return self.root_turn_id not in {"", self.id}

    @property
    def tokens(self) -> Any:
        """The tokens that it cost; ``None`` if none were reported."""
        return self.usage.spent()

    def waiting_on(self) -> str:
        """Return what it waits for now, as far as the events tell."""
        kinds = [ask.kind for ask in self.asks if ask.ended is None]
        kinds += [item.kind for item in self.items.values() if item.ended is None and item.kind in WAITING]
        return WAITING.get(kinds[0], kinds[0]) if kinds else "model"

    def heard(self, at: float) -> None:
        """Note that an event came."""
        if self.ended is None:
            self.silent(at)
            self.last = max(at, self.last)

    def silent(self, until: float) -> None:
        """Note that no event came since the last one."""
        silence = Silence(self.last, until - self.last, self.waiting_on())
        self.silences = sorted([*self.silences, silence], key=lambda each: -each.seconds)[:_SILENCES]

    @property
    def until(self) -> float:
        """When it ended, or was lost."""
        return self.ended or self.runtime.ended or max(self.runtime.last, self.last)


WAITING = {
    "commandExecution": "command",
    "fileChange": "patch",
    "mcpToolCall": "tool",
    "dynamicToolCall": "tool",
    "collabAgentToolCall": "agent",
    "webSearch": "web search",
}
"""The kinds of items that do work, each with a word for it."""


@attrs.define
class Thread:
    """A conversation, as one client has it."""

    id: str
    client: str
    name: str = ""
    turns: list[Turn] = attrs.field(factory=list)


@attrs.define
class Runtime(Span):
    """A process of the runtime; ``why`` says how it ended."""

    client: str
    generation: int
    pid: int | None
    version: str = ""
    why: str = ""
    last: float = 0.0


@attrs.define
class Happening:
    """An event in the life of a client or runtime, or something that ought not to be: ``kind`` and ``text`` say what."""

    at: float
    kind: str
    text: str
    runtime: Runtime | None = None


@attrs.define
class History:
    """All of a journal. Turns are in the order in which they began."""

    headers: list[Header] = attrs.field(factory=list)
    began: float = 0.0
    ended: float = 0.0
    lines: int = 0
    unreadable: int = 0
    dropped: int = 0
    runtimes: list[Runtime] = attrs.field(factory=list)
    threads: list[Thread] = attrs.field(factory=list)
    turns: list[Turn] = attrs.field(factory=list)
    requests: list[Request] = attrs.field(factory=list)
    asks: list[Ask] = attrs.field(factory=list)
    life: list[Happening] = attrs.field(factory=list)
    anomalies: list[Happening] = attrs.field(factory=list)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.ended - self.began
