"""`python -m tools.bench.hops` prints where a request and a delta spend steps and CPU time, by hop on their way.

Unlike the programs of the benchmark it knows the modules of the package. The other end is the fake runtime. It counts in
the modules of each hop, on the thread of the caller and on the reader, and beside that in the actor floor.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

import attrs

from openai_codex import AsyncCodex, Codex, CodexConfig
from tools.bench import subjects
from tools.bench.probes import WHOLE, Place, Probe, Steps, Times, Whole
from tools.bench.programs import actor_floor, gauge
from tools.bench.programs.actor import Actor, AsyncActor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CALLER, READER = "caller", "reader"

OTHER = "all else"


@attrs.frozen
class Hop:
    """A part of the way of a request.

    Attributes:
        title: What it is called.
        thread: Whose it is, `CALLER` or `READER`.
        modules: Its modules, without the names of the package and of the face. The first hop that fits counts.
    """

    title: str
    thread: str
    modules: tuple[str, ...]

    def covers(self, place: Place) -> bool:
        """Return whether this is the hop of a place."""
        name = place.module.removeprefix("openai_codex.").removeprefix("_sync.").removeprefix("_async.")
        known = any(name == module or name.startswith(f"{module}.") for module in self.modules)
        return known and place.is_caller == (self.thread == CALLER)


HOPS = (
    Hop("thread, its arguments", CALLER, ("thread", "_checks", "_protocol")),
    Hop("connection", CALLER, ("client.connection",)),
    Hop("supervisor", CALLER, ("client.supervisor",)),
    Hop("rpc, whether to log", CALLER, ("client.rpc", "_log", "logging")),
    Hop("dump of the params", CALLER, ("_codec.unstructuring",)),
    Hop("actor, router", CALLER, ("_engine.actor", "_engine.router", "namedtuple__Pending")),
    Hop("reply: made, and read", CALLER, ("_engine.reply",)),
    Hop("JSON", CALLER, ("_engine.wire",)),
    Hop("outbox, record of what is sent", CALLER, ("_engine.outbox", "_engine.recent", "_engine.transport")),
    Hop("write", CALLER, ("_engine.lane",)),
    Hop("read, record of what is read", READER, ("_engine.reader", "_engine.recent", "_engine.transport")),
    Hop("wire: lines, JSON, frames", READER, ("_engine.wire",)),
    Hop("actor, router", READER, ("_engine.actor", "_engine.router", "_engine.subscriptions", "_engine.outbox")),
    Hop("reply", READER, ("_engine.reply",)),
    Hop("mailbox", READER, ("_engine.mailbox", "_engine.backlog")),
    Hop("wake-up of the caller", READER, ("_engine.waiting", "client._wait", "client._loop", "asyncio")),
    Hop("deadline, wait, wake-up", CALLER, ("_engine.waiting", "client._wait", "client._loop", "weakref")),
    Hop("event loop", CALLER, ("asyncio", "selectors")),
    Hop("mailbox", CALLER, ("_engine.mailbox", "_engine.backlog")),
    Hop("stream, fold", CALLER, ("stream", "iteration", "client.cursor", "_turns")),
    Hop("decode of the result, or of the payload", CALLER, ("_codec", "_notification", "cattrs", "<string>")),
)
"""In the order in which a request passes them."""


# -- what is measured ------------------------------------------------------------------------------------------------


def request(probe: Probe, shares: int, size: int) -> None:
    """One request after another."""
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = codex.thread_start()
        for _ in range(shares):
            with probe:
                for _ in range(size):
                    thread.set_name("name")


def floor_request(probe: Probe, shares: int, size: int) -> None:
    """One request after another."""
    with Actor() as client:
        for _ in range(shares):
            with probe:
                for _ in range(size):
                    client.request(actor_floor.NAME, threadId="", name="name")


def async_request(probe: Probe, shares: int, size: int) -> None:
    """One request after another, in one task."""

    async def ask() -> None:
        async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
            thread = await codex.thread_start()
            for _ in range(shares):
                with probe:
                    for _ in range(size):
                        await thread.set_name("name")

    asyncio.run(ask())


def async_floor_request(probe: Probe, shares: int, size: int) -> None:
    """One request after another, in one task."""

    async def ask() -> None:
        with AsyncActor() as client:
            for _ in range(shares):
                with probe:
                    for _ in range(size):
                        await client.request(actor_floor.NAME, threadId="", name="name")

    asyncio.run(ask())


def delta(probe: Probe, shares: int, size: int) -> None:
    """One turn after another, each with so many deltas; the request that starts them, and the end, are counted with them."""
    text = 0
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = codex.thread_start()
        for _ in range(shares):
            turn = codex.thread_start().turn(f"flood {size}")
            with probe:
                thread.set_name("go")
                for event in turn.stream():
                    if event.method == gauge.DELTA:
                        text += len(event.payload.delta)  # type: ignore[attr-defined]  # the method says its type
    assert text == shares * size * len("word ")


def floor_delta(probe: Probe, shares: int, size: int) -> None:
    """As `delta`."""
    text = 0
    with Actor() as client:
        for _ in range(shares):
            turn = client.turn(f"flood {size}")
            with probe:
                client.request(actor_floor.NAME, threadId="", name="go")
                text += actor_floor.consume(turn)
    assert text == shares * size * len("word ")


@attrs.frozen
class Measured:
    """A column of the table.

    Attributes:
        title: What is measured.
        ours: The work.
        floor: The same with the actor floor.
        size: How often it is done while its parts are measured.
        together: How often it is done while the whole is measured, which is too short to be measured alone.
    """

    title: str
    ours: Callable[[Probe, int, int], None]
    floor: Callable[[Probe, int, int], None]
    size: int
    together: int


DELTAS = 1_000
"""The deltas of a turn: unread ones are merged above 1,024."""

CLIENTS = 8
"""How many clients the whole is measured with: one whose threads run on different cores takes 20 µs more for each wake-up."""

MEASURED = (
    Measured("sync request", request, floor_request, 1, 25),
    Measured("async request", async_request, async_floor_request, 1, 25),
    Measured("delta of a sync stream", delta, floor_delta, DELTAS, DELTAS),
)


# -- the table -------------------------------------------------------------------------------------------------------


@attrs.frozen
class Costs:
    """What one request or delta costs.

    Attributes:
        steps: Bytecode instructions, by hop.
        times: Microseconds of CPU, by hop: the time of the whole, divided as the profile divides it.
        floor_steps: The instructions of the actor floor.
        floor_time: Its microseconds of CPU.
    """

    steps: Mapping[Hop | str, float]
    times: Mapping[Hop | str, float]
    floor_steps: float
    floor_time: float


def costs(measured: Measured, shares: int) -> Costs:
    """Measure it: the steps, the times of the modules and the whole, one after another."""
    size, together = measured.size, measured.together
    steps = _by_hop(_run(Steps(), measured.ours, shares, size))
    times = _by_hop(_run(Times(), measured.ours, shares, size))
    whole, least = (_best(work, shares, together) for work in (measured.ours, measured.floor))
    profiled = sum(times.values())
    floor_steps = sum(_run(Steps(), measured.floor, shares, size).values())
    return Costs(steps, {hop: time * whole / profiled for hop, time in times.items()}, floor_steps, least)


def _best(work: Callable[[Probe, int, int], None], shares: int, size: int) -> float:
    """Return the microseconds of CPU of the best of some clients."""
    return min(_run(Whole(), work, shares, size)[WHOLE] for _ in range(CLIENTS)) / 1e3


def _run(probe: Probe, work: Callable[[Probe, int, int], None], shares: int, size: int) -> dict[Place, float]:
    with probe.on_threads():
        work(probe, shares + 1, size)  # one to warm up
    return probe.costs(size)


def _by_hop(places: Mapping[Place, float]) -> dict[Hop | str, float]:
    sums: dict[Hop | str, float] = {}
    for place, value in places.items():
        hop = next((hop for hop in HOPS if hop.covers(place)), OTHER)
        sums[hop] = sums.get(hop, 0.0) + value
    return sums


def table(found: Sequence[Costs]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield "| thread | hop | " + " | ".join(f"{each.title}: steps | µs" for each in MEASURED) + " |"
    yield "|---" * (2 + 2 * len(found)) + "|"
    for hop in (*HOPS, OTHER):
        thread, title = ("", hop) if isinstance(hop, str) else (hop.thread, hop.title)
        cells = [cell for each in found for cell in (_steps(each.steps.get(hop, 0)), _time(each.times.get(hop, 0)))]
        yield _line(thread, title, cells)
    ours = [value for each in found for value in (sum(each.steps.values()), sum(each.times.values()))]
    floor = [value for each in found for value in (each.floor_steps, each.floor_time)]
    yield _line("", "**in all**", _totals(ours))
    yield _line("", "**actor floor**", _totals(floor))
    yield _line("", "ours ÷ actor floor", [f"{own / least:.1f}" for own, least in zip(ours, floor, strict=True)])


def _line(thread: str, title: str, cells: Sequence[str]) -> str:
    return f"| {thread} | {title} | {' | '.join(cells)} |"


def _totals(values: Sequence[float]) -> list[str]:
    return [form(value) for form, value in zip((_steps, _time) * len(MEASURED), values, strict=True)]


def _steps(value: float) -> str:
    return "" if value < 0.5 else f"{value:,.0f}"  # noqa: PLR2004  less than half a step


def _time(value: float) -> str:
    return "" if value < 0.005 else f"{value:.2f}"  # noqa: PLR2004  what is shown has two decimals


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m tools.bench.hops", description=__doc__)
    parser.add_argument("--shares", type=int, default=100, help="how often each is measured (default: %(default)s)")
    options = parser.parse_args(arguments)
    print(f"{subjects.machine()}; load {subjects.machine_load()}\n")
    print("\n".join(table([costs(each, options.shares) for each in MEASURED])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
