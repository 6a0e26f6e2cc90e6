"""The schema that the pinned runtime prints of itself, once per run."""

from __future__ import annotations

import pytest

from tools.generate import package
from tools.generate.schema import Schema


@pytest.fixture(scope="session")
def schema() -> Schema:
    return package.read_schema()
