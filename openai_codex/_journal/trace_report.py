"""What a journal tells, as Markdown for a bug report: the summary, and the newest frames of the turns that did not complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from openai_codex._journal import sentences, summary
from openai_codex._journal.search import newest
from openai_codex._journal.timeline import load
from openai_codex._runtime.display import escape, hide
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from openai_codex._journal.history import History, Turn

LONGEST = 60_000
"""The most characters: what the bug trackers in use accept."""

# How many turns are reported, how many frames of each, and how many characters of a frame.
_TURNS, _FRAMES, _LONGEST_FRAME = 5, 30, 600


def report(path: str | os.PathLike[str], turn: str | None = None) -> str:
    """Return the report.

    Args:
        path: A journal.
        turn: The beginning of the id of the turn that it is about; by default those that did not complete.

    Raises:
        ConfigError: It does not exist, is not a journal, or does not have this turn.
    """
    history = load(path)
    wanted = [each for each in history.turns if (each.id.startswith(turn) if turn else each.status != "completed")]
    if turn and not wanted:
        raise ConfigError("turn", f"{path} has no turn whose id begins with {turn!r}")
    facts = summary.facts(history)
    chapters = [
        ("# Report of a journal", list(_versions(history))),
        ("## Summary", list(sentences.lines(facts))),
    ]
    frames = newest(path, [each.id for each in wanted[:_TURNS]], _FRAMES)
    for each, lines in zip(wanted, frames, strict=False):
        chapters.append((f"## Turn {escape(each.id)}", [*_turn(history, each), "", *map(_frame, lines)]))
    if more := wanted[_TURNS:]:
        chapters.append(("## More turns", [sentences.turn_line(summary.turn_facts(history, each)) for each in more]))
    return _bounded([_chapter(title, lines) for title, lines in chapters])


def _bounded(chapters: list[str]) -> str:
    """Return the chapters in as many characters as are allowed, each with its part of them."""
    share = LONGEST // len(chapters)
    # What short ones leave goes to the others.
    for _ in chapters:
        long = [each for each in chapters if len(each) > share]
        rest = LONGEST - sum(len(each) for each in chapters if len(each) <= share)
        share = max(share, rest // len(long)) if long else share
    return "\n".join(each if len(each) <= share else _cut(each, share) for each in chapters)


def _cut(chapter: str, share: int) -> str:
    end = "\n… cut\n~~~~~~\n"
    kept, _, _ = chapter[: share - len(end) - 1].rpartition("\n")
    return f"{kept}{end}"


def _chapter(title: str, lines: list[str]) -> str:
    # Longer than any fence that a text is likely to have.
    return "\n".join([title, "", "~~~~~~", *(escape(hide(line)) for line in lines), "~~~~~~", ""])


def _versions(history: History) -> Iterator[str]:
    for header in {header.client: header for header in history.headers}.values():
        known: dict[str, Any] = header.raw
        yield f"openai-codex {header.sdk}, runtime {header.runtime}, schema {header.schema[:16]}"
        yield f"  Python {known.get('python')} on {known.get('platform')}, contents: {header.content}"


def _turn(history: History, turn: Turn) -> Iterator[str]:
    yield sentences.turn_line(summary.turn_facts(history, turn))
    for item in turn.items.values():
        took = sentences.duration(item.seconds)
        yield f"  +{item.began - history.began:.3f} s  {item.kind} {item.label[:100]}: {took}, {item.status or 'under way'}"
    for ask in turn.asks:
        took = sentences.duration(ask.seconds)
        yield f"  +{ask.began - history.began:.3f} s  {ask.kind} {ask.what[:100]}: {took}, {ask.decision or 'no answer'}"


def _frame(line: bytes) -> str:
    raw = orjson.loads(line)
    text = orjson.dumps(raw["frame"]).decode()
    cut = text if len(text) <= _LONGEST_FRAME else f"{text[:_LONGEST_FRAME]}… ({len(text)} characters)"
    return f"{raw['t']:.6f} {raw['dir']} {cut}"
