"""The SVG of the page: one lane for each row, with bars and marks, and the axis. Places are percentages of the width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from openai_codex._journal.history import WAITING, Item
from openai_codex._journal.sentences import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._journal.history import Ask

# What is shorter would not be seen, in percent.
_LEAST = 0.12

# How many times the axis names at most.
_TICKS = 9

Box = tuple[int, int]
"""Where a bar begins below the top of its lane, and how high it is, in pixels."""

_MESSAGES = frozenset({"agentMessage", "reasoning", "plan"})


@attrs.frozen
class Lanes:
    """Makes lanes.

    Attributes:
        began: The time at their left end.
        seconds: How long they are.
        text: Makes a text safe for the page.
    """

    began: float
    seconds: float
    text: Callable[[object], str]

    def lane(self, parts: Iterable[str]) -> str:
        """Return a lane."""
        return f'<svg class="lane" role="img">{"".join(parts)}</svg>'

    def bar(self, began: float, ended: float, style: str, title: str, box: Box) -> str:
        """Return a bar; the title is shown beside the pointer."""
        top, height = box
        first = min(self._place(began), 100 - _LEAST)
        width = max(self._place(ended) - first, _LEAST)
        place = f'x="{first:.3f}%" width="{width:.3f}%" y="{top}" height="{height}" rx="2"'
        return f'<rect class="{self.text(style)}" {place}><title>{self.text_lines(title)}</title></rect>'

    def part(self, part: Item | Ask, ended: float, box: Box) -> str:
        """Return the bar of an item or of a server request."""
        took = duration(part.seconds)
        if isinstance(part, Item):
            style = "work" if part.kind in WAITING else "message" if part.kind in _MESSAGES else "other"
            code = "" if part.exit_code is None else f", exit code {part.exit_code}"
            title = f"{part.kind} {part.label}\n{took}, {part.status or 'no end'}{code}"
        else:
            by = f" by {part.by}" if part.by else ""
            style, title = "ask", f"{part.kind} {part.what}\n{took}, {part.decision or 'no answer'}{by}"
        return self.bar(part.began, ended, style, title, box)

    def mark(self, at: float, title: str, style: str = "mark") -> str:
        """Return a vertical line."""
        place = f'x1="{self._place(at):.3f}%" x2="{self._place(at):.3f}%" y1="1" y2="19"'
        return f'<line class="{style}" {place}><title>{self.text_lines(title)}</title></line>'

    def axis(self) -> str:
        """Return the lane with the times."""
        step = _step(self.seconds / _TICKS)
        parts = []
        for number in range(int(self.seconds / step) + 1 if step else 1):
            place = self._place(self.began + number * step)
            parts.append(f'<line class="grid" x1="{place:.3f}%" x2="{place:.3f}%" y1="0" y2="20"/>')
            if place < 96:  # noqa: PLR2004  what is further right would be cut off
                parts.append(
                    f'<text x="{place:.3f}%" dx="3" y="13">{duration(number * step) if number else "0"}</text>'
                )
        return self.lane(parts)

    def text_lines(self, title: str) -> str:
        """Return a text of several lines, safe for the page."""
        return "\n".join(self.text(line) for line in title.split("\n") if line.strip())

    def _place(self, time: float) -> float:
        return max(0.0, min(100.0, (time - self.began) / self.seconds * 100)) if self.seconds > 0 else 0.0


def _step(least: float) -> float:
    """Return the next round number of seconds."""
    if least <= 0:
        return 0.0
    power = 0.001
    while power * 10 < least:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor >= least)
