"""Installs the wheel into an empty environment of each supported Python, runs a small program there, and measures sizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.artifacts.environments import Environment, run
from tools.artifacts.interpreters import interpreter, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAMS = Path(__file__).parent / "programs"

OWN = "openai-codex"
RUNTIME = "openai-codex-cli-bin"


def check_installed(wheel: Path, version: str) -> dict[str, int]:
    """Install the wheel on one Python and run the program. Returns the sizes of the packages.

    Raises:
        CommandError: The program failed, or pip.
        LookupError: There is no interpreter of the version.
    """
    python = interpreter(version)
    if python is None:
        raise LookupError(missing(version))
    made = Environment.make(f"python{version}", python)
    made.install(wheel)
    # Isolated and elsewhere: so it cannot be the package of this directory.
    run(made.program("python"), "-I", "-W", "error", PROGRAMS / "installed.py", cwd=made.path)
    assert "doctor" in run(made.program("openai-codex"), "--help", cwd=made.path)
    return made.sizes()


def sentence(sizes: Mapping[str, int]) -> str:
    """Return what the README says of the sizes."""
    others = sum(size for name, size in sizes.items() if name not in {OWN, RUNTIME})
    return (
        f"The package takes {_mb(sizes[OWN])} MB, its other dependencies {_mb(others)} MB, and the runtime "
        f"{sizes[RUNTIME] / 1e6:.0f} MB."
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
