"""Runs one program in an environment: in a fresh process, with a home and a scripted model of its own, within a deadline."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.compat import scripts
from tools.compat.environments import FOLDER, Environment

if TYPE_CHECKING:
    from openai_codex.testing import QuietHome, ScriptedModel

HERE = Path(__file__).parent

DEADLINE = 300.0
"""How long a program may take for all of its cases, in seconds."""

Record = dict[str, Any]
"""The outcome of each case of a program, by its name."""

_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
_QUIET = {"AGNO_TELEMETRY": "false", "LANGSMITH_TRACING": "false", "PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1"}


class ProgramError(Exception):
    """A program wrote no record. The text is the end of what it wrote to stderr."""


def end_on_sigterm() -> None:
    """Let SIGTERM end this process as an exception does: else a program, in a session of its own, would go on."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def run(environment: Environment, program: str, cases: str = "") -> Record:
    """Run a program, and return its record, without the names of paths and ports of this run.

    Args:
        environment: Where its packages are.
        program: The name of the module in `programs`.
        cases: The names of the cases to run, separated by spaces; empty runs all.

    Raises:
        ProgramError: It failed, or took too long.
    """
    path = FOLDER / "homes" / f"{environment.name}-{program}"
    shutil.rmtree(path, ignore_errors=True)
    try:
        with scripts.started(path) as (model, home):
            record = path / "record.json"
            variables = {**_variables(model, home), "COMPAT_RECORD": str(record), "COMPAT_CASES": cases}
            written = _run(environment, program, variables, path / "output.txt")
            if not record.exists():
                raise ProgramError(written)
            text = record.read_text(encoding="utf-8")
            return _without_places(text, environment, home)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _variables(model: ScriptedModel, home: QuietHome) -> dict[str, str]:
    mock = f'{{name="mock", base_url="{model.url}", wire_api="responses", request_max_retries=0, stream_max_retries=0}}'
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        **_QUIET,
        **home.env,
        "COMPAT_WORKSPACE": str(home.workspace),
        "COMPAT_PROVIDER": f'model_provider="mock"\nproject_root_markers=[]\nmodel_providers.mock={mock}',
    }


def _run(environment: Environment, program: str, variables: dict[str, str], output: Path) -> str:
    """Run it to its end, and return the end of what it wrote."""
    with output.open("wb") as written:
        process = subprocess.Popen(
            [environment.python, "-m", f"programs.{program}"],
            cwd=HERE,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = f"exit code {process.wait(DEADLINE)}"
        except subprocess.TimeoutExpired:
            code = f"no end within {DEADLINE:g} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    text = output.read_text(encoding="utf-8", errors="replace")
    if os.environ.get("COMPAT_VERBOSE"):
        print(text)
    return f"{code}\n{text[-2000:]}"


def _without_places(text: str, environment: Environment, home: QuietHome) -> Record:
    for path, name in ((str(home.path), "<home>"), (str(environment.path), "<environment>")):
        text = text.replace(path, name)
    record: Record = json.loads(re.sub(r"127\.0\.0\.1:\d+", "<model>", text))
    return record
