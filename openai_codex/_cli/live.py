"""How a turn is shown on a terminal: finished work scrolls up, and below it are the text that grows, and the costs.

It needs the library rich, of the extra `cli`. No text of the model is read as markup.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from openai_codex._cli.displays import Display, summary, tokens
from openai_codex._cli.items import Line, item_of, lines_of, message_in
from openai_codex._cli.output import clean

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import RenderableType
    from typing_extensions import Self

    from openai_codex._notification import Notification
    from openai_codex._turns.results import RunResult

# How often the time is drawn anew, per second, and how much of the growing text is below the finished work.
_FRAMES, _TEXT_LINES, _TEXT_LENGTH = 8, 12, 8_000


class LiveDisplay(Display):
    """Shows a turn with rich. Its library draws on a Python thread of its own, which only reads whole values here."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False)
        self._began = time.monotonic()
        self._text = ""
        self._tokens = ""
        self._running: dict[str, str] = {}
        """What the turn is busy with: the line of each item that has started, by its id."""
        self._later: deque[Line] | None = None
        self._reactions = {
            "item/started": self._started,
            "item/completed": self._ended,
            "item/agentMessage/delta": self._grown,
            "thread/tokenUsage/updated": self._counted,
        }
        self._live = self._new_live()

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        self._live.stop()

    def event(self, event: Notification) -> None:
        """Print what is finished, and change what is drawn."""
        prefix = "[sub-agent] " if self.is_of_agent(event) else ""
        react = self._reactions.get(event.method)
        if react is not None:
            react(event, prefix)
        for line in lines_of(event):
            self._print(Line(prefix + line.text, line.style))

    def note(self, text: str, style: str = "") -> None:
        """Print a line."""
        self._print(Line(text, style))

    def finish(self, result: RunResult) -> None:
        """Print what the turn has cost; the answer was printed as the other messages were."""
        for line in summary(result):
            self._print(Line(line, "dim"))

    def fail(self, error: BaseException) -> None:  # noqa: ARG002  the sentence follows
        """Print the text up to then."""
        if self._text:
            self._print(Line(self._text))
            self._text = ""

    @contextmanager
    def paused(self) -> Generator[None]:
        """Remove what is drawn until the question is answered."""
        self._later = deque()
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._new_live()
            self._live.start(refresh=True)
            later, self._later = self._later, None
            for line in later:
                self._print(line)

    def _new_live(self) -> Live:
        """Return what draws: a new one after each pause, as an old one would remove lines that others have written.

        What it draws is removed at its end. All that lasts is printed above it.
        """
        return Live(console=self._console, get_renderable=self._draw, refresh_per_second=_FRAMES, transient=True)

    def _print(self, line: Line) -> None:
        later = self._later
        if later is None:
            self._console.print(Text(line.text, line.style))
        else:
            later.append(line)

    def _draw(self) -> RenderableType:
        parts = [Text(line) for line in self._text.splitlines()[-_TEXT_LINES:]]
        busy = [Text(f"… {line}", "bold", no_wrap=True, overflow="ellipsis") for line in list(self._running.values())]
        foot = f"{time.monotonic() - self._began:.0f} s{self._tokens}  Ctrl-C interrupts"
        return Group(*parts, *busy, Text(foot, "dim"))

    # -- reactions ------------------------------------------------------------------------------------------------------

    def _started(self, event: Notification, prefix: str) -> None:
        lines = lines_of(event)
        if lines:
            self._running = {**self._running, str(item_of(event).id): f"{prefix}{lines[0].text}"}
        elif getattr(item_of(event), "type", "") == "agentMessage" and not prefix:
            self._text = ""  # also after a broken stream, when the model begins its message anew

    def _ended(self, event: Notification, prefix: str) -> None:
        text, key = message_in(event), str(getattr(item_of(event), "id", ""))
        self._running = {each: line for each, line in self._running.items() if each != key}
        if text is not None:
            self._print(Line(f"{prefix}{clean(text)}"))
            self._text = self._text if prefix else ""

    def _grown(self, event: Notification, prefix: str) -> None:
        if not prefix:
            self._text = (self._text + clean(str(event.params.get("delta", ""))))[-_TEXT_LENGTH:]

    def _counted(self, event: Notification, prefix: str) -> None:
        usage = getattr(event.payload, "token_usage", None)
        if usage is not None and not prefix:
            self._tokens = tokens(usage.total, ", ")
