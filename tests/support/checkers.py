"""The type checkers, as functions that check a ``use.py`` in a directory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]

Check = Callable[[Path], "subprocess.CompletedProcess[str]"]


def mypy(directory: Path) -> subprocess.CompletedProcess[str]:
    config = directory / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\npython_version = 3.10\nwarn_unused_ignores = true\n")
    return run("mypy", "--config-file", str(config), str(directory / "use.py"))


def pyright(directory: Path) -> subprocess.CompletedProcess[str]:
    config = directory / "pyrightconfig.json"
    settings = {
        "include": ["use.py"],
        "extraPaths": [str(ROOT)],
        "pythonVersion": "3.10",
        "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": False,  # those are mypy's here
        "reportUnnecessaryTypeIgnoreComment": True,
    }
    config.write_text(json.dumps(settings))
    return run("pyright", "--pythonpath", sys.executable, "--project", str(config))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False, capture_output=True, text=True)
