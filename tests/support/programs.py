"""Programs that use the package, as processes of their own: their text is that of a test, and so is their client's."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import attrs

from openai_codex import AppServerConfig

# A shell lets what it runs in the background ignore Ctrl-C, and so would the programs.
_BEGIN = """
import asyncio, json, signal, sys, threading
from openai_codex import *
signal.signal(signal.SIGINT, signal.default_int_handler)
config = AppServerConfig(**json.loads(sys.argv[1]))
"""


class Ended(NamedTuple):
    """How a program has ended, and what it has said."""

    code: int
    out: str
    errors: str


@contextlib.contextmanager
def running(program: str, config: AppServerConfig) -> Iterator[subprocess.Popen[str]]:
    """Run a program, whose ``config`` is this one; it and the processes of its group are killed if they outlive the block."""
    settings = {name: value for name, value in attrs.asdict(config).items() if value is not None}
    command = [sys.executable, "-c", _BEGIN + textwrap.dedent(program), json.dumps(settings)]
    pipe = subprocess.PIPE
    # In a group of its own, in which the workers of its pools are, too.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def end_of(process: subprocess.Popen[str], timeout: float) -> Ended:
    """End a program's input and wait for its end, at most ``timeout`` seconds."""
    out, errors = process.communicate(timeout=timeout)
    return Ended(process.returncode, out, errors)
