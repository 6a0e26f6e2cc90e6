"""Environments that the tool makes, each in a directory of its own below ``.artifacts``, anew in each run."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import attrs

from tools.artifacts.interpreters import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY = ROOT / ".artifacts"

# One command, also a download on a slow line, in seconds.
_TIMEOUT = 900.0

_SIZES = """
import importlib.metadata as m, json, os
sizes = {}
for each in m.distributions():
    sizes[each.metadata["Name"]] = sum(os.path.getsize(each.locate_file(f)) for f in each.files or () if f.suffix != ".pyc"
                                       and os.path.exists(each.locate_file(f)))
print(json.dumps(sizes))
"""


class CommandError(Exception):
    """A command failed. The text is the command and the end of what it wrote."""


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command and return its output.

    Raises:
        CommandError: It failed.
    """
    done = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True, timeout=_TIMEOUT)
    if done.returncode:
        raise CommandError(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


@attrs.frozen
class Environment:
    """One environment."""

    path: Path

    @classmethod
    def make(cls, name: str, python: Path) -> Environment:
        """Make an environment that has pip and nothing else."""
        made = cls(DIRECTORY / name)
        run(python, "-m", "venv", "--clear", made.path)
        return made

    def program(self, name: str) -> Path:
        """Return the path of one of its programs."""
        return self.path / "bin" / name

    def install(self, *requirements: str | Path) -> None:
        """Install packages with pip, with the versions that the project is tested with."""
        pip = (self.program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "--constraint", ROOT / "constraints.txt", *requirements)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of the files of each package in it, without compiled modules."""
        found: dict[str, int] = json.loads(run(self.program("python"), "-I", "-c", _SIZES))
        return {name: size for name, size in found.items() if name not in {"pip", "setuptools"}}
