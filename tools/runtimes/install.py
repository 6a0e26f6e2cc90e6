"""Gets runtimes from the package index, by pip and by the name of their package, each into a directory of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "openai-codex-cli-bin"

DIRECTORY = Path(os.environ.get("RUNTIMES", ".runtimes"))
"""Where they are kept, about 350 MB each; never part of the repository."""

_BINARY = Path("codex_cli_bin", "bin", "codex.exe" if os.name == "nt" else "codex")

# For a download on a slow line, in seconds.
_TIMEOUT = 900.0


def installed(version: str) -> Path:
    """Return the binary of a version; install it if it is not there. Raises `CalledProcessError` if pip fails."""
    target = DIRECTORY.absolute() / version
    if not (target / _BINARY).is_file():
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        # Renamed when it is complete, so that an installation that was interrupted is not taken for one.
        made = tempfile.mkdtemp(prefix=f"{version}-", dir=DIRECTORY)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        try:
            subprocess.run([*command, "--target", made, f"{PACKAGE}=={version}"], check=True, timeout=_TIMEOUT)
            shutil.rmtree(target, ignore_errors=True)
            Path(made).rename(target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return target / _BINARY
