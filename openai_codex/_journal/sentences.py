"""The facts of a summary as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._journal.history import LOST

if TYPE_CHECKING:
    from collections.abc import Iterator

Facts = dict[str, Any]


def duration(seconds: float | None) -> str:
    """Return how long something took, for people."""
    if seconds is None:
        return "no end"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 2 * 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, of_hour = divmod(minutes, 60)
    return f"{hours} h {of_hour} min" if hours else f"{minutes} min {rest} s"


def lines(found: Facts) -> Iterator[str]:
    """Yield the facts as lines of text."""
    turns, tokens, requests = found["turns"], found["tokens"], found["requests"]
    states = ", ".join(f"{count} {status}" for status, count in turns["by_status"].items())
    yield f"{found['began']}, {duration(found['seconds'])}, {found['lines']} lines"
    for each in found["clients"]:
        yield f"  client {each['client']} of process {each['pid']}, openai-codex {each['sdk']}"
    for each in found["runtimes"]:
        version = f", version {each['version']}" if each["version"] else ""
        ended = (
            "no end in the journal"
            if each["end"] is None
            else f"ended after {duration(each['seconds'])}: {each['end']}"
        )
        yield f"  runtime {each['generation']} of client {each['client'] or '?'}, pid {each['pid']}{version}: {ended}"
    at_once = f", at most {turns['at_once']} at once" if turns["count"] else ""
    yield f"turns: {turns['count']} ({states or 'none'}){at_once}"
    for name, title in (("seconds", "duration"), ("first_token", "first output")):
        if turns[name] is not None:
            yield f"  {title}: median {duration(turns[name]['median'])}, longest {duration(turns[name]['longest'])}"
    if tokens:
        yield "tokens: " + ", ".join(f"{name.removesuffix('_tokens')} {count}" for name, count in tokens.items())
    yield f"requests: {requests['count']}, {requests['refused']} refused, {requests['unanswered']} without an answer"
    for title, rows in _chapters(found).items():
        if rows:
            yield ""
            yield f"{title}:"
            yield from (f"  {row}" for row in rows)


def _chapters(found: Facts) -> dict[str, list[str]]:
    """Return the rows of each chapter."""
    return {
        "turns that did not complete": [turn_line(each) for each in found["not_completed"]],
        "slowest turns": [turn_line(each) for each in found["slowest_turns"]],
        "slowest requests": [
            f"{_when(each)}  {each['method']}: {duration(each['seconds'])}, {each['outcome']}"
            for each in found["slowest_requests"]
        ],
        "waits on answers of the program": _kinds(found["waits"]),
        "longest of them": [
            f"{_when(each)}  {each['kind']} {each['about']}: {duration(each['seconds'])}, "
            f"{each['decision'] or 'no answer'}{' by ' * bool(each['by'])}{each['by']}, turn {each['turn_id']}"
            for each in found["longest_waits"]
        ],
        "work of the runtime": _kinds(found["work"]),
        "longest silences of turns": [
            f"{_when(each)}  {duration(each['seconds'])} on {each['waiting_on']}, turn {each['turn_id']} ({each['status']})"
            for each in found["silences"]
        ],
        "anomalies": [*_losses(found), *map(anomaly_line, found["anomalies"])],
    }


def _kinds(kinds: dict[str, Facts]) -> list[str]:
    return [
        f"{kind}: {each['count']}, together {duration(each['seconds'])}, longest {duration(each['longest'])}"
        + (f", {each['without_end']} without an end" if each["without_end"] else "")
        for kind, each in kinds.items()
    ]


def _losses(found: Facts) -> list[str]:
    counts = {"lines cannot be read": found["unreadable_lines"], "lines were not written": found["dropped_lines"]}
    return [f"{count} {what}" for what, count in counts.items() if count]


def turn_line(turn: Facts) -> str:
    """Return a turn as one line."""
    about = f" {turn['prompt'][:40]!r}" if turn["prompt"] else ""
    why = f": {turn['why']}" if turn["why"] else ""
    if turn["status"] == LOST:
        why += f"; last event at +{turn['last_event']:.3f} s, it waited for the {turn['waiting_on']}"
    took = "" if turn["seconds"] is None else f" after {duration(turn['seconds'])}"
    return f"{_when(turn)}  {turn['turn_id']}{about} {turn['status']}{took}{why}"


def anomaly_line(each: Facts) -> str:
    """Return an anomaly as one line."""
    times = f" ({each['count']} times)" if each["count"] > 1 else ""
    return f"{_when(each)}  {each['kind']}{times}: {each['text']}"


def _when(each: Facts) -> str:
    return f"+{each['at']:.3f} s"
