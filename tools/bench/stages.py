"""`python -m tools.bench.stages` prints the cost of each stage of a delta.

Unlike the programs of the benchmark it uses internals of the package. It uses one thread and no pipe, so that only the
stages are measured, and takes the best of several rounds, because other load on the machine only adds time.
"""

from __future__ import annotations

import time
from itertools import islice
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from tools.bench.programs.child import Turn, unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Costs = dict[str, float]

JSON = "of the next, the JSON alone"

READ = 1 << 16
"""The number of bytes per read of the pipe."""


class Clock:
    """Sums up the CPU time of each stage on this thread, in microseconds."""

    def __init__(self) -> None:
        self.costs: Costs = {}

    def time(self, stage: str, work: Callable[..., Any], *given: Any) -> Any:
        """Run a function and add its time to a stage."""
        start = time.thread_time_ns()
        outcome = work(*given)
        self.costs[stage] = self.costs.get(stage, 0.0) + (time.thread_time_ns() - start) / 1e3
        return outcome


def stage_costs(deltas: int, rounds: int) -> Costs:
    """Return the microseconds of each stage of a delta, from the pipe to a consumer that reads its text."""
    turn = Turn(unique(1), unique(2))
    output = turn.delta * deltas
    chunks = [output[at : at + READ] for at in range(0, len(output), READ)]
    best: Costs = {}
    for _ in range(rounds):
        costs = _through(chunks)
        best = {stage: min(cost, best.get(stage, cost)) for stage, cost in costs.items()}
    return {stage: cost / deltas for stage, cost in best.items()}


def _through(chunks: list[bytes]) -> Costs:
    import orjson

    from openai_codex._engine.router import Router
    from openai_codex._engine.subscriptions import Topic
    from openai_codex._engine.wire import LineSplitter, decode
    from openai_codex._sync.client.cursor import Cursor
    from openai_codex._sync.stream import TurnStream
    from openai_codex._turns.open_turns import OpenTurns
    from openai_codex._turns.stops import TurnStop

    clock, lines, router, stop = Clock(), LineSplitter(), Router(64), TurnStop(unique(1))
    mailbox = stop.mailbox
    router.subscriptions.add(Topic(unique(1), unique(2)), mailbox)
    turn = OpenTurns().expect(stop, stop.thread_id)
    stream = TurnStream(Cursor(cast("Any", _Unconnected()), unique(2), stop, turn), inf)
    for chunk in chunks:
        complete = clock.time("cut into lines", lines.feed, chunk)
        clock.time(JSON, _each, orjson.loads, complete)
        frames = clock.time("decode, make notifications", _each, decode, complete)
        delivered = clock.time("route", router.dispatch, frames).delivered
        clock.time("fill the mailbox", mailbox.put, delivered[mailbox])
        events = clock.time("take, hand out", list, islice(stream, len(delivered[mailbox])))
        clock.time("build the payload, read it", _each, attrgetter("payload.delta"), events)
    return clock.costs


def _each(work: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    return [work(value) for value in values]


class _Unconnected:
    """The part of a connection that a cursor uses while no error occurs."""

    def check_loop(self) -> None:
        """Do nothing: the sync face has no loop."""

    def watch(self, turn: object) -> None:
        """Do nothing: no running turns are listed."""


def main(deltas: int = 20_000, rounds: int = 25) -> None:
    """Print the stages and their sum."""
    costs = stage_costs(deltas, rounds)
    for stage, cost in costs.items():
        print(f"{cost:7.2f} µs  {stage}")
    print(f"{sum(costs.values()) - costs[JSON]:7.2f} µs  in all")


if __name__ == "__main__":
    main()
