"""Runs one program in a fresh process, within a deadline, and returns its measures. It does not know workloads."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Union

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent

CLOSING = 5.0
"""How long a program may take to end after it has printed its measures, in seconds."""

ABSENT = "n/a"
"""The kind of failure of a subject that could not be installed."""

Measures = dict[str, float]


@attrs.frozen
class Failure:
    """A run without measures.

    Attributes:
        what: ``hangs``, ``fails``, or `ABSENT`.
        detail: The reason.
    """

    what: str
    detail: str


Outcome = Union[Measures, Failure]


def run(
    python: str, program: str, sizes: Mapping[str, Any], environment: Mapping[str, str], deadline: float
) -> Outcome:
    """Run ``module.function`` of the programs; add ``line_ms``, the time from its start to its line of output."""
    module, function = program.split(".")
    command = [python, "-m", f"programs.{module}", function, json.dumps(sizes)]
    with tempfile.TemporaryFile() as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=HERE,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
        assert process.stdout is not None
        with process.stdout as stdout:
            line = _first_line(stdout, deadline)
            taken = (time.perf_counter() - start) * 1e3
            _end(process, CLOSING if line else 0)
        if line is None:
            return Failure("hangs", f"no output within {deadline:g} s")
        if not line:
            return Failure("fails", _last_lines(stderr))
    return {"line_ms": taken, **{name: float(value) for name, value in json.loads(line).items()}}


def _first_line(stdout: IO[bytes], timeout: float) -> bytes | None:
    """Return the first line, empty at the end of the output; ``None`` after the timeout."""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        return stdout.readline() if selector.select(timeout) else None


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Wait for the end, or kill the process; its child processes end with their input."""
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_lines(stderr: IO[bytes]) -> str:
    stderr.seek(0)
    return "\n".join(stderr.read().decode(errors="replace").splitlines()[-15:])
