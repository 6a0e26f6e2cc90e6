"""Freezes a small program with PyInstaller in an environment of its own, and runs it where there is no Python of that."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.artifacts.environments import Environment, run
from tools.artifacts.installed import PROGRAMS

ANSWERS = "sync async"


def check_frozen(wheel: Path) -> int:
    """Freeze the program and run it. Returns the bytes of the directory that PyInstaller made.

    Raises:
        CommandError: PyInstaller failed, or the program.
        AssertionError: The program gave other answers than the scripted model.
    """
    made = Environment.make("pyinstaller", Path(sys.executable))
    made.install(wheel, "pyinstaller")
    target = made.path / "frozen"
    options = (
        "--noconfirm",
        "--log-level=WARN",
        "--distpath",
        target,
        "--workpath",
        made.path / "work",
        "--specpath",
        made.path,
    )
    run(made.program("pyinstaller"), *options, PROGRAMS / "frozen.py", cwd=made.path)
    said = run(target / "frozen" / "frozen", cwd=target, env={"PATH": "/usr/bin:/bin", "HOME": str(target)})
    assert said.strip() == ANSWERS, f"expected {ANSWERS!r}, got {said!r}"
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file() and not path.is_symlink())
