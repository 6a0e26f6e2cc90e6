"""The command: check the parts, print a line for each, return 1 if one is not as it has to be."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from tools.artifacts.build import Built, check_builds
from tools.artifacts.environments import CommandError
from tools.artifacts.frozen import check_frozen
from tools.artifacts.installed import check_installed, sentence
from tools.artifacts.interpreters import ROOT, supported

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m tools.artifacts", description=__doc__)
    parser.add_argument("parts", nargs="*", help="build, frozen, or versions of Python (default: all of them)")
    options = parser.parse_args(arguments)
    parts = options.parts or ["build", *supported(), "frozen"]
    outcomes = [_passes(part) for part in parts]  # all of them, also after a failure
    return 0 if all(outcomes) else 1


def check(part: str) -> str:
    """Check one part. Returns what there is to say about it. Those after the build take what that left in ``dist``."""
    if part == "build":
        built = check_builds()
        return f"{built.sdist.name} and {built.wheel.name}: the same bytes twice, of the sources and of the sdist"
    wheel = Built.within(ROOT / "dist").wheel
    if part == "frozen":
        return f"a frozen program runs turns; its directory has {check_frozen(wheel) / 1e6:.0f} MB"
    return sentence(check_installed(wheel, part))


def _passes(part: str) -> bool:
    since = time.monotonic()
    try:
        said, passes = check(part), True
    except (AssertionError, CommandError, LookupError, ValueError) as error:
        said, passes = str(error), False
    print(f"{part:8}{'ok' if passes else 'FAILED':8}{time.monotonic() - since:4.0f} s  {said}", flush=True)
    return passes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
