"""The supported versions of Python, as pyproject.toml names them, and the interpreters of them on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_VERSION = re.compile(r'^  "Programming Language :: Python :: (3\.\d+)",$', re.MULTILINE)


def supported() -> tuple[str, ...]:
    """Return the supported versions, such as ``3.10``, oldest first."""
    return tuple(_VERSION.findall((ROOT / "pyproject.toml").read_text(encoding="utf-8")))


def interpreter(version: str) -> Path | None:
    """Return an interpreter of a version: of PATH, or of pyenv; ``None`` if there is none that starts."""
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    candidates = [shutil.which(f"python{version}"), *reversed(of_pyenv)]
    return next((Path(each) for each in candidates if each is not None and _version_of(Path(each)) == version), None)


def _version_of(python: Path) -> str:
    # A shim of pyenv may stand for a version that is not selected. It fails then.
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    done = subprocess.run([python, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def missing(version: str) -> str:
    """Say what to do about a version without an interpreter."""
    return f"Python {version}: no interpreter found; install one as python{version} on PATH, or by `pyenv install {version}`"


if __name__ == "__main__":  # for the Makefile: prints the interpreter, or says that there is none
    found = interpreter(sys.argv[1])
    sys.exit(missing(sys.argv[1]) if found is None else print(found))
