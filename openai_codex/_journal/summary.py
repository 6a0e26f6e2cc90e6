"""The facts of a history that a person asks for first, as values for JSON; and how they read as text."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from openai_codex._journal.history import LOST, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from openai_codex._journal.history import Happening, History, Span, Turn

# How many of the slowest, the longest, and so on.
_MOST = 10

Facts = dict[str, Any]
T = TypeVar("T")


def facts(history: History) -> Facts:
    """Return the facts. Times are seconds since the beginning of the journal, which is ``began``."""
    turns = history.turns
    return {
        "began": datetime.fromtimestamp(history.began, timezone.utc).isoformat(timespec="milliseconds"),
        "seconds": round(history.seconds, 6),
        "lines": history.lines,
        "unreadable_lines": history.unreadable,
        "dropped_lines": history.dropped,
        "clients": clients(history),
        "runtimes": [
            {
                "client": each.client,
                "generation": each.generation,
                "pid": each.pid,
                "version": each.version,
                "at": _at(history, each.began),
                "seconds": _rounded(each.seconds),
                "end": each.why if each.ended else None,
            }
            for each in history.runtimes
        ],
        "turns": {
            "count": len(turns),
            "of_agents": sum(turn.is_agents for turn in turns),
            "by_status": dict(sorted(Counter(turn.status for turn in turns).items())),
            "seconds": _spread(turn.seconds for turn in turns),
            "first_token": _spread(
                turn.first_token - turn.began for turn in turns if turn.first_token is not None and not turn.is_cut
            ),
            "at_once": _at_once(turns),
        },
        "tokens": _tokens(turns),
        "not_completed": [turn_facts(history, turn) for turn in turns if turn.status != "completed"],
        "slowest_turns": [
            turn_facts(history, turn)
            for turn in _longest((turn for turn in turns if turn.ended is not None), _seconds)[:5]
        ],
        "slowest_requests": [
            {"method": each.method, "at": _at(history, each.began), "seconds": _rounded(each.seconds)}
            | {"outcome": each.outcome, "thread_id": each.thread_id}
            for each in _longest((each for each in history.requests if each.ended is not None), _seconds)[:_MOST]
        ],
        "requests": {
            "count": len(history.requests),
            "refused": sum(each.error is not None for each in history.requests),
            "unanswered": sum(each.ended is None for each in history.requests),
        },
        "waits": _by_kind((ask.kind, ask) for ask in history.asks),
        "longest_waits": [
            {"kind": ask.kind, "about": ask.what, "turn_id": ask.turn_id, "at": _at(history, ask.began)}
            | {"seconds": _rounded(ask.seconds), "decision": ask.decision, "by": ask.by}
            for ask in _longest(history.asks, lambda ask: (ask.ended or history.ended) - ask.began)[:_MOST]
        ],
        "work": _by_kind(
            (WAITING[item.kind], item) for turn in turns for item in turn.items.values() if item.kind in WAITING
        ),
        "silences": [
            {"seconds": _rounded(each.seconds), "at": _at(history, each.began), "waiting_on": each.waiting_on}
            | {"turn_id": turn.id, "status": turn.status}
            for turn, each in _longest(
                ((turn, each) for turn in turns for each in turn.silences), lambda pair: pair[1].seconds
            )[:_MOST]
        ],
        "anomalies": anomalies(history),
    }


def clients(history: History) -> list[Facts]:
    """Return who wrote the journal."""
    headers = {header.client: header for header in history.headers}
    names = ("client", "pid", "sdk", "runtime", "content", "redact")
    return [{name: getattr(header, name) for name in names} for header in headers.values()]


def turn_facts(history: History, turn: Turn) -> Facts:
    """Return what is known of a turn."""
    tokens = turn.tokens
    return {
        "turn_id": turn.id,
        "thread_id": turn.thread_id,
        "root_turn_id": turn.root_turn_id or turn.id,
        "status": turn.status,
        "why": turn.why,
        "error": turn.error_kind,
        "prompt": turn.prompt,
        "at": _at(history, turn.began),
        "is_cut": turn.is_cut,
        "seconds": _rounded(turn.seconds),
        "first_token": None if turn.first_token is None else _rounded(turn.first_token - turn.began),
        "last_event": _at(history, turn.last),
        "silence": _rounded(turn.silences[0].seconds) if turn.silences else None,
        "waiting_on": turn.waiting_on() if turn.status == LOST else None,
        "retries": turn.retries,
        "tokens": None if tokens is None else tokens.total_tokens,
        "items": len(turn.items),
        "pid": turn.runtime.pid,
        "generation": turn.runtime.generation,
    }


def anomalies(history: History) -> list[Facts]:
    """Return what ought not to be, equal ones as one."""
    found: dict[tuple[str, str], list[Happening]] = {}
    for each in history.anomalies:
        found.setdefault((each.kind, each.text), []).append(each)
    return [
        {"kind": kind, "text": text, "count": len(all_), "at": _at(history, all_[0].at)}
        for (kind, text), all_ in found.items()
    ]


def _tokens(turns: Iterable[Turn]) -> Facts:
    total: Counter[str] = Counter()
    for tokens in (turn.tokens for turn in turns):
        if tokens is not None:
            total.update({name: value for name, value in attrs.asdict(tokens).items() if isinstance(value, int)})
    return dict(total)


def _at_once(turns: Iterable[Turn]) -> int:
    """Return how many turns were under way at the same time, at most."""
    steps = sorted(step for turn in turns for step in ((turn.began, 1), (turn.until, -1)))
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def _by_kind(pairs: Iterable[tuple[str, Span]]) -> dict[str, Facts]:
    kinds: dict[str, list[Span]] = {}
    for kind, span in pairs:
        kinds.setdefault(kind, []).append(span)
    return {
        kind: {
            "count": len(spans),
            "seconds": round(sum(span.seconds or 0.0 for span in spans), 6),
            "longest": round(max(span.seconds or 0.0 for span in spans), 6),
            "without_end": sum(span.ended is None for span in spans),
        }
        for kind, spans in kinds.items()
    }


def _spread(values: Iterable[float | None]) -> Facts | None:
    known = [value for value in values if value is not None]
    return {"median": _rounded(statistics.median(known)), "longest": _rounded(max(known))} if known else None


def _longest(values: Iterable[T], key: Callable[[T], float]) -> list[T]:
    return sorted(values, key=key, reverse=True)


def _seconds(span: Span) -> float:
    return span.seconds or 0.0


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _at(history: History, time: float) -> float:
    return round(time - history.began, 6)


# -- as text ----------------------------------------------------------------------------------------------------------


def duration(seconds: float | None) -> str:
    """Return how long something took, for people."""
    if seconds is None:
        return "no end"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(seconds, 60)
    return f"{seconds:.1f} s" if seconds < 2 * 60 else f"{minutes:.0f} min {rest:.0f} s"


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
    yield f"turns: {turns['count']} ({states or 'none'}), at most {turns['at_once']} at once"
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
