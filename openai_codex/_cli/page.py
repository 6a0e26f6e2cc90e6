"""A history as one page for a browser: rows on a time axis, to be folded, searched, zoomed and printed.

The page needs nothing else: its policy forbids every request, and all but its own style and script. Each text is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib.resources import files
from typing import TYPE_CHECKING

from openai_codex._cli.lanes import Box, Lanes
from openai_codex._journal.history import LOST
from openai_codex._journal.sentences import duration
from openai_codex._journal.summary import Facts, anomalies, facts, turn_facts
from openai_codex._runtime.display import escape_controls
from openai_codex._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_codex._journal.history import Ask, History, Item, Thread, Turn

# Up to so many turns are unfolded at first.
_UNFOLDED = 40

_LEGEND = {
    "completed": "turn",
    "failed": "failed",
    "interrupted": "interrupted",
    LOST: "lost",
    "work": "command, patch, tool",
    "message": "message",
    "ask": "waits for an answer of the program",
    "other": "other item, runtime",
}
_CONTROLS = {"open": "Unfold all", "close": "Fold all", "nearer": "Zoom in", "farther": "Zoom out", "all": "Whole time"}


def page(history: History, turns: list[Turn]) -> str:
    """Return the page."""
    return "\n".join(_Page(history, turns).lines()) + "\n"


def text(value: object) -> str:
    """Return a text for the page, as it is: no markup, no control characters."""
    return html.escape(escape_controls(str(value)))


def _source(name: str) -> str:
    return files(__package__ or "").joinpath(name).read_text("utf-8")


def _hash(source: str) -> str:
    return base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


class _Page:
    def __init__(self, history: History, turns: list[Turn]) -> None:
        self._history = history
        self._turns = {id(turn) for turn in turns}
        self._count = len(turns)
        self._facts = facts(history)
        self._lanes = Lanes(history.began, history.seconds, text)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the page."""
        style, script = _source("page.css"), _source("page.js")
        policy = f"default-src 'none'; style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'"
        yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
        yield f"<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}; base-uri 'none'; form-action 'none'\">"
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield f'<meta name="generator" content="openai-codex {__version__}">'
        yield f"<title>Timeline {text(self._facts['began'])}</title>\n<style>{style}</style>\n</head>\n<body>"
        yield from self._head()
        yield f'<main class="chart"><div class="inner">\n{self._row("axis", "", self._lanes.axis())}'
        yield from self._runtimes()
        for thread in self._history.threads:
            yield from self._thread(thread)
        yield "</div></main>"
        yield from self._after()
        yield f'<div id="hint" hidden></div>\n<script>{script}</script>\n</body>\n</html>'

    # -- before and after the chart ----------------------------------------------------------------------------------

    def _head(self) -> Iterator[str]:
        found = self._facts
        states = ", ".join(f"{count} {status}" for status, count in found["turns"]["by_status"].items())
        tiles = {
            "turns": self._count,
            "at once": found["turns"]["at_once"],
            "time": duration(found["seconds"]),
            "tokens": f"{found['tokens'].get('total_tokens', 0):,}",
            "requests refused": found["requests"]["refused"],
            "anomalies": len(found["anomalies"]),
        }
        for kind, each in found["waits"].items():
            tiles[f"waited on {kind}"] = duration(each["seconds"])
        yield f"<header><h1>Timeline</h1><p>{text(found['began'])} · {text(states)}</p>"
        yield '<ul class="facts">'
        yield from (f"<li><b>{text(value)}</b> {text(name)}</li>" for name, value in tiles.items())
        yield '</ul>\n<div class="controls"><input id="search" type="search" aria-label="Search" placeholder="Search">'
        yield from (f'<button type="button" data-do="{name}">{label}</button>' for name, label in _CONTROLS.items())
        yield '<span id="found" role="status"></span></div>\n<p class="legend">'
        for style, label in _LEGEND.items():
            yield f'<span><svg aria-hidden="true"><rect class="{style}" width="14" height="10"/></svg>{label}</span>'
        yield "</p></header>"

    def _after(self) -> Iterator[str]:
        yield '<section class="after">'
        requests = [
            (f"{each['at']:.3f} s", each["method"], duration(each["seconds"]), each["outcome"])
            for each in self._facts["slowest_requests"]
        ]
        found = [
            (f"{each['at']:.3f} s", each["kind"], each["count"], each["text"]) for each in anomalies(self._history)
        ]
        yield from _table("Slowest requests", ("at", "method", "took", "outcome"), requests)
        yield from _table("Anomalies", ("at", "kind", "times", "text"), found)
        yield "</section>"

    # -- rows --------------------------------------------------------------------------------------------------------

    def _row(self, style: str, label: str, lane: str, tags: str = "") -> str:
        shown = text(label)
        return f'<div class="row {style}"><div class="text" title="{shown}">{tags}{shown}</div>{lane}</div>'

    def _runtimes(self) -> Iterator[str]:
        history = self._history
        for each in history.runtimes:
            title = f"runtime {each.generation}, pid {each.pid} {each.version} {each.why}"
            bars = [self._lanes.bar(each.began, each.ended or each.last, "runtime thin", title, (4, 12))]
            bars += [self._lanes.mark(one.at, f"{one.kind}: {one.text}") for one in history.life if one.runtime is each]
            bars += [
                self._lanes.mark(one.at, f"{one.kind}: {one.text}", "bad")
                for one in history.anomalies
                if one.runtime is each and one.kind != "warning"
            ]
            yield self._row("", title, self._lanes.lane(bars))

    def _thread(self, thread: Thread) -> Iterator[str]:
        turns = [turn for turn in thread.turns if id(turn) in self._turns]
        if not turns:
            return
        bars = [bar for turn in turns for bar in self._bars(turn)]
        label = self._row("", f"{thread.name or turns[0].prompt} {thread.id}", self._lanes.lane(bars), _tags(turns))
        shown = " open" if self._count <= _UNFOLDED else ""
        names = text(" ".join(filter(None, (thread.name, thread.id))))
        yield f'<details class="thread" data-thread="{names}"{shown}><summary>{label}</summary>'
        for turn in turns:
            yield from self._turn(turn, shown)
        yield "</details>"

    def _turn(self, turn: Turn, shown: str) -> Iterator[str]:
        agent = "agent " if turn.is_agents else ""
        label = f"{duration(turn.until - turn.began)} {agent}{turn.prompt or turn.id}"
        row = self._row("", label, self._lanes.lane(self._bars(turn)), _tags([turn]))
        yield f'<details class="turn"{shown}><summary>{row}</summary>'
        yield f'<div class="about">{text(_about(turn_facts(self._history, turn), turn))}</div>'
        for item in turn.items.values():
            label = f"{item.kind} {item.label}"
            yield self._row("part", label, self._lanes.lane([self._part(item, turn, (3, 14))]))
        for ask in turn.asks:
            label = f"{ask.kind} {ask.decision or 'no answer'} {ask.what}"
            yield self._row("part", label, self._lanes.lane([self._part(ask, turn, (3, 14))]))
        yield "</details>"

    def _bars(self, turn: Turn) -> Iterator[str]:
        """Yield the bar of a turn, and over it those of its parts, so that a folded one shows where its time went."""
        title = f"{turn.status} turn {turn.id}\n{turn.prompt}\n{duration(turn.until - turn.began)}\n{turn.why}"
        yield self._lanes.bar(turn.began, turn.until, turn.status, title, (2, 16))
        for item in turn.items.values():
            if item.kind != "userMessage":
                yield self._part(item, turn, (4, 5))
        for ask in turn.asks:
            yield self._part(ask, turn, (11, 5))
        if turn.first_token is not None:
            yield self._lanes.mark(turn.first_token, f"first output after {duration(turn.first_token - turn.began)}")

    def _part(self, part: Item | Ask, turn: Turn, box: Box) -> str:
        end = turn.until if part.ended is None else part.ended
        return self._lanes.part(part, end, box)


def _tags(turns: list[Turn]) -> str:
    counts: dict[str, int] = {}
    for turn in turns:
        counts[turn.status] = counts.get(turn.status, 0) + 1
    shown = {status: count for status, count in counts.items() if status != "completed" or len(turns) == 1}
    return "".join(
        f'<span class="tag {text(status)}">{f"{count} " if len(turns) > 1 else ""}{text(status)}</span>'
        for status, count in shown.items()
    )


def _about(found: Facts, turn: Turn) -> str:
    parts = [found["turn_id"], turn.why, f"pid {found['pid']}"]
    if found["tokens"] is not None:
        parts.append(f"{found['tokens']} tokens")
    if found["first_token"] is not None:
        parts.append(f"first output after {duration(found['first_token'])}")
    if turn.silences:
        longest = turn.silences[0]
        parts.append(f"longest silence {duration(longest.seconds)} on {longest.waiting_on}")
    return " · ".join(filter(None, parts))


def _table(title: str, names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Iterator[str]:
    if rows:
        yield f"<h2>{title}</h2><table><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>"
        yield from (f"<tr>{''.join(f'<td>{text(value)}</td>' for value in row)}</tr>" for row in rows)
        yield "</table>"
