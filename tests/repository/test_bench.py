"""The benchmark runs, and reports its measures. Nothing here is timed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.bench import hops, observed, rounds, stages, table
from tools.bench.probes import Place
from tools.bench.rows import Workload, at_least, at_most, row
from tools.bench.runner import Failure, Outcome, run
from tools.bench.subjects import ROOT, choose
from tools.bench.table import Line
from tools.bench.workloads import WORKLOADS

# The rows of the actor floor; of a flood it tells the CPU, too, and nothing of what was merged.
ACTOR = [
    *("sync stream, 1 turn", "… CPU of the client"),
    *("async stream, 1 turn", "… CPU of the client"),
    *("async streams, 64 turns", "… CPU of the client"),
    *("round trips, sync", "… CPU of the client"),
    *("round trips, async, 100 in flight", "… CPU of the client"),
    *("latency, sync, idle, p50", "latency, sync, idle, p99"),
    *("latency, async, idle, p50", "latency, async, idle, p99"),
    *("latency, sync, 50 other turns, p50", "latency, sync, 50 other turns, p99"),
    *("latency, async, 50 other turns, p50", "latency, async, 50 other turns, p99"),
]


@pytest.mark.timeout(300)  # 50 programs, one after another
def test_every_row_gets_a_number_of_ours_and_of_its_floors() -> None:
    results = rounds.measure(WORKLOADS, choose(["ours", "actor", "floor"]), 1, smoke=True)
    lines = list(table.lines(WORKLOADS, results))
    assert [line.row.title for line in lines if not isinstance(line.values.get("ours"), float)] == []
    against_floor = [line for line in lines for goal in line.row.goals if goal.against == "floor"]
    assert [line.row.title for line in against_floor if line.ratio("floor") is None] == []
    assert [line.row.title for line in lines if line.ratio("actor") is not None] == ACTOR


def test_a_program_that_prints_nothing_in_time_hangs() -> None:
    assert run(sys.executable, "latency.interrupt", {"turns": 1}, {}, 0.001) == Failure(
        "hangs", "no output within 0.001 s"
    )


def test_a_program_that_fails_tells_why() -> None:
    outcome = run(sys.executable, "stream.sync_face", {"pages": 1}, {}, 60.0)
    assert isinstance(outcome, Failure)
    assert outcome.what == "fails"
    assert "unexpected keyword argument 'pages'" in outcome.detail


WORKLOAD = Workload(
    "some.program",
    {"events": 10},
    {},
    (
        row("rate", "events/s", "rate", at_least(5, "published"), at_least(0.5, "floor")),
        row("spread", "max/min", ("rate", "other"), at_most(1.3)),
    ),
)


def lines_of(published: list[Outcome]) -> list[Line]:
    return list(
        table.lines(
            [WORKLOAD],
            {
                (0, "ours"): [
                    {"rate": 90.0, "other": 80.0},
                    {"rate": 1.0, "other": 100.0},
                    {"rate": 900.0, "other": 5},
                ],
                (0, "published"): published,
                (0, "floor"): [{"rate": 200.0}],
            },
        )
    )


def test_medians_are_compared() -> None:
    rate, spread = lines_of([{"rate": 15.0, "other": 30.0}])
    assert (rate.ratio("published"), rate.ratio("floor")) == (6.0, 0.45)
    assert [rate.met(goal) for goal in rate.row.goals] == [True, False]
    assert spread.values == {"ours": 90 / 80, "published": 2.0}
    assert [spread.met(goal) for goal in spread.row.goals] == [True]


@pytest.mark.parametrize("what", ["hangs", "fails"])
def test_what_fails_is_named_and_compared_with_nothing(what: str) -> None:
    rate, _ = lines_of([{"rate": 15.0, "other": 30.0}, Failure(what, "first\nlast")])
    assert [rate.met(goal) for goal in rate.row.goals] == [None, False]
    assert rate.cells()[2:] == (
        "90.0", what, "-", "200", "-", "-", "0.45", "≥ 5 of published; ≥ 0.5 of floor", "n/a; **no**",
    )  # fmt: skip
    told = table.failures([WORKLOAD], {(0, "published"): [Failure(what, "first\nlast")]})
    assert told == [f"published, some.program {{'events': 10}}: {what}: last"]


def test_goals_are_counted_below_the_table() -> None:
    text = table.markdown(lines_of([Failure("hangs", "")]))
    assert text.endswith("\n\nGoals: 1 met, 1 missed, 1 n/a.")
    assert len({len(line) for line in text.split("\n\n")[0].splitlines()}) == 1


def test_the_stages_of_a_delta_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    stages.main(deltas=1_000, rounds=1)
    costs = [float(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert len(costs) == 8
    assert all(cost > 0 for cost in costs)
    assert costs[-1] == pytest.approx(sum(costs[:-1]) - costs[1], abs=0.05)


def of_hops(printed: str) -> dict[tuple[str, str], list[float]]:
    """The cells of the table by thread and hop: steps and microseconds of each column, by turns."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines() if "|" in line]
    return {(thread, hop): [float(cell.replace(",", "") or 0) for cell in cells] for thread, hop, *cells in rows[2:]}


