"""The command: write the generated files, or say which are not what would be written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tools.generate import package

if TYPE_CHECKING:
    from pathlib import Path

TARGET = package.TARGET


def main(arguments: list[str]) -> int:
    """Run the command. Returns its exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.generate [--check]", file=sys.stderr)
        return 2
    wanted = package.files(package.read_schema())
    stale = drift(TARGET, wanted)
    if arguments:
        for name, why in stale.items():
            print(f"{TARGET / name}: {why}; run `python -m tools.generate`", file=sys.stderr)
        return 1 if stale else 0
    write(TARGET, wanted, stale)
    return 0


def drift(directory: Path, wanted: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with a directory: file name → drifted, missing or stray."""
    present = {path.name: path.read_text() for path in directory.glob("*.py")}
    found = {name: "missing" for name in wanted if name not in present}
    for name, text in present.items():
        if name in wanted and text != wanted[name]:
            found[name] = "drifted"
        elif name not in wanted and text.startswith(package.MARK):
            found[name] = "stray"
    return dict(sorted(found.items()))


def write(directory: Path, wanted: dict[str, str], stale: dict[str, str]) -> None:
    """Put a directory right."""
    for name, why in stale.items():
        if why == "stray":
            (directory / name).unlink()
        else:
            (directory / name).write_text(wanted[name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
