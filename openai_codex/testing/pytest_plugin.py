"""Fixtures for pytest, for projects that ask for them in their top ``conftest.py``.

    pytest_plugins = ["openai_codex.testing.pytest_plugin"]

They are not registered as an entry point on purpose: that would load them, and claim their names, in every test run of
every environment that has this package installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openai_codex.testing.home import QuietHome, temporary_home
from openai_codex.testing.model import ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._config import AppServerConfig


@pytest.fixture
def scripted_model() -> Iterator[ScriptedModel]:
    """A started model for one test; it answers "ok" to whatever is not scripted."""
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def codex_home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A quiet home that points to `scripted_model`, for one test."""
    with temporary_home(scripted_model.url) as home:
        yield home


@pytest.fixture
def codex_config(codex_home: QuietHome) -> AppServerConfig:
    """The settings of a client that uses `codex_home`."""
    return codex_home.config()
