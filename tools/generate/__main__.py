"""The command: write the vendored schema and the generated files, or name those that are out of date.

Both name every exception that is not needed any more, and return 1 then; the files are written all the same. Nothing is
generated if no rule covers a part of the schema: all such parts are named.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.generate import package, vendored
from tools.generate.schema import Schema

TARGET = package.TARGET

UNDECIDED = 3
"""The exit code when the schema has what no rule covers."""


def main(arguments: list[str]) -> int:
    """Run the command. Returns its exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.generate [--check]", file=sys.stderr)
        return 2
    return _check() if arguments else _generate()


def _generate() -> int:
    vendored.PATH.write_text(vendored.text(vendored.from_runtime()))
    try:
        wanted = package.files(Schema(vendored.read()))
    except LookupError as error:
        _report(["no rule covers this, so nothing was generated; decide in tables or domains:", str(error.args[0])])
        return UNDECIDED
    write(TARGET, wanted, drift(TARGET, wanted))
    return _report(package.stale())


def _check() -> int:
    stale = {TARGET / name: why for name, why in drift(TARGET, package.files(Schema(vendored.read()))).items()}
    if vendored.PATH.read_text() != vendored.text(vendored.from_runtime()):
        stale[vendored.PATH] = "not the schema of the installed runtime"
    drifted = [f"{path}: {why}; run `python -m tools.generate`" for path, why in stale.items()]
    return _report([*drifted, *package.stale()])


def _report(problems: list[str]) -> int:
    """Print all problems. Returns the exit code."""
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


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
    """Rewrite the files that `drift` found."""
    for name, why in stale.items():
        if why == "stray":
            (directory / name).unlink()
        else:
            (directory / name).write_text(wanted[name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
