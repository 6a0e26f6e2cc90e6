"""The facts of a history that a person asks for first, as values for JSON."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import datetime, timezone
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from openai_codex._journal.history import LOST, WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_codex._journal.history import Ask, Happening, History, Runtime, Span, Turn

# How many of the slowest, the longest, and so on.
_MOST, _FEW = 10, 5

Facts = dict[str, Any]

_S = TypeVar("_S", bound="Span")


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
        "runtimes": [_runtime_facts(history, each) for each in history.runtimes],
        "turns": _counts(turns),
        "tokens": _tokens(turns),
        "requests": {
            "count": len(history.requests),
            "refused": sum(each.error is not None for each in history.requests),
            "unanswered": sum(each.ended is None for each in history.requests),
        },
        "not_completed": [turn_facts(history, turn) for turn in turns if turn.status != "completed"],
        **_slowest(history),
        "waits": _by_kind((ask.kind, ask) for ask in history.asks),
        "work": _by_kind(
            (WAITING[item.kind], item) for turn in turns for item in turn.items.values() if item.kind in WAITING
        ),
        "silences": _silences(history),
        "anomalies": anomalies(history),
    }


def _runtime_facts(history: History, runtime: Runtime) -> Facts:
    return {
        "client": runtime.client,
        "generation": runtime.generation,
        "pid": runtime.pid,
        "version": runtime.version,
        "at": _at(history, runtime.began),
        "seconds": _rounded(runtime.seconds),
        "end": runtime.why if runtime.ended else None,
    }


def _counts(turns: list[Turn]) -> Facts:
    first = [turn.first_token - turn.began for turn in turns if turn.first_token is not None and not turn.is_cut]
    return {
        "count": len(turns),
        "of_agents": sum(turn.is_agents for turn in turns),
        "by_status": dict(sorted(Counter(turn.status for turn in turns).items())),
        "seconds": _spread(turn.seconds for turn in turns),
        "first_token": _spread(first),
        "at_once": _at_once(turns),
    }


def _slowest(history: History) -> Facts:
    """Return the turns and requests that took longest, and the server requests that waited longest."""
    ended = [turn for turn in history.turns if turn.ended is not None]
    answered = [each for each in history.requests if each.ended is not None]
    asks = sorted(history.asks, key=partial(_waited, history), reverse=True)
    return {
        "slowest_turns": [turn_facts(history, turn) for turn in _longest(ended)[:_FEW]],
        "slowest_requests": [
            {"method": each.method, "at": _at(history, each.began), "seconds": _rounded(each.seconds)}
            | {"outcome": each.outcome, "thread_id": each.thread_id}
            for each in _longest(answered)[:_MOST]
        ],
        "longest_waits": [
            {"kind": ask.kind, "about": ask.what, "turn_id": ask.turn_id, "at": _at(history, ask.began)}
            | {"seconds": _rounded(ask.seconds), "decision": ask.decision, "by": ask.by}
            for ask in asks[:_MOST]
        ],
    }


def _waited(history: History, ask: Ask) -> float:
    return (ask.ended or history.ended) - ask.began


def _silences(history: History) -> list[Facts]:
    found = [(each.seconds, turn, each) for turn in history.turns for each in turn.silences]
    found.sort(key=itemgetter(0), reverse=True)
    return [
        {"seconds": _rounded(each.seconds), "at": _at(history, each.began), "waiting_on": each.waiting_on}
        | {"turn_id": turn.id, "status": turn.status}
        for _, turn, each in found[:_MOST]
    ]


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


def _longest(spans: Sequence[_S]) -> list[_S]:
    return sorted(spans, key=_seconds, reverse=True)


def _seconds(span: Span) -> float:
    return span.seconds or 0.0


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _at(history: History, time: float) -> float:
    return round(time - history.began, 6)
