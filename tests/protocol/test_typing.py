"""What a type checker makes of the protocol types: the params class alone decides the type of the result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USE = Path(__file__).with_name("typed_use.py").read_text()

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


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_the_types_are_right(check: Check, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_the_checkers_would_see_a_wrong_type(check: Check, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE.replace(", ThreadTurnsListResponse)", ", LogoutAccountResponse)"))
    done = check(tmp_path)
    assert done.returncode == 1
    assert "assert_type" in done.stdout or "assert-type" in done.stdout
