"""How errors describe the end of a process."""

from __future__ import annotations

import pytest

from openai_codex._runtime.process_info import ProcessInfo


@pytest.mark.parametrize(
    ("exit_code", "text"),
    [
        (None, "command: codex app-server (pid 7)"),
        (3, "command: codex app-server (pid 7, exit code 3)"),
        (-9, "command: codex app-server (pid 7, killed by SIGKILL)"),
        (-60, "command: codex app-server (pid 7, killed by signal 60)"),  # it has no name
    ],
)
def test_an_end_is_described_by_its_code_or_signal(exit_code: int | None, text: str) -> None:
    assert ProcessInfo(("codex", "app-server"), 7, exit_code).describe() == text


def test_the_last_lines_of_stderr_follow() -> None:
    described = ProcessInfo(("codex",), None, None, ("one", "two")).describe()
    assert described == "command: codex (not started)\n  stderr: one\n  stderr: two"
