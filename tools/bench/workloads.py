"""The table of all measurements: programs, sizes, rows and goals. Everything else reads it."""

from __future__ import annotations

from typing import Any

from tools.bench.rows import Goal, Workload, at_least, at_most, row


def _latency(face: str, title: str, *goals: Goal, **sizes: Any) -> Workload:
    return Workload(
        f"latency.{face}_face",
        {"probes": 400, "gap": 0.002, "others": 0, "rate": 2_500, **sizes},
        {"probes": 20},
        (
            row(f"latency, {title}, p50", "µs", "p50_us", *goals, at_most(1.25, "actor")),
            row(f"latency, {title}, p99", "µs", "p99_us"),
        ),
        "floor.latency",
        actor=f"actor_floor.{face}_latency",
    )


def _run(face: str, title: str, most: float) -> Workload:
    return Workload(
        f"run.{face}",
        {"runs": 4_000},
        {"runs": 20},
        (
            row(f"bare run(), {title}", "runs/s", "per_s"),
            # A bound of our own, and not a wish: what a run costs must not grow without notice.
            row("… CPU of the client", "µs/run", "cpu_us", at_most(most, "floor")),
        ),
        "floor.run",
    )


def _sized(measure: str, sizes: list[int]) -> tuple[str, ...]:
    return tuple(f"{measure}_{size}" for size in sizes)


def _jobs(executor: str, title: str) -> Workload:
    return Workload(
        "jobs.pool",
        {"executor": executor, "jobs": 300},
        {"jobs": 2},
        (
            row(f"300 jobs of 2 turns, {title}", "jobs/s", "per_s"),
            row("… peak memory of all processes", "MB", "mb"),
        ),
        published={"jobs": 30},
        deadline=300.0,
        naive="jobs.loop",
    )


LEVELS = [1, 3, 10, 30, 100, 300]
TURNS = [1, 8, 64, 512]
THREADS = [1, 100, 1_000, 10_000]

