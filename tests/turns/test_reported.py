"""The newest settings of each thread, from replies and events."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from openai_codex import EffectiveSettings
from openai_codex import _codec as codec
from openai_codex._notification import Notification
from openai_codex._turns import notices, reported
from openai_codex._turns.effective import from_reply
from openai_codex._turns.reported import Reported
from openai_codex.testing import QuietHome
from openai_codex.testing.frames import opened_thread
from tests.support.bounds import PATIENCE


def loaded(model: str) -> EffectiveSettings:
    return from_reply(codec.structure_result("thread/resume", {**opened_thread("t"), "model": model}))


def updated(model: str, thread_id: str = "t") -> Notification:
    mode = {"mode": "default", "settings": {"model": model, "reasoning_effort": None, "developer_instructions": None}}
    settings: dict[str, Any] = {**opened_thread("t"), "model": model, "collaborationMode": mode, "effort": "high"}
    settings["sandboxPolicy"] = settings.pop("sandbox")
    return Notification("thread/settings/updated", {"threadId": thread_id, "threadSettings": settings})


def test_the_newest_report_counts() -> None:
    table = Reported()
    assert table.settings_of("t") is None
    table.put_settings("t", loaded("one"))
    table.on_event(updated("two"))
    table.on_event(updated("other", "u"))
    newest = table.settings_of("t")
    assert newest is not None
    assert (newest.model, newest.effort) == ("two", "high")
    table.put_settings("t", loaded("three"))
    assert table.settings_of("t") == loaded("three")
    table.forget("t")
    assert table.settings_of("t") is None


def test_a_report_that_cannot_be_read_is_none() -> None:
    table = Reported()
    table.on_event(Notification("thread/settings/updated", {"threadId": "t", "threadSettings": 1}))
    assert table.settings_of("t") is None


@pytest.mark.parametrize("how", ["reply", "event", "both"])
def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(reported, "_MOST_THREADS", 2)
    table = Reported()
    for name in ("a", "b", "c"):
        if how != "event":
            table.put_settings(name, loaded(name))
        if how != "reply":
            table.on_event(updated(name, name))
    assert [table.settings_of(name) is not None for name in ("a", "b", "c")] == [False, True, True]


def with_sandbox(**fields: Any) -> EffectiveSettings:
    opened = opened_thread("t")
    return from_reply(codec.structure_result("thread/start", {**opened, "sandbox": {**opened["sandbox"], **fields}}))


def test_threads_with_the_same_settings_share_them() -> None:
    table = Reported()
    kept = [table.put_settings(name, loaded("one")) for name in ("a", "b")]
    assert kept[0] is kept[1] is table.settings_of("b")
    assert table.put_settings("c", loaded("two")) == loaded("two")
    # A field that this version does not know makes a difference, too.
    first, second = (with_sandbox(new=number) for number in (1, 2))
    assert first == second
    table.put_settings("d", first)
    assert table.put_settings("e", second) is second


@pytest.mark.parametrize("is_full", [False, True], ids=["no thread yet", "no thread and too much that waits for one"])
def test_warnings_that_no_thread_writes_are_counted_when_one_does(
    caplog: pytest.LogCaptureFixture, *, is_full: bool
) -> None:
    tasks: list[Callable[[], None]] = []

    def post(task: Callable[[], None]) -> bool:
        if not is_full:
            tasks.append(task)
        return not is_full

    table = Reported()
    table.notices.log_with(post)

    def warn(numbers: range) -> None:
        for number in numbers:
            table.on_event(Notification("warning", {"message": f"warning {number}"}))

    warn(range(3_000))
    is_full = False
    warn(range(3_000, 3_001))
    for task in tasks:
        task()
    warn(range(3_001, 3_002))
    tasks[-1]()
    events = [vars(record)["codex"] for record in caplog.records]
    assert [each["count"] for each in events if each["event"] == "codex.log_lines_dropped"] == [3_001 - 1_024]
    assert len([each for each in events if each["event"] == "codex.runtime_warning"]) == 1_024 + 1
    assert table.notices.counts == {"warning": 3_002}


def test_the_first_warning_waits_while_the_library_would_be_imported_for_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "is_library_loaded", lambda: False)
    monkeypatch.setattr(notices, "_DELAY", PATIENCE)
    threads: list[threading.Thread] = []

    def post(task: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=task))
        threads[-1].start()

    table = Reported()
    table.notices.log_with(post)
    for text in ("one", "two"):
        table.on_event(Notification("warning", {"message": text}))
    [writer] = threads
    assert caplog.messages == []
    table.notices.hurry()
    writer.join(PATIENCE)
    assert [vars(record)["codex"]["message"] for record in caplog.records] == ["one", "two"]


SHORT = """
from openai_codex import AppServerConfig, Codex
with Codex(AppServerConfig(env={env!r}, strict_config=False)):
    pass
"""


def test_a_program_that_ends_before_that_is_told_the_warnings(codex_home: QuietHome) -> None:
    codex_home.config_file.write_text("bogus_key = 1\n" + codex_home.config_file.read_text())
    program = SHORT.format(env=codex_home.env)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "codex.runtime_warning" in done.stderr
    assert "`bogus_key` is ignored" in done.stderr
