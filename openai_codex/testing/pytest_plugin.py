"""Fixtures for pytest, for projects that enable them in their top ``conftest.py``.

    pytest_plugins = ["openai_codex.testing.pytest_plugin"]

They are deliberately not registered as an entry point: that would load them, and occupy their names, in every test run
of every environment with this package.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openai_codex._config import AppServerConfig
from openai_codex.testing._home import QuietHome, temporary_home
from openai_codex.testing._model import ScriptedModel


@pytest.fixture
def scripted_model() -> Iterator[ScriptedModel]:
    """A started model for one test; it answers "ok" when nothing else is scripted."""
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def codex_home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A quiet home whose provider is `scripted_model`, for one test."""
    with temporary_home(scripted_model.url) as home:
        yield home


@pytest.fixture
def codex_config(codex_home: QuietHome) -> AppServerConfig:
    """The configuration of a client that uses `codex_home`."""
    return codex_home.config()
