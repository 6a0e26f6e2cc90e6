"""The soak test passes for a moment, and reports what does not hold."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.soak.journal import Entry, Journal, report
from tools.soak.resources import ENOUGH, Sample, trends

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_a_short_soak_passes() -> None:
    command = [sys.executable, "-m", "tools.soak", "--minutes", "0.05", "--seed", "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(": PASSED\n")


def test_growing_resources_are_reported() -> None:
    flat, growing = ([Sample(100, 50, 20, 10 + step * each / ENOUGH) for each in range(ENOUGH)] for step in (0, 40))
    assert [trend.is_flat for trend in trends(flat)] == [True, True, True, True]
    assert [trend.is_flat for trend in trends(growing)] == [True, True, True, False]
    assert [trend.judged for trend in trends(growing[1:])] == [False] * 4


def test_overdue_operations_are_reported() -> None:
    journal = Journal()
    late = Entry("run", "s1", 0.0, lambda: "line 7", time.monotonic() - 1)
    for entry in (late, Entry("run", "s2", 60.0, lambda: "line 8")):
        journal.begin(entry)
    assert journal.overdue() == [late]
    journal.end(late, "done")
    assert journal.overdue() == []
    journal.violation("lost")
    assert report(journal, [], []).endswith("2 operations started, 1 ended; 1 violations: FAILED")
