"""One runtime for all tests of a module: each test takes a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from openai_codex.testing import QuietHome, ScriptedModel, temporary_home

from .raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen
class Kit:
    model: ScriptedModel
    home: QuietHome
    client: RawClient


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="module")
def shared_kit() -> Iterator[Kit]:
    with ScriptedModel() as model, temporary_home(model.url) as home, RawClient(home) as client:
        yield Kit(model, home, client)


@pytest.fixture
def kit(shared_kit: Kit) -> Iterator[Kit]:
    """The shared runtime, with nothing scripted and nothing seen; the test must use up what it scripts."""
    shared_kit.client.seen.clear()
    shared_kit.model.reset()
    yield shared_kit
    shared_kit.model.assert_drained()
