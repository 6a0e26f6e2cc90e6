"""How the progress of a pool is shown: lines, on a terminal, in a notebook, and to a callback."""

from __future__ import annotations

import importlib.util
import re
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import attrs
import pytest

from openai_codex import AppServerConfig, CodexPool, PoolProgress
from openai_codex._jobs.displays import Lines, clock, duration, texts
from openai_codex.testing import QuietHome, ScriptedModel, say
from tests.support.bounds import PATIENCE
from tests.support.cli import terminal
from tests.support.jobs import answer_all, jobs

RUN = PoolProgress(running=2, waiting=3, expected=5, completed=17, failed=1, tokens=1_234, elapsed=65.2, eta=3_700.0)


def test_texts_say_what_there_is() -> None:
    assert texts(RUN) == [
        "18 of 28 ended",
        "2 running, 8 waiting, 17 completed, 1 failed",
        "1,234 tokens",
        "0:01:05, about 1:01:40 left",
    ]
    until = time.time() + 60
    assert texts(PoolProgress(expected=None, paused_until=until)) == [
        "0 ended",
        "no jobs",
        "0 tokens",
        "0:00:00",
        f"usage limit, paused until {clock(until)}",
    ]
    assert "left" not in "".join(texts(attrs.evolve(RUN, is_over=True)))
    assert [duration(each) for each in (0, 59.6, 3_600)] == ["0:00:00", "0:01:00", "1:00:00"]
    assert len(clock(until + 86_400)) == len("2026-11-26 12:00")


def test_lines_come_at_a_bounded_rate(capsys: pytest.CaptureFixture[str]) -> None:
    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    display = Lines()
    for elapsed in range(25):
        display.show(PoolProgress(completed=elapsed, running=1, elapsed=float(elapsed)))
    assert [line.split()[1] for line in lines()] == ["0", "10", "20"]
    display.show(PoolProgress(completed=24, paused_until=1.0, elapsed=25.0))
    display.show(PoolProgress(completed=25, paused_until=1.0, elapsed=26.0))
    assert ["paused until" in line for line in lines()] == [True]
    display.show(PoolProgress(completed=25, elapsed=27.0, is_over=True))
    assert [line.split()[1:4] for line in lines()] == [["25", "of", "25"]]
    display.show(PoolProgress(completed=25, elapsed=28.0, is_over=True))
    assert lines() == [], "nothing is said twice"


