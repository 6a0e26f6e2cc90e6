"""The measured packages: an interpreter for each, the published one in its own environment; and the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

PUBLISHED = "openai-codex==0.163.0"
FLOORS = frozenset({"actor", "floor"})
"""The subjects that are no package."""

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".bench" / PUBLISHED.replace("==", "-")

INSTALL_TIMEOUT = 600.0
"""How long the installation may take, in seconds."""

_VERSIONS = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


@attrs.frozen
class Subject:
    """One measured package, or one of the floors.

    Attributes:
        name: ``ours``, ``published``, ``actor`` or ``floor``.
        python: The interpreter with the package; ``None`` if it could not be installed.
        problem: Why it could not be installed.
    """

    name: str
    python: str | None = None
    problem: str = ""

    def versions(self, *names: str) -> str:
        """Return the versions of these distributions that it has."""
        if self.python is None:
            return self.problem
        command = [self.python, "-I", "-c", _VERSIONS]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
        return ", ".join(f"{name} {found[name]}" for name in names if name in found)


def choose(names: Iterable[str]) -> list[Subject]:
    """Return the subjects of these names, in the given order."""
    return [_published() if name == "published" else Subject(name, sys.executable) for name in names]


def _published() -> Subject:
    """Install the published package once. The benchmark reports an error and goes on without it."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / ".complete"
    try:
        if not done.exists():
            venv.create(ENVIRONMENT, clear=True, with_pip=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PUBLISHED]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)
            done.touch()
    except (OSError, subprocess.SubprocessError) as error:
        return Subject("published", problem=f"{PUBLISHED} could not be installed: {_last_line(error)}")
    return Subject("published", str(python))


def _last_line(error: Exception) -> str:
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
    return str(said).strip().splitlines()[-1]


def machine() -> str:
    """Describe cores, processor, memory, system and interpreter on one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores of {_processor()}, {memory:.0f} GB, {platform.system()} {platform.release()}, {python}"


def machine_load() -> str:
    """Return the load average of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
