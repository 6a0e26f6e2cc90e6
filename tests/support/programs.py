"""Programs that use the package, as processes of their own: their text is that of a test, and so is their client's."""

from __future__ import annotations

import contextlib
import json
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
    """Run a program, whose ``config`` is this one; it is killed if it outlives the block."""
    settings = {name: value for name, value in attrs.asdict(config).items() if value is not None}
    command = [sys.executable, "-c", _BEGIN + textwrap.dedent(program), json.dumps(settings)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def end_of(process: subprocess.Popen[str], timeout: float) -> Ended:
    """End a program's input and wait for its end, at most ``timeout`` seconds."""
    out, errors = process.communicate(timeout=timeout)
    return Ended(process.returncode, out, errors)
