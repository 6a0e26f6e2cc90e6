"""What tests of dumps and of models share."""

from __future__ import annotations

import pytest

from openai_codex import types as t
from tests.support.turn_json import TURN


@pytest.fixture
def turn() -> t.Turn:
    return t.structure(t.Turn, TURN)
