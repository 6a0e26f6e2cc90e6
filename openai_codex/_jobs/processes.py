"""Which process is meant by an id, and whether it is still there. It starts and ends none."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import attrs

from openai_codex._config import AppServerConfig

# The field of /proc/PID/stat that has the time of the start, counted behind the name, which may have spaces.
_STARTED = 19


@attrs.frozen
class ProcessName:
    """A process of some machine, told from later ones with the same id.

    Attributes:
        host: The name of the machine.
        pid: Its id there.
        started: When it was started, by the clock of the system; empty where that is not known.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> ProcessName:
        """Return the name of this process."""
        return cls(platform.node(), os.getpid(), _start_of(os.getpid()))

    def is_alive(self) -> bool:
        """Return whether it may still run. One of another machine, which cannot be asked, counts as dead."""
        if self.host != platform.node():
            return False
        started = _start_of(self.pid)
        return bool(started) and started == self.started


def _start_of(pid: int) -> str:
    try:
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # A zombie has ended; its parent has not looked yet.
    return "" if fields[0] in {"Z", "X"} else fields[_STARTED]


def home_of(config: AppServerConfig) -> str:
    """Return the directory in which the runtimes of a configuration keep their threads; of a remote one, its address."""
    if config.endpoint is not None:
        return config.endpoint
    given = dict(config.env or {})
    inherited = os.environ if config.inherit_env is True else {}
    names = {name: given.get(name, inherited.get(name)) for name in ("CODEX_HOME", "HOME")}
    home = names["CODEX_HOME"] or str(Path(names["HOME"] or "~").expanduser() / ".codex")
    return os.path.realpath(home)