@pytest.mark.usefixtures("done")
def test_without_a_terminal_lines_are_written(
    codex_config: AppServerConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    with CodexPool(codex_config, progress=True) as pool:
        list(pool.map(jobs(4)))
    out, errors = capsys.readouterr()
    assert out == ""
    assert errors.splitlines()[-1].startswith("jobs: 4 of 4 ended; 4 completed; 60 tokens; ")
    assert len(errors.splitlines()) < 8


@pytest.mark.usefixtures("done")
def test_a_stream_that_is_closed_ends_the_lines_only(
    codex_config: AppServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed:
        def isatty(self) -> bool:
            return False

        def write(self, _text: str) -> None:
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", Closed())
        with CodexPool(codex_config, progress=True) as pool:
            results = list(pool.map(jobs(3)))
    assert {each.status for each in results} == {"completed"}
    assert pool.counts.callback_errors == 1


PROGRAM = """
import json, sys
from openai_codex import AppServerConfig, CodexPool, Job
config = AppServerConfig(**json.loads(sys.argv[1]))
with CodexPool(config, turns=2, progress=True) as pool:
    for number, result in enumerate(pool.map([Job(prompts=[f"job {n}"]) for n in range(6)])):
        print("result", number, result.final_response)
"""


def settings(config: AppServerConfig) -> str:
    import json

    return json.dumps({name: value for name, value in attrs.asdict(config).items() if value is not None})


def test_on_a_terminal_it_is_drawn(
    codex_home: QuietHome, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 4", say("slow", gate=gate))
    answer_all(scripted_model)
    with terminal(codex_home, settings(codex_config), program=PROGRAM, COLUMNS="100") as screen:
        gate.wait_reached(PATIENCE)
        screen.wait_for("1 running, 5 completed")
        screen.wait_for("5/6")
        gate.open()
        assert screen.end() == 0
        screen.wait_for("6 completed, 90 tokens")
        text = screen.text()
        assert "━" in text
        assert [f"result {number} " in text for number in range(6)] == [True] * 6
        assert text.rstrip().splitlines()[-1].strip() == "6 completed, 90 tokens"
        assert screen.raw().rindex("\x1b[?25h") > screen.raw().rindex("\x1b[?25l")  # the cursor is shown again


def test_ctrl_c_gives_the_terminal_back(
    codex_home: QuietHome, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 1", say("slow", gate=gate))
    answer_all(scripted_model)
    with terminal(codex_home, settings(codex_config), program=PROGRAM) as screen:
        gate.wait_reached(PATIENCE)
        screen.wait_for("1 running")
        screen.type("\x03")
        screen.process.wait(PATIENCE)
        screen.wait_for("KeyboardInterrupt")
        assert " stopped" in screen.text()
        assert screen.raw().rindex("\x1b[?25h") > screen.raw().rindex("\x1b[?25l")


@pytest.mark.parametrize("without", ["rich", "a terminal"])
def test_without_rich_or_a_terminal_lines_are_written(
    codex_home: QuietHome, codex_config: AppServerConfig, done: ScriptedModel, without: str
) -> None:
    program = PROGRAM
    if without == "rich":
        hide = "import importlib.util as u\nfind = u.find_spec\n"
        program = f"{hide}u.find_spec = lambda name, *more: None if name == 'rich' else find(name, *more)\n{PROGRAM}"
    more = {"TERM": "dumb"} if without == "a terminal" else {}
    with terminal(codex_home, settings(codex_config), program=program, **more) as screen:
        assert screen.end() == 0
        screen.wait_for("jobs: 6 of 6 ended")
        assert "\x1b[" not in screen.raw()


TWO_POOLS = """
import json, sys
from openai_codex import AppServerConfig, CodexPool, Job
config = AppServerConfig(**json.loads(sys.argv[1]))
jobs = [Job(prompts=[f"job {n}"]) for n in range(6)]
with CodexPool(config, progress=True) as first:
    with CodexPool(config, progress=True) as second:
        list(second.map(jobs[:2]))
    list(first.map(jobs[:4]))
with CodexPool(config, progress=True) as third:
    list(third.map(jobs))
"""


def test_one_pool_at_a_time_is_drawn(codex_home: QuietHome, codex_config: AppServerConfig, done: ScriptedModel) -> None:
    with terminal(codex_home, settings(codex_config), program=TWO_POOLS, COLUMNS="100") as screen:
        assert screen.end() == 0
        screen.wait_for("6 completed, 90 tokens")
        text = screen.text()
    written = re.findall(r"jobs: \d+ of \d+ ended", text)
    assert written[-1] == "jobs: 2 of 2 ended", "the second one has written lines"
    assert {line.partition(" of ")[2] for line in written} == {"2 ended"}, "the others have not"
    assert "4/4" in text
    assert "6/6" in text, "the terminal was given back"


class Notebook:
    """IPython as a kernel has it, with what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def modules(self) -> dict[str, ModuleType]:
        root, display = ModuleType("IPython"), ModuleType("IPython.display")
        root.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]  # what is asked for
        display.display = self.display  # type: ignore[attr-defined]  # as above
        return {"IPython": root, "IPython.display": display}

    def display(self, what: Any, *, display_id: bool) -> Any:
        assert display_id
        self.update(what)
        return self

    def update(self, what: Any) -> None:
        self.shown.append(what._repr_mimebundle_([], [])["text/plain"])


@pytest.mark.usefixtures("done")
@pytest.mark.parametrize("has_rich", [True, False])
def test_in_a_notebook_it_is_drawn_in_its_cell(
    codex_config: AppServerConfig,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_rich: bool,
) -> None:
    notebook, find = Notebook(), importlib.util.find_spec
    for name, module in notebook.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: find(name, *more) if has_rich or name != "rich" else None
    )
    with CodexPool(codex_config, progress=True) as pool:
        list(pool.map(jobs(3)))
    assert ("3 of 3 ended" in capsys.readouterr().err) == (not has_rich)
    assert ("3/3" in "".join(notebook.shown[-1:])) == has_rich
