"""The vendored schema, read once per run."""

from __future__ import annotations

import pytest

from tools.generate import vendored
from tools.generate.schema import Schema


@pytest.fixture(scope="session")
def schema() -> Schema:
    return Schema(vendored.read())
