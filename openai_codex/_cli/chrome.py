"""A history in the trace format of Chrome, which https://ui.perfetto.dev and other viewers read.

Version 52 of Perfetto has loaded such files, of 20 and of 300 turns, in a browser: its importer counted no error and no loss,
each turn, item and request was a slice, and each runtime a process. A test checks the rules of the format that this relies on.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._journal.history import Ask, Item
from openai_codex._journal.summary import turn_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._journal.history import History, Runtime, Turn

Event = dict[str, Any]

_CATEGORY: dict[type, Event] = {Item: {"cat": "item"}, Ask: {"cat": "request"}}


def events(history: History, turns: list[Turn]) -> Iterator[Event]:
    """Yield the events. Turns, items and server requests are asynchronous ones, because slices on one track have to nest.

    A runtime is a process there, and a thread a thread. Times are microseconds since the beginning of the journal, and the
    events are in the order of them.
    """
    writing = _Writing(history)
    yield from writing.names()
    yield from sorted(_happenings(writing, turns), key=itemgetter("ts"))


def _happenings(writing: _Writing, turns: list[Turn]) -> Iterator[Event]:
    history = writing.history
    for number, turn in enumerate(turns, start=1):
        # A track is found by its name, and tracks are sorted by it: those of a turn follow the turn, in their order.
        prefix = f"{number:0{len(str(len(turns)))}}"
        place = writing.place(turn)
        common = {"name": f"{prefix} {turn.prompt or turn.id}", "cat": "turn", **place}
        yield from writing.span(common, turn.began, turn.until, turn_facts(history, turn))
        parts: list[Item | Ask] = [item for item in turn.items.values() if item.kind != "userMessage"]
        parts = sorted([*parts, *turn.asks], key=attrgetter("began"))
        for index, part in enumerate(parts, start=1):
            common = {"name": f"{prefix}.{index:0{len(str(len(parts)))}} {part.kind}", **place, **_CATEGORY[type(part)]}
            yield from writing.span(common, part.began, turn.until if part.ended is None else part.ended, _about(part))
    for each in (*history.life, *history.anomalies):
        where = {"pid": writing.number(each.runtime), "tid": 0, "ts": writing.at(each.at)}
        yield {"name": each.kind, "cat": "event", "ph": "i", "s": "p", **where, "args": {"text": each.text}}


def _about(part: Item | Ask) -> Event:
    if isinstance(part, Item):
        return {"label": part.label, "status": part.status, "exit_code": part.exit_code}
    return {"about": part.what, "decision": part.decision, "by": part.by}


@attrs.define
class _Writing:
    history: History
    ids: Iterator[int] = attrs.field(factory=partial(count, 1))
    threads: dict[int, int] = attrs.field(init=False)
    """The number of the thread of each turn."""

    def __attrs_post_init__(self) -> None:
        threads = enumerate(self.history.threads, start=1)
        self.threads = {id(turn): number for number, thread in threads for turn in thread.turns}

    def names(self) -> Iterator[Event]:
        """Name the processes and threads."""
        yield {"name": "process_name", "ph": "M", "pid": 0, "tid": 0, "args": {"name": "clients"}}
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
        # By the turn and not by its ids: two clients may have threads and turns of equal ids.
        return {"pid": self.number(turn.runtime), "tid": self.threads.get(id(turn), 0)}

    def at(self, time: float) -> float:
        """Return a time as the format has it."""
        return round((time - self.history.began) * 1e6, 1)

    def span(self, common: Event, began: float, ended: float, about: Event) -> Iterator[Event]:
        """Yield a beginning and an end."""
        # An id of the process: Perfetto lists those of the whole trace apart, without names.
        common = {**common, "id2": {"local": hex(next(self.ids))}}
        yield {**common, "ph": "b", "ts": self.at(began), "args": about}
        yield {**common, "ph": "e", "ts": self.at(max(began, ended))}
