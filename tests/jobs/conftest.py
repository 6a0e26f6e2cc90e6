"""What tests of jobs begin with, and the end of the clients that stay open between jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openai_codex.testing import QuietHome, ScriptedModel
from tests.support.inside import close_warm_clients
from tests.support.jobs import answer_all
from tests.support.repositories import repository


@pytest.fixture
def no_warm_client_stays(codex_home: QuietHome) -> Iterator[None]:
    yield
    close_warm_clients()


@pytest.fixture
def done(scripted_model: ScriptedModel) -> ScriptedModel:
    """A model that answers the prompt of every job."""
    answer_all(scripted_model)
    return scripted_model


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit, in a directory whose name has a space."""
    return repository(tmp_path / "my repo")
