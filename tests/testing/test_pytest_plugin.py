"""The fixtures for pytest, and the modules that an import of the kit loads."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .raw_client import DEADLINE, RawClient

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig
    from openai_codex.testing import QuietHome, ScriptedModel

pytest_plugins = ["openai_codex.testing.pytest_plugin"]


def test_the_fixtures_belong_together(
    scripted_model: ScriptedModel, codex_home: QuietHome, codex_config: AppServerConfig
) -> None:
    assert codex_config == codex_home.config()
    scripted_model.say("from the fixture")
    with RawClient(codex_home) as client:
        client.turn(client.thread(), "Hi")
    assert "".join(client.deltas()) == "from the fixture"


@pytest.mark.parametrize(
    ("imported", "absent"), [("openai_codex.testing", "pytest"), ("openai_codex", "openai_codex.testing")]
)
def test_an_import_brings_in_no_more_than_it_needs(imported: str, absent: str) -> None:
    program = f"import sys, {imported}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=DEADLINE, check=False).returncode == 0