WORKLOADS = (
    Workload(
        "stream.sync_face",
        {"events": 200_000},
        {"events": 1_000},
        (
            row("sync stream, 1 turn", "events/s", "per_s", at_least(5, "published"), at_least(0.55, "floor")),
            row("… CPU of the client", "µs/event", "cpu_us"),
            row("… deltas joined unread", "%", "joined_percent"),
        ),
        "floor.stream",
        {"events": 100_000},
        actor="actor_floor.sync_stream",
    ),
    Workload(
        "stream.async_face",
        {"events": 200_000, "turns": 1},
        {"events": 1_000},
        (
            row("async stream, 1 turn", "events/s", "per_s", at_least(30, "published")),
            row("… CPU of the client", "µs/event", "cpu_us"),
            row("… deltas joined unread", "%", "joined_percent"),
        ),
        "floor.stream",
        {"events": 30_000},
        actor="actor_floor.async_stream",
    ),
    Workload(
        "stream.async_face",
        {"events": 128_000, "turns": 64},
        {"events": 640},
        (
            row("async streams, 64 turns", "events/s", "per_s", at_least(15, "published")),
            row("… CPU of the client", "µs/event", "cpu_us"),
            row("… deltas joined unread", "%", "joined_percent"),
        ),
        "floor.stream",
        {"events": 32_000},
        actor="actor_floor.async_stream",
    ),
    Workload(
        "latency.interrupt",
        {"turns": 500},
        {"turns": 3},
        (
            row("500 quiet turns, one interrupted", "ms", "interrupt_ms", at_most(20)),
            row("… threads that the waiting adds", "threads", "threads_added", at_most(0)),
        ),
        deadline=10.0,
    ),
    Workload(
        "imports.cost",
        {"repeats": 2},
        {"repeats": 1},
        (
            row("import openai_codex", "ms", "package_ms", at_most(0.15, "published")),
            row("… classes built by it", "classes", "package_classes", at_most(0)),
            row("from openai_codex import Codex", "ms", "client_ms"),
            row("… classes built by it", "classes", "client_classes"),
            row("memory after import openai_codex", "MB", "package_mb", at_most(0.5, "published")),
            row("memory after from … import Codex", "MB", "client_mb"),
        ),
    ),
    Workload(
        "runtime.first_answer",
        {},
        {},
        (
            row("first answer, real runtime", "ms", "line_ms", at_most(0.4, "published"), at_most(1.3, "floor")),
            row("… of that, importing the package", "ms", "import_ms"),
            row("… starting the runtime", "ms", "connect_ms", at_most(1, "published")),
            row("… starting a thread", "ms", "thread_ms"),
            row("… the turn", "ms", "turn_ms"),
        ),
        "bare.first_answer",
    ),
    Workload(
        "round_trip.sync_face",
        {"requests": 5_000},
        {"requests": 20},
        (
            row("round trips, sync", "requests/s", "per_s", at_least(1.5, "published"), at_least(0.85, "actor")),
            row("… CPU of the client", "µs/request", "cpu_us"),
        ),
        "floor.round_trip",
        actor="actor_floor.sync_round_trip",
    ),
    Workload(
        "round_trip.async_face",
        {"requests": 5_000, "in_flight": 100},
        {"requests": 100, "in_flight": 10},
        (
            row(
                "round trips, async, 100 in flight",
                "requests/s",
                "per_s",
                at_least(10, "published"),
                at_least(0.6, "actor"),
            ),
            row("… CPU of the client", "µs/request", "cpu_us"),
        ),
        "floor.pipelined",
        actor="actor_floor.async_round_trip",
    ),
    _run("sync_face", "sync", 6.5),
    _run("async_face", "async", 8),
    _latency("sync", "sync, idle", at_most(0.75, "published")),
    _latency("async", "async, idle", at_most(0.5, "published")),
    _latency("sync", "sync, 50 other turns", others=50),
    _latency("async", "async, 50 other turns", others=50),
    Workload(
        "memory.threads",
        {"count": 5_000},
        {"count": 10},
        (
            row("memory of a thread handle", "bytes", "bytes_each", at_most(1, "published")),
            row("memory of a connected client", "MB", "connected_mb"),
        ),
        once=True,
    ),
    Workload(
        "memory.waiting",
        {"count": 500},
        {"count": 3},
        (row("memory of a turn that a task waits for", "kB", "kb_each", at_most(0.5, "published")),),
        deadline=30.0,
        once=True,
    ),
    Workload(
        "memory.unread",
        {"events": 200_000},
        {"events": 1_000},
        (
            row("memory of 200,000 unread events", "MB", "mb", at_most(0.5, "published")),
            row("… of 200,000 more", "MB", "mb_more", at_most(5)),
        ),
        once=True,
    ),
    Workload(
        "stream.growth",
        {"events": 64_000, "turns": TURNS},
        {"events": 1_024},
        (
            *(row(f"async streams, {n} at once", "events/s", f"per_s_{n}") for n in TURNS),
            row("growth of the rate, 1 to 512 turns", "max/min", _sized("per_s", TURNS), at_most(1.3)),
            row("growth of the CPU per event", "max/min", _sized("cpu_us", TURNS), at_most(1.3)),
        ),
        "floor.growth",
        {"events": 8_192},
    ),
    Workload(
        "round_trip.growth",
        {"requests": 2_000, "threads": THREADS},
        {"requests": 20},
        (
            *(row(f"round trips, sync, threads known: {n:,}", "requests/s", f"per_s_{n}") for n in THREADS),
            row("growth of the rate, 1 to 10,000 threads", "max/min", _sized("per_s", THREADS), at_most(1.3)),
        ),
    ),
    Workload(
        "runtime.turns",
        {"turns": 100, "deltas": 200},
        {"turns": 2, "deltas": 200},
        (
            row("100 turns, real runtime, CPU of the client", "µs/delta", "cpu_us", at_most(0.2, "published")),
            row("… rate", "deltas/s", "per_s"),
        ),
        "floor.turns",
    ),
    _jobs("threads", "threads"),
    _jobs("processes", "2 processes"),
    _jobs("dask", "Dask, 2 processes"),
    Workload(
        "jobs.curve",
        {"levels": LEVELS, "most": 300, "answer_ms": 500},
        {"most": 1, "answer_ms": 0},
        (
            *(row(f"jobs at once, answers after 0.5 s: {level}", "jobs/s", f"per_s_{level}") for level in LEVELS),
            row("… how many of the 300 completed", "jobs", "done_300"),
            row("… peak memory with 300", "MB", "mb_300"),
        ),
        deadline=300.0,
        naive="jobs.loop_curve",
    ),
)
