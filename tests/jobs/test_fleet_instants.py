"""Ctrl-C at any instant of the main thread ends a pool: no job is lost between two lists, so that its end would be awaited."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from openai_codex import AppServerConfig, CodexPool, Job
from openai_codex._jobs.fleet import Fleet
from openai_codex.testing import QuietHome, ScriptedModel
from tests.support.bounds import PATIENCE

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")

JOBS = [Job(prompts=[f"job {number}"]) for number in range(4)]


def test_no_event_is_handled_on_the_main_thread(
    codex_config: AppServerConfig, done: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    del done
    handled: list[threading.Thread] = []
    handle = Fleet._handle  # noqa: SLF001  no public method sees each event

    def record(fleet: Fleet, event: Any) -> None:
        handled.append(threading.current_thread())
        handle(fleet, event)

    monkeypatch.setattr(Fleet, "_handle", record)

    def use() -> None:
        with CodexPool(codex_config, turns=2) as pool:
            assert [result.status for result in pool.map(JOBS)] == ["completed"] * 4

    user = threading.Thread(target=use)
    monkeypatch.setattr(threading, "main_thread", lambda: user)  # whichever thread runs the test
    user.start()
    user.join(PATIENCE)
    assert not user.is_alive()
    assert handled
    assert user not in handled


PROGRAM = """
import faulthandler, sys
from openai_codex import AppServerConfig, CodexPool, Job

class Strike:
    def __init__(self, at):
        self.left = at
    def __call__(self, frame, event, _):
        if "/openai_codex/_jobs/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
        return self

for at in range(1, 2_000, 37):
    faulthandler.dump_traceback_later({patience}, exit=True)
    strike = Strike(at)
    try:
        with CodexPool(AppServerConfig(env={env!r}), turns=2) as pool:
            results = pool.map([Job(prompts=[f"job {{n}}"]) for n in range(4)])
            sys.settrace(strike)
            next(results)
            sys.settrace(None)
    except KeyboardInterrupt:
        sys.settrace(None)
    if strike.left > 0:
        break
print("interrupted up to", at)
"""


@pytest.mark.slow
def test_an_interrupt_at_any_step_of_the_first_results_ends_the_pool(
    codex_home: QuietHome, done: ScriptedModel
) -> None:
    del done
    program = PROGRAM.format(env=codex_home.env, patience=PATIENCE)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=5 * PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stderr[-4_000:]
    assert "interrupted up to" in ended.stdout
    assert int(ended.stdout.split()[-1]) > 100
