# Derived from tests/faces_async/client/conftest.py by `python -m tools.unasync`; do not edit.
"""Homes in which the runtime asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openai_codex.testing import QuietHome, ScriptedModel, temporary_home


@pytest.fixture
def asking_home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A home in which the runtime asks all that it can ask of a person."""
    features = {"request_permissions_tool": True, "default_mode_request_user_input": True}
    settings = {"approval_policy": "on-request", "sandbox_mode": "read-only"}
    with temporary_home(scripted_model.url, model="gpt-5.5", config=settings, features=features) as home:
        yield home