# In a process of its own: it replaces the trace function of threads, as that of a coverage measurement.
@pytest.mark.timeout(300)
def test_the_hops_of_a_request_and_of_a_delta_are_printed() -> None:
    command = [sys.executable, "-m", "tools.bench.hops", "--shares", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    costs = of_hops(done.stdout)
    total, floor = costs.pop(("", "**in all**")), costs.pop(("", "**actor floor**"))
    ratios = costs.pop(("", "ours ÷ actor floor"))
    sums = [sum(column) for column in zip(*costs.values(), strict=True)]
    assert sums == pytest.approx(total, abs=len(costs) / 2)  # each is rounded
    assert all(own > least > 0 for own, least in zip(total[::2], floor[::2], strict=True))
    assert ratios == pytest.approx([own / least for own, least in zip(total, floor, strict=True)], rel=0.1, abs=0.1)
    for column, idle in enumerate([{"mailbox", "stream, fold", "event loop"}, {"mailbox", "stream, fold"}]):
        assert {hop for (thread, hop), cells in costs.items() if thread and not cells[2 * column]} == idle
        assert costs["", hops.OTHER][2 * column] < total[2 * column] / 10, "a module that requests pass has no hop"
    assert costs["reader", "wire: lines, JSON, frames"][4] > 0
    assert costs["caller", "decode of the result, or of the payload"][4] > 0


@pytest.mark.parametrize(
    ("module", "is_caller", "title"),
    [
        ("openai_codex._sync.client.rpc", True, "rpc, whether to log"),
        ("openai_codex._async.client.rpc", True, "rpc, whether to log"),
        ("openai_codex._codec.unstructuring", True, "dump of the params"),
        ("openai_codex._codec.converter", True, "decode of the result, or of the payload"),
        ("openai_codex._engine.reply", False, "reply"),
        ("openai_codex._engine.reply", True, "reply: made, and read"),
        ("openai_codex._engine.replying", True, None),
        ("openai_codex._async.thread_pages", True, None),
        ("asyncio.base_events", False, "wake-up of the caller"),
    ],
)
def test_a_hop_has_its_modules_on_one_thread(module: str, is_caller: bool, title: str | None) -> None:
    place = Place(is_caller, module)
    assert next((hop.title for hop in hops.HOPS if hop.covers(place)), None) == title


def test_what_observes_a_client_is_compared_with_the_client_without(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [each for each in WORKLOADS if each.program == "stream.sync_face"]
    results = observed.measure(chosen, list(observed.VARIANTS), 1, smoke=True)
    assert {name: bool(each[0]["written"]) for (_, name), each in results.items()} == {
        "plain": False,
        "log": False,
        "journal": True,
        "otel": False,
    }
    text = list(observed.table(chosen, list(observed.VARIANTS), results))
    assert [line.count("|") for line in text] == [6] * 4
    assert [line.count("%)") for line in text] == [0, 0, 3, 3]
    assert observed.main(["--smoke", "--only", "run.sync", "--variants", "plain,log"]) == 0
    assert "| bare run(), sync: rate, 1/s | " in capsys.readouterr().out
