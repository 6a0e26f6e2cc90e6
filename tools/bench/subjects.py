"""Who is measured: an interpreter for each. The published package gets an environment of its own, made on first use."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

PUBLISHED = "openai-codex==0.163.0"
ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".bench" / PUBLISHED.replace("==", "-")

PATIENCE = 600.0
"""How long installing may take, in seconds."""

_VERSIONS = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


@attrs.frozen
class Subject:
    """One who is measured."""

    name: str
    """``ours``, ``published`` or ``floor``."""
    python: str | None = None
    """The interpreter that has the packages; ``None`` if it could not be made."""
    problem: str = ""
    """Why it could not be made."""

    def versions(self, *names: str) -> str:
        """Say which versions of these distributions it has."""
        if self.python is None:
            return self.problem
        command = [self.python, "-I", "-c", _VERSIONS]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
        return ", ".join(f"{name} {found[name]}" for name in names if name in found)


def subjects(names: Iterable[str]) -> list[Subject]:
    """Make those that are wanted, in the given order."""
    return [_published() if name == "published" else Subject(name, sys.executable) for name in names]


def _published() -> Subject:
    """Install the published package, once. Whatever goes wrong is told, and the bench goes on without it."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / ".complete"
    try:
        if not done.exists():
            venv.create(ENVIRONMENT, clear=True, with_pip=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PUBLISHED]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
            done.touch()
    except (OSError, subprocess.SubprocessError) as error:
        return Subject("published", problem=f"{PUBLISHED} could not be installed: {_last_line(error)}")
    return Subject("published", str(python))


def _last_line(error: Exception) -> str:
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
    return str(said).strip().splitlines()[-1]
