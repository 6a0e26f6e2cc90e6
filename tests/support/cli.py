"""The command line as a process of its own: with pipes, or on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from openai_codex.testing import QuietHome
from tests.support.bounds import PATIENCE, eventually
from tests.support.programs import Ended

# A shell lets what it runs in the background ignore Ctrl-C, and so would the command line.
_START = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
PROGRAM = [sys.executable, "-c", f"{_START}from openai_codex._cli.main import main; sys.exit(main())"]

# The terminal is the one that controls it, so that Ctrl-C typed there is a signal to all of its process group.
_CONTROL = f"{_START}import fcntl, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0)\n"
_ON_TERMINAL = [*PROGRAM[:-1], _CONTROL + PROGRAM[-1]]

# How long the last output of a process may take to be copied, in seconds.
_COPIED = 10.0

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def variables(home: QuietHome | None, **more: str) -> dict[str, str]:
    # Wide, so that no line is broken.
    return {
        **os.environ,
        "COLUMNS": "300",
        "LINES": "50",
        "PYTHONUNBUFFERED": "",
        **({} if home is None else home.env),
        **more,
    }


def ended(home: QuietHome | None, *arguments: str, typed: str = "", **more: str) -> Ended:
    """Run the command line to its end, without a terminal."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env=variables(home, **more),
        cwd=None if home is None else home.workspace,
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


class Terminal:
    """A process on a pseudo-terminal. What it writes goes to a file, by a process that copies it."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, copy: Path) -> None:
        self.process = process
        self._master = master
        self._copy = copy

    def raw(self) -> str:
        """Return all that was written so far."""
        return self._copy.read_bytes().decode(errors="replace")

    def text(self) -> str:
        """Return it without the sequences for colours and the cursor."""
        return _SEQUENCE.sub("", self.raw()).replace("\r", "")

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until a text is shown so many times; what a process has written last may take a moment."""
        eventually(lambda: self.text().count(text) >= count or self.process.poll() is not None)
        assert eventually(lambda: self.text().count(text) >= count, _COPIED), self.text()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Wait for its end. Returns its exit code."""
        code = self.process.wait(PATIENCE)
        assert "Traceback" not in self.text(), self.text()
        return code


@contextlib.contextmanager
def terminal(
    home: QuietHome, *arguments: str, program: str | None = None, stdin: bool = True, **more: str
) -> Iterator[Terminal]:
    """Run the command line, or a program, on a pseudo-terminal; it is killed if it outlives the block."""
    master, slave = pty.openpty()
    settings = termios.tcgetattr(slave)
    settings[3] &= ~termios.ECHO  # what is typed is not among what is shown
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    with tempfile.NamedTemporaryFile(dir=home.path, suffix=".screen") as copy:
        # Read all the time: a full terminal would make the program wait.
        reader = _copying(master, copy)
        try:
            with subprocess.Popen(
                [*(_ON_TERMINAL if program is None else [sys.executable, "-c", _CONTROL + program]), *arguments],
                env=variables(home, **{"TERM": "xterm-256color", "NO_COLOR": "", **more}),
                cwd=home.workspace,
                stdin=slave if stdin else subprocess.DEVNULL,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
            ) as process:
                try:
                    yield Terminal(process, master, Path(copy.name))
                finally:
                    process.kill()
        finally:
            reader.kill()
            reader.wait()
            os.close(slave)
            os.close(master)


def _copying(master: int, copy: IO[bytes]) -> subprocess.Popen[bytes]:
    program = (
        "import os, sys\nwhile True:\n try: data = os.read(0, 65536)\n except OSError: break\n os.write(1, data)\n"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdin=master, stdout=copy.fileno())
