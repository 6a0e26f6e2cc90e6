"""`offline()`: a scripted model and a quiet home that belong together, in one step."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import attrs

from openai_codex.testing.home import HomeOptions, QuietHome, temporary_home
from openai_codex.testing.model import ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from typing_extensions import Unpack

    from openai_codex._config import AppServerConfig
    from openai_codex.testing.script import Scripted


@attrs.frozen
class OfflineKit:
    """What a test needs to run the real runtime offline."""

    model: ScriptedModel
    home: QuietHome

    @property
    def config(self) -> AppServerConfig:
        """The settings of a client; `home.config` takes overrides."""
        return self.home.config()


@contextlib.contextmanager
def offline(
    default: Scripted | None = "ok", *, parent: str | Path | None = None, **options: Unpack[HomeOptions]
) -> Generator[OfflineKit]:
    """A started model and a temporary home that points to it; both are gone on leaving.

    `default` is what the model answers when nothing is scripted, `parent` and the options are those of
    `temporary_home`. Leaving raises `ScriptError` for requests that could not be answered as scripted. Answers that
    were never asked for pass unnoticed; a test that minds them calls ``kit.model.assert_drained()``.
    """
    with ScriptedModel(default) as model, temporary_home(model.url, parent=parent, **options) as home:
        yield OfflineKit(model, home)
