"""The notebook of the examples runs from top to bottom, on the real runtime with the scripted model behind it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from openai_codex.testing import QuietHome, ScriptedModel
from tests.support.bounds import PATIENCE

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def cells_of(notebook: str) -> list[dict[str, Any]]:
    """Return the cells with code."""
    return [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]


def test_it_is_kept_without_outputs() -> None:
    cells = cells_of(NOTEBOOK.read_text(encoding="utf-8"))
    assert [(cell["outputs"], cell["execution_count"]) for cell in cells] == [([], None)] * 4


def test_it_runs_from_top_to_bottom(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.when(re.compile("squared"), lambda request: f"({request.last_user_text})")
    scripted_model.when("Tell me a short story.", "Once upon a time.")
    command = [sys.executable, "-m", "tests.support.notebook", str(NOTEBOOK), str(codex_home.workspace)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        # HOME is that of the test, too, where the libraries keep their files.
        env={**os.environ, **codex_home.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = [json.dumps(cell["outputs"]) for cell in cells_of(done.stdout)]
    assert [f"(What is {number} squared?)" in shown[1] for number in (7, 8, 9)] == [True] * 3
    assert "Once upon a time." in shown[2]
    assert "<iframe srcdoc=" in shown[3]
    assert "What is 8 squared?" in shown[3]
