"""The soak runs for a moment and holds; and it would tell if something did not."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.soak import table
from tools.soak.figures import ENOUGH, Sample, trends
from tools.soak.ledger import Entry, Ledger

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_a_moment_of_soak_holds() -> None:
    command = [sys.executable, "-m", "tools.soak", "--minutes", "0.05", "--seed", "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(": PASSED\n")


def test_what_grows_is_told() -> None:
    flat, growing = ([Sample(100, 50, 20, 10 + step * each / ENOUGH) for each in range(ENOUGH)] for step in (0, 40))
    assert [trend.is_flat for trend in trends(flat)] == [True, True, True, True]
    assert [trend.is_flat for trend in trends(growing)] == [True, True, True, False]
    assert [trend.judged for trend in trends(growing[1:])] == [False] * 4


def test_what_has_no_end_is_told() -> None:
    ledger = Ledger()
    late = Entry("run", "s1", 0.0, lambda: "line 7", time.monotonic() - 1)
    for entry in (late, Entry("run", "s2", 60.0, lambda: "line 8")):
        ledger.begin(entry)
    assert ledger.overdue() == [late]
    ledger.end(late, "done")
    assert ledger.overdue() == []
    ledger.violation("lost")
    assert table.report(ledger, [], []).endswith("2 operations were begun, 1 came to an end; 1 violations: FAILED")
