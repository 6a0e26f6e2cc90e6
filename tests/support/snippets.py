"""The Python snippets of Markdown files, and the start of one as a program of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from openai_codex.testing import QuietHome
from tests.support.bounds import PATIENCE

ROOT = Path(__file__).parents[2]
_DOCS = ROOT / "docs"

# As they are written: `make docs` puts pages of its own beside them.
PAGES = sorted(path for path in _DOCS.rglob("*.md") if not {"_build", "types"} & {*path.relative_to(_DOCS).parts})


def snippets_of(path: Path) -> list[str]:
    """Return what is in the fences of ``python``; those of ``python notest`` are left out."""
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


# What is in snippets for which a test prepares a model, a repository or other libraries.
_PREPARED = ("umbrella", "Is this code fine?", "wait_agents", "repo=", "fastapi", "ProcessorFormatter")


def is_prepared(snippet: str) -> bool:
    """Tell whether a snippet runs only where a test has prepared what it needs: see `test_readme`."""
    return any(each in snippet for each in _PREPARED)


def start(home: QuietHome, snippet: str, **env: str) -> str:
    """Run a snippet to its end in the workspace of a home. Returns its output; a failure fails."""
    path = home.path / "snippet.py"
    path.write_text(snippet, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=home.workspace,
        env={**os.environ, **home.env, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
