"""Runs a table of idioms on one package, in a process of its own, with a home and a scripted model."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_codex.testing import ScriptedModel, fail, quiet_home

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.compat.idioms.values import Idiom

WORKER = Path(__file__).with_name("worker.py")

TIMEOUT = 300.0
"""How long the whole table may take, in seconds."""


def outcomes(python: str, idioms: Iterable[Idiom]) -> dict[str, Any]:
    """Return the outcome of each idiom, by its code, with the package that an interpreter has.

    Raises:
        subprocess.CalledProcessError: The session could not be prepared.
        subprocess.TimeoutExpired: It took too long.
    """
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".idioms-") as folder, ScriptedModel() as model:
        model.when(re.compile("Fail, please"), fail(400, code="invalid_prompt"), fail(400, code="invalid_prompt"))
        home = quiet_home(Path(folder) / "home", model.url)
        task = {"env": home.env, "cwd": str(home.workspace), "idioms": [idiom.code for idiom in idioms]}
        # -I: the directory of the script, the current one and variables of this process say nothing about the package.
        command = [python, "-I", str(WORKER)]
        done = subprocess.run(
            command, input=json.dumps(task), capture_output=True, text=True, check=True, timeout=TIMEOUT
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
