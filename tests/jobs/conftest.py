"""Clients that stay open between jobs end with the test whose home they use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openai_codex.testing import QuietHome
from tests.support.inside import close_warm_clients


@pytest.fixture
def no_warm_client_stays(codex_home: QuietHome) -> Iterator[None]:
    yield
    close_warm_clients()
