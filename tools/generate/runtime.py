"""Runs the pinned runtime to print the schema of its protocol. Knows processes and files, and not JSON Schema."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from codex_cli_bin import bundled_codex_path

ROOT = Path(__file__).parents[2]
BUNDLE = "codex_app_server_protocol.schemas.json"

TIMEOUT = 60.0
"""Timeout of each program that the generator runs, in seconds."""

VERSION = version("openai-codex-cli-bin")


def dump_schema(*, experimental: bool) -> dict[str, Any]:
    """Return the ``definitions`` of the protocol, with or without its experimental part."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as out:
        flags = ["--experimental"] if experimental else []
        command = [str(bundled_codex_path()), "app-server", "generate-json-schema", *flags, "--out", out]
        # The runtime prints a warning if its home is below the temp directory, so it gets another temp directory.
        environment = {**os.environ, "CODEX_HOME": home, "TMPDIR": out}
        nothing = subprocess.DEVNULL
        subprocess.run(command, check=True, env=environment, stdin=nothing, stdout=nothing, timeout=TIMEOUT)
        definitions: dict[str, Any] = json.loads((Path(out) / BUNDLE).read_text())["definitions"]
        return definitions
