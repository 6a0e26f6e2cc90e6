"""A history in the trace format of Chrome, which https://ui.perfetto.dev and other viewers read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._journal.summary import turn_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._journal.history import History, Runtime, Turn

Event = dict[str, Any]


def events(history: History, turns: list[Turn]) -> Iterator[Event]:
    """Yield the events. Turns, items and server requests are asynchronous ones, because slices on one track have to nest.

    A runtime is a process there, and a thread a thread. Times are microseconds since the beginning of the journal.
    """
    writing = _Writing(history)
    yield from writing.names()
    for turn in turns:
        place = writing.place(turn)
        facts = turn_facts(history, turn)
        common = {"name": turn.prompt or turn.id, "cat": "turn", "id": turn.id, **place}
        yield from writing.span(common, turn.began, turn.until, facts)
        for item in turn.items.values():
            about = {"label": item.label, "status": item.status, "exit_code": item.exit_code}
            common = {"name": item.kind, "cat": "item", "id": f"{turn.id} {item.id}", **place}
            yield from writing.span(common, item.began, turn.until if item.ended is None else item.ended, about)
        for number, ask in enumerate(turn.asks):
            about = {"about": ask.what, "decision": ask.decision, "by": ask.by}
            common = {"name": ask.kind, "cat": "request", "id": f"{turn.id} request {number}", **place}
            yield from writing.span(common, ask.began, turn.until if ask.ended is None else ask.ended, about)
    for each in (*history.life, *history.anomalies):
        where = {"pid": writing.number(each.runtime), "tid": 0, "ts": writing.at(each.at)}
        yield {"name": each.kind, "cat": "event", "ph": "i", "s": "p", **where, "args": {"text": each.text}}


@attrs.define
class _Writing:
    history: History

    def names(self) -> Iterator[Event]:
        """Name the processes and threads."""
        for number, each in enumerate(self.history.runtimes, start=1):
            name = f"runtime {each.generation} of client {each.client}, pid {each.pid}"
            yield {"name": "process_name", "ph": "M", "pid": number, "tid": 0, "args": {"name": name}}
        for number, thread in enumerate(self.history.threads, start=1):
            for runtime in {self.number(turn.runtime) for turn in thread.turns}:
                name = thread.name or thread.id
                yield {"name": "thread_name", "ph": "M", "pid": runtime, "tid": number, "args": {"name": name}}

    def number(self, runtime: Runtime | None) -> int:
        """Return the number of a runtime; 0 for what belongs to none."""
        found = (number for number, each in enumerate(self.history.runtimes, start=1) if each is runtime)
        return next(found, 0)

    def place(self, turn: Turn) -> Event:
        """Return where a turn belongs."""
        threads = self.history.threads
        found = (number for number, each in enumerate(threads, start=1) if each.id == turn.thread_id)
        return {"pid": self.number(turn.runtime), "tid": next(found, 0)}

    def at(self, time: float) -> float:
        """Return a time as the format has it."""
        return round((time - self.history.began) * 1e6, 1)

    def span(self, common: Event, began: float, ended: float, about: Event) -> Iterator[Event]:
        """Yield a beginning and an end."""
        yield {**common, "ph": "b", "ts": self.at(began), "args": about}
        yield {**common, "ph": "e", "ts": self.at(max(began, ended))}
