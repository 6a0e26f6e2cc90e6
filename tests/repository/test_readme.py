"""Every Python snippet of the README runs as it stands, on the real runtime with the scripted model behind it.

So do those of the guides that need other libraries, a repository or more of the model.
"""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import subprocess
import sys
from typing import Any

import pytest

from openai_codex.testing import QuietHome, ScriptedModel, call, hang, message, reply, say, spawn, wait
from openai_codex.types import TurnCompletedNotification, TurnStatus
from tests.support import asgi
from tests.support.bounds import PATIENCE
from tests.support.inside import close_warm_clients
from tests.support.repositories import repository
from tests.support.snippets import PAGES, ROOT, is_prepared, snippets_of

README = ROOT / "README.md"
SNIPPETS = [
    *snippets_of(README),
    *dict.fromkeys(
        snippet
        for page in PAGES
        for snippet in snippets_of(page)
        if is_prepared(snippet) and snippet not in snippets_of(README)
    ),
]


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(
    number: int,
    codex_home: QuietHome,
    scripted_model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in codex_home.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(codex_home.workspace)
    scripted_model.when("Is this code fine?", '{"fine": true, "reasons": []}')
    asks = reply(call("get_weather", {"city": "Oslo"}))
    scripted_model.when("Do I need an umbrella in Oslo?", asks, lambda request: str(request.function_outputs))
    if "wait_agents" in SNIPPETS[number]:
        scripted_model.when_agent(spawn("Review a.py"), wait(), say("All is well."), depth=0)
        scripted_model.when_agent("It is fine.", depth=1)
    if "repo=" in SNIPPETS[number]:
        repository(codex_home.workspace)
    run(codex_home, SNIPPETS[number])
    printed = capsys.readouterr().out
    assert ("umbrella" in SNIPPETS[number]) == ("Oslo: sun for 1 days" in printed)
    assert ("repo=" in SNIPPETS[number]) == ("parser completed codex-job/parser-" in printed)
    expected = ["Review a.py has started", "1 completed It is fine."]
    assert ("wait_agents" in SNIPPETS[number]) == all(text in printed for text in expected)


def test_there_are_snippets() -> None:
    assert len(snippets_of(README)) == 13
    assert len(SNIPPETS) == 16


ROOT = README.parent
GUIDE = "tools/bench/README.md"

# What a text cites from the benchmark: the sentence, with a group for each figure, and the cells of the table.
CITED = [
    ("README.md", r"\(200,000 deltas: (.+?) MB\)", [("memory of 200,000 unread events", "ours")]),
    (
        "README.md",
        r"200,000 deltas take (.+?) MB \| kept: (.+?) MB",
        [("memory of 200,000 unread events", "ours"), ("memory of 200,000 unread events", "published")],
    ),
    (
        "README.md",
        (
            r"a sync stream (.+?), an async stream (.+?), 64 async streams (.+?), sync requests (.+?),\s+"
            r"async requests (.+?) in the same time; the first answer in (.+?) of the time"
        ),
        [
            ("sync stream, 1 turn", "ours ÷ published"),
            ("async stream, 1 turn", "ours ÷ published"),
            ("async streams, 64 turns", "ours ÷ published"),
            ("round trips, sync", "ours ÷ published"),
            ("round trips, async, 100 in flight", "ours ÷ published"),
            ("first answer, real runtime", "ours ÷ published"),
        ],
    ),
    (
        "README.md",
        r"sync `run\(\)` reaches (.+?)\s+of its rate;\s+a turn that waits takes (.+?) of its memory",
        [("bare run(), sync", "ours ÷ published"), ("memory of a turn that a task waits for", "ours ÷ published")],
    ),
    (
        GUIDE,
        r"sync round trips at 1.5 of the published package \((.+?)\).* makes (.+?) requests/s .* makes (.+?), .* at (.+?) of that",
        [
            ("round trips, sync", "ours ÷ published"),
            ("round trips, sync", "actor floor"),
            ("round trips, sync", "published"),
            ("round trips, sync", "ours ÷ actor floor"),
        ],
    ),
    (
        GUIDE,
        r"async round trips at 10 of published \((.+?)\) and at 0.6 of the actor floor \((.+?)\)",
        [
            ("round trips, async, 100 in flight", "ours ÷ published"),
            ("round trips, async, 100 in flight", "ours ÷ actor floor"),
        ],
    ),
    (
        GUIDE,
        r"async event at 0.5 of published \((.+?)\) .* wake-up of (.+?) µs, the actor floor (.+?) µs, ours (.+?) of that",
        [
            ("latency, async, idle, p50", "ours ÷ published"),
            ("latency, async, idle, p50", "floor"),
            ("latency, async, idle, p50", "actor floor"),
            ("latency, async, idle, p50", "ours ÷ actor floor"),
        ],
    ),
    (
        GUIDE,
        r"sync stream at 5 of published \((.+?)\) and at 0.55 of the bare loop \((.+?)\)",
        [("sync stream, 1 turn", "ours ÷ published"), ("sync stream, 1 turn", "ours ÷ floor")],
    ),
    (
        GUIDE,
        r"sync event at 0.75 of published \(idle, (.+?)\), .* 50 other turns \((.+?)\) \| idle .* at (.+?) of it;",
        [
            ("latency, sync, idle, p50", "ours ÷ published"),
            ("latency, sync, 50 other turns, p50", "ours ÷ actor floor"),
            ("latency, sync, idle, p50", "ours ÷ actor floor"),
        ],
    ),
    (GUIDE, r"64 async streams at 15 of published \((.+?)\)", [("async streams, 64 turns", "ours ÷ published")]),
    (GUIDE, r"in the time of published \((.+?), see above\)", [("… starting the runtime", "ours ÷ published")]),
    (GUIDE, r"1 to 512 turns within 1.3 \((.+?)\)", [("growth of the rate, 1 to 512 turns", "ours")]),
    (
        GUIDE,
        r"1.3 of a bare script \((.+?)\) \| the import takes (.+?) ms",
        [("first answer, real runtime", "ours ÷ floor"), ("… of that, importing the package", "ours")],
    ),
    (
        GUIDE,
        r"real runtime at 0.2 of the published CPU \((.+?)\)",
        [("100 turns, real runtime, CPU of the client", "ours ÷ published")],
    ),
    (
        GUIDE,
        r"a waiting turn at half of published \((.+?)\)",
        [("memory of a turn that a task waits for", "ours ÷ published")],
    ),
    (GUIDE, r"a thread handle at published \((.+?)\)", [("memory of a thread handle", "ours ÷ published")]),
]


def cells_of(table: str) -> dict[tuple[str, str], float]:
    """The numbers of a table by row and column; of rows with one name the last."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    head, numbers = lines[0], re.compile(r"[\d,.]+")
    return {
        (cells[0], column): float(cell.replace(",", ""))
        for cells in lines[2:]
        for column, cell in zip(head, cells, strict=True)
        if numbers.fullmatch(cell)
    }


@pytest.mark.parametrize(("path", "sentence", "cells"), CITED)
def test_a_cited_figure_is_that_of_the_benchmark(path: str, sentence: str, cells: list[tuple[str, str]]) -> None:
    found = re.search(sentence, (ROOT / path).read_text())
    assert found, sentence
    figures = found.groups()
    measured = [cells_of((ROOT / "BENCHMARKS.md").read_text())[cell] for cell in cells]
    decimals = [len(figure.partition(".")[2]) for figure in figures]
    assert list(figures) == [f"{value:,.{digits}f}" for value, digits in zip(measured, decimals, strict=True)]


def run(home: QuietHome, snippet: str) -> dict[str, Any]:
    path = home.path / "snippet.py"
    path.write_text(snippet)
    try:
        return runpy.run_path(str(path), run_name="__main__")
    finally:
        close_warm_clients()  # before the home is removed


def test_the_log_of_the_recipe_for_structlog_has_times_and_tracebacks(codex_home: QuietHome) -> None:
    (snippet,) = (each for each in SNIPPETS if "ProcessorFormatter" in each)
    more = """
from openai_codex._log import Log
try:
    raise LookupError("no such thing")
except LookupError as error:
    Log("actor").warning("codex.tested", pid=1, exc_info=error)
"""
    path = codex_home.path / "recipe.py"
    path.write_text(snippet + more)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=PATIENCE, check=True)
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["event"], line["level"], line["pid"]) == ("codex.tested", "warning", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["timestamp"])
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("LookupError: no such thing")


def test_each_line_of_prose_begins_without_a_space() -> None:
    prose = re.sub(r"^```.*?^```", "", README.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^ \S.*$", prose, re.MULTILINE) == []


@pytest.mark.parametrize("leaves", [None, "by a message", "by a broken pipe"])
async def test_a_reader_of_the_web_server_that_disconnects_stops_its_turn(
    codex_home: QuietHome, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, leaves: str | None
) -> None:
    for name, value in codex_home.env.items():
        monkeypatch.setenv(name, value)
    (snippet,) = (each for each in SNIPPETS if "fastapi" in each)
    names = run(codex_home, snippet)
    gate = scripted_model.gate()
    work = call("exec_command", {"cmd": "true"})
    last = hang() if leaves else reply(message("a time"))
    scripted_model.queue(reply(message("Once "), work), reply(message("upon "), work, gate=gate), last)
    async with names["lifespan"](names["app"]):
        ended = names["codex"].events(TurnCompletedNotification, timeout=PATIENCE)
        reader = asgi.Reader(is_told=leaves != "by a broken pipe")
        read = asyncio.create_task(reader.read(names["app"], "/ask", "question=A%20story"))
        await gate.reached(PATIENCE)
        if leaves:
            reader.leave()
        if leaves != "by a message":
            gate.open()
        payload = (await anext(ended)).payload
        text = await read
    assert isinstance(payload, TurnCompletedNotification)
    assert payload.turn.status == (TurnStatus.interrupted if leaves else TurnStatus.completed)
    assert text == ("Once " if leaves else "Once upon a time")
