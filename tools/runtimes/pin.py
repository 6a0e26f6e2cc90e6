"""Moves the project to another runtime: `python -m tools.runtimes.pin 0.164.0`.

It installs the runtime, changes the pin in every file that names it, generates the code anew and prints what changed in
the protocol. Exceptions of the generator that are not needed any more are listed at the end; the code is generated all
the same, so the tests can be run, and going back leaves no difference.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.runtimes.difference import difference
from tools.runtimes.install import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tools" / "generate" / "runtime-schema.json"

PLACES = {
    "pyproject.toml": f'"{PACKAGE}=={{}}"',
    "constraints.txt": f"\n{PACKAGE}=={{}}\n",
    "openai_codex/_version.py": '__version__ = "{}"',
    "CHANGELOG.md": "## [Unreleased] - runtime {}\n",
    "docs/guides/other-runtimes.md": "for the runtime that it pins, {}, and",
}
"""File → the text in it that names the version of the runtime."""

_VERSION = r"\d+\.\d+\.\d+[\w.]*"
_TIMEOUT = 900.0
"""The longest that one program may take, in seconds."""


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code: 1 if something has to be decided before the code can be generated."""
    if len(arguments) != 1 or not re.fullmatch(_VERSION, arguments[0]):
        print("usage: python -m tools.runtimes.pin VERSION", file=sys.stderr)
        return 2
    [version] = arguments
    texts = repinned(ROOT, version)
    before = _schema()
    # Before any file is changed: the index may not have this version.
    _python("-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{PACKAGE}=={version}")
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    _python(
        *[
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--constraint",
            "constraints.txt",
            "--editable",
            ".[dev]",
        ]
    )
    generated = _run("-m", "tools.generate")
    if generated.returncode not in {0, 1}:  # 1: only exceptions that are not needed any more
        print(generated.stderr, file=sys.stderr)
        return 1
    _python("-m", "tools.unasync")
    print("\n".join(difference(before, _schema())))
    if stale := generated.stderr.splitlines():
        print(f"\n{len(stale)} exceptions of the generator to remove, if this runtime is to stay:", *stale, sep="\n  ")
    print(f"\nThis project pins runtime {version} now. NEWEST_BUT_ONE in tools/runtimes/table.py is set by hand.")
    return 0


def repinned(root: Path, version: str) -> dict[Path, str]:
    """Return the files that name the pinned runtime, with another version. Raises `LookupError` unless each has one."""
    made: dict[Path, str] = {}
    for name, place in PLACES.items():
        text = (root / name).read_text(encoding="utf-8")
        before, after = place.split("{}")
        changed, count = re.subn(f"({re.escape(before)}){_VERSION}({re.escape(after)})", rf"\g<1>{version}\g<2>", text)
        if count != 1:
            raise LookupError(f"{name}: expected one {place!r}, found {count}")
        made[root / name] = changed
    return made


def _schema() -> Any:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True, timeout=_TIMEOUT)


def _python(*arguments: str) -> None:
    done = _run(*arguments)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
