"""What tests of jobs begin with, and the end of the clients that stay open between jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openai_codex.testing import QuietHome
from tests.support.inside import close_warm_clients
from tests.support.repositories import repository


@pytest.fixture
def no_warm_client_stays(codex_home: QuietHome) -> Iterator[None]:
    yield
    close_warm_clients()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit, in a directory whose name has a space."""
    return repository(tmp_path / "my repo")
