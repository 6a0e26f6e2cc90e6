"""Which settings of a test home a runtime knows: older ones refuse to start with those that they do not."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from openai_codex._config import AppServerConfig
from openai_codex._engine.transport.installation import command_line
from openai_codex.errors import LaunchError

_TIMEOUT = 10.0
"""How long a runtime may take to list its features, in seconds; usually 0.03."""


def leave_out_unknown(file: Path, features: Iterable[str], config: AppServerConfig) -> None:
    """Remove features that are off from a ``config.toml``, if the runtime of a client does not know them.

    The pinned runtime knows all of them, so that only another one is asked.
    """
    if config.codex_bin is None or config.launch_args_override is not None:
        return
    try:
        known = _features_of(command_line(config)[0])
    except LaunchError:  # not found on PATH; its start will say so
        return
    text = written = file.read_text(encoding="utf-8")
    for name in features if known else ():
        if name not in known:
            text = re.sub(rf"\b{name}=false(, )?", "", text)
    if text != written:
        file.write_text(text.replace(", }", "}"), encoding="utf-8")


@cache
def _features_of(program: str) -> frozenset[str]:
    """Return the names of the features of a runtime; none if it does not list them, as a program of a test may not."""
    with tempfile.TemporaryDirectory() as home:
        command, environment = [program, "features", "list"], {"CODEX_HOME": home, "HOME": home}
        try:
            listed = subprocess.run(  # noqa: S603  the program that a test starts as its runtime
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_TIMEOUT
            )
        except (OSError, subprocess.SubprocessError):
            return frozenset()  # its start will say what is wrong with it
    return frozenset(re.findall(r"(?m)^(\w+) {2,}", listed.stdout.decode(errors="replace")))
