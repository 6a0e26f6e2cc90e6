"""Where no browser can be installed, the tests that need one are left out aloud; CI fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# There is no browser, and nothing is installed.
NONE = ("HAS_BROWSER=false", "AS_ROOT=false")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # As if this was not run by `make`, whose settings are in the environment.
    passed_on = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "NEEDS_BROWSER"}
    env = {name: value for name, value in os.environ.items() if name not in passed_on}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("more", "code"), [((), 0), (("NEEDS_BROWSER=yes",), 2)], ids=["here", "in CI"])
def test_a_missing_browser_is_named_and_is_an_error_in_ci(more: tuple[str, ...], code: int) -> None:
    done = make("browser", *NONE, *more)
    assert done.returncode == code, done.stderr
    assert "tests/cli/test_page.py is not run" in done.stderr


def test_a_browser_that_is_there_is_enough() -> None:
    assert make("browser", "HAS_BROWSER=true", "NEEDS_BROWSER=yes").returncode == 0


def test_ci_needs_a_browser_before_it_runs_the_tests() -> None:
    assert "make test NEEDS_BROWSER=yes" in (ROOT / ".ci" / "run").read_text().splitlines()
    steps = make("--dry-run", "test", "HAS_BROWSER=true").stdout
    assert steps.index("HAS_BROWSER" if "HAS_BROWSER" in steps else "apt-get") < steps.index("pytest")
