"""The floors: the cost of the same work in a loop that only reads lines and decodes JSON."""

from __future__ import annotations

import os
import time

from orjson import loads

from . import gauge
from .bare import Bare

SHARES = 20
"""Of a run of turns: the number of shares, the best of which counts."""


def stream(events: int, turns: int = 1) -> None:
    """Read the text of every delta."""
    gauge.report(**_flooded(events, turns))


def growth(events: int, turns: list[int]) -> None:
    """The same total for different numbers of turns."""
    measures = {count: _flooded(events, count) for count in turns}
    gauge.report(**{f"{name}_{count}": value for count, each in measures.items() for name, value in each.items()})


def _flooded(events: int, turns: int) -> dict[str, float]:
    with Bare(loads=loads) as client:
        thread = client.thread()
        for _ in range(turns):
            client.turn(client.thread(), f"flood {events // turns}")
        span = gauge.Span()
        client.send("thread/name/set", threadId=thread, name="go")
        ended = text = 0
        while ended < turns:
            frame = loads(client.lines.readline())
            method = frame.get("method")
            if method == gauge.DELTA:
                text += len(frame["params"]["delta"])
            ended += method == "turn/completed"
        assert text == events // turns * turns * len("word ")
        return span.rates(events)


def round_trip(requests: int) -> None:
    """One request after another."""
    with Bare(loads=loads) as client:
        thread = client.thread()
        span = gauge.Span()
        for _ in range(requests):
            client.request("thread/name/set", threadId=thread, name="name")
        gauge.report(**span.rates(requests))


def run(runs: int) -> None:
    """One turn after another, until the line that completes it."""
    with Bare(loads=loads) as client:
        thread = client.thread()
        shares: list[dict[str, float]] = []
        for _ in range(SHARES):
            span = gauge.Span()
            for _ in range(runs // SHARES):
                client.send("turn/start", threadId=thread, input=[{"type": "text", "text": "answer"}])
                while loads(client.lines.readline()).get("method") != "turn/completed":
                    pass
            shares.append(span.rates(runs // SHARES))
        gauge.report(**gauge.best(shares))


def pipelined(requests: int, in_flight: int) -> None:
    """A constant number of requests in flight: a new one for each response."""
    with Bare(loads=loads) as client:
        thread = client.thread()
        span = gauge.Span()
        for _ in range(in_flight):
            client.send("thread/name/set", threadId=thread, name="name")
        for left in range(requests, 0, -1):
            loads(client.lines.readline())
            if left > in_flight:
                client.send("thread/name/set", threadId=thread, name="name")
        gauge.report(**span.rates(requests))


def latency(probes: int, gap: float, others: int, rate: float) -> None:
    """One reader that blocks on the pipe and decodes every line, those of the other turns too."""
    delays: list[int] = []
    with Bare() as client:
        thread = client.thread()
        for _ in range(others):
            client.turn(client.thread(), f"noise {rate}")
        probed = client.turn(client.thread(), f"probe {probes} {gap}")
        client.send("thread/name/set", threadId=thread, name="go")
        while len(delays) < probes:
            params = loads(client.lines.readline()).get("params", {})
            now = time.monotonic_ns()
            if params.get("turnId") == probed:
                delays.append(now - int(params["delta"]))
        gauge.report(**gauge.percentiles(delays))


def turns(turns: int, deltas: int) -> None:
    """The same turns, started one after another and read by one loop."""
    with Bare((os.environ["BENCH_BINARY"], "app-server"), os.environ["BENCH_WORKSPACE"], loads) as client:
        span = gauge.Span()
        threads = [client.thread(ephemeral=True) for _ in range(turns)]
        for thread in threads:
            client.send("turn/start", threadId=thread, input=[{"type": "text", "text": f"{deltas} words"}])
        ended = text = 0
        while ended < turns:
            frame = loads(client.lines.readline())
            method = frame.get("method")
            if method == gauge.DELTA:
                text += len(frame["params"]["delta"])
            ended += method == "turn/completed"
        assert text == turns * deltas * len("word ")
        gauge.report(**span.rates(turns * deltas))


if __name__ == "__main__":
    gauge.main(stream, growth, round_trip, run, pipelined, latency, turns)
