"""A history as rows of text, with a bar for each turn, item and server request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import attrs

from openai_codex._journal.history import LOST, Ask
from openai_codex._journal.sentences import duration
from openai_codex._runtime.display import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._journal.history import History, Item, Turn

# The part of the width that texts have, in characters, and that of the durations.
_LEAST_TEXT, _MOST_TEXT, _DURATION = 16, 44, 12


@attrs.frozen
class Look:
    """How bars look: by their kind, with a colour for each status; plain without colours."""

    turn: str = "="
    item: str = "-"
    ask: str = "?"
    lost: str = "~"
    colours: dict[str, str] = attrs.field(factory=dict)

    def coloured(self, text: str, status: str) -> str:
        """Return a text in the colour of a status."""
        colour = self.colours.get(status)
        return text if colour is None else f"\x1b[{colour}m{text}\x1b[0m"


COLOURED = {"completed": "32", "failed": "31", "interrupted": "33", LOST: "35", "ask": "36"}


def rows(history: History, turns: list[Turn], width: int, look: Look) -> Iterator[str]:
    """Yield the rows, none wider than ``width`` characters, if that is 40 at least."""
    text = max(_LEAST_TEXT, min(_MOST_TEXT, width // 3))
    scale = Scale(history.began, history.seconds, max(8, width - text - _DURATION - 2), text, look)
    yield scale.axis()
    for turn in turns:
        yield scale.row(
            _title(turn), turn.began, turn.until, look.lost if turn.status == LOST else look.turn, turn.status
        )
        parts: list[Item | Ask] = [item for item in turn.items.values() if item.kind != "userMessage"]
        parts += turn.asks
        for part in sorted(parts, key=lambda each: each.began):
            yield scale.part(part, turn)


def _title(turn: Turn) -> str:
    agent = "agent " if turn.is_agents else ""
    return f"{agent}{turn.status} {turn.prompt or turn.id}"


@attrs.frozen
class Scale:
    """Where a time stands in a row."""

    began: float
    seconds: float
    width: int
    text: int
    look: Look

    def axis(self) -> str:
        """Return the row with the times."""
        end, middle = duration(self.seconds), duration(self.seconds / 2)
        half = self.width // 2
        return f"{'':{self.text}} {'0':{half}}{middle:{max(0, self.width - half - len(end))}}{end}"[
            : self.text + 1 + self.width
        ]

    def part(self, part: Item | Ask, turn: Turn) -> str:
        """Return the row of an item or of a server request."""
        end = turn.until if part.ended is None else part.ended
        if isinstance(part, Ask):
            title = " ".join(filter(None, (part.kind, part.decision, part.what)))
            return self.row(f"  {title}", part.began, end, self.look.ask, "ask")
        return self.row(f"  {part.kind} {part.label}", part.began, end, self.look.item, part.status)

    def row(self, title: str, began: float, ended: float, mark: str, status: str) -> str:
        """Return one row."""
        first = min(self._column(began), self.width - 1)
        last = max(self._column(ended), first + 1)
        bar = f"{' ' * first}{self.look.coloured(mark * (last - first), status)}{' ' * (self.width - last)}"
        return f"{_fitted(title, self.text)} {bar} {duration(ended - began):>{_DURATION}}".rstrip()

    def _column(self, time: float) -> int:
        return round((time - self.began) / self.seconds * self.width) if self.seconds > 0 else 0


def _fitted(text: str, width: int) -> str:
    """Return a text in so many columns; some characters have two."""
    shown, used = "", 0
    for character in escape_controls(text):
        columns = 2 if east_asian_width(character) in "WF" else 1
        if used + columns > width:
            return f"{shown[:-2]}.." if used == width and len(shown) == width else f"{shown}{'':{width - used}}"
        shown, used = shown + character, used + columns
    return f"{shown}{'':{width - used}}"
