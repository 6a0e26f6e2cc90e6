"""`QuietHome`: a CODEX_HOME for tests, with which the runtime asks one provider and otherwise keeps to itself.

It writes files and names the settings that belong to them; it starts nothing and knows nothing of models.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import attrs

from openai_codex._config import AppServerConfig
from openai_codex.testing import toml

if TYPE_CHECKING:
    from collections.abc import Generator

    from typing_extensions import Unpack

    from openai_codex.testing.toml import TomlValue

DEFAULT_PARENT = ".test-homes"
"""Where temporary homes are made, under the current directory. In the system's temp directory, sandboxed commands could
write to the home."""

_QUIET: dict[str, TomlValue] = {
    "model": "mock-model",
    "model_provider": "mock",
    "project_root_markers": [],  # the workspace stands alone: no AGENTS.md, skills or settings from around the home
    "features": {
        "plugins": False,  # with plugins the first thread goes to the network
        "shell_snapshot": False,  # saves some hundred executions of the login shell per thread
        "unbounded_connection_retries": False,  # or a refused connection is retried for ever
    },
    "model_providers": {
        "mock": {"name": "mock", "wire_api": "responses", "request_max_retries": 0, "stream_max_retries": 0}
    },
}


class HomeOptions(TypedDict, total=False):
    """The options of every function that makes a home."""

    model: str
    """The name of the model. The default, ``mock-model``, gets the plain set of tools and a warning that nobody knows
    it; ``gpt-5.5`` goes without the warning and has the tool ``apply_patch`` in addition."""
    config: Mapping[str, TomlValue]
    """More of ``config.toml``, as nested dicts; merged over the quiet settings, so that it can undo each of them."""
    features: Mapping[str, TomlValue]
    """More of its ``[features]``."""
    provider: Mapping[str, TomlValue]
    """More of the settings of the provider, such as ``stream_max_retries``."""


@attrs.frozen
class QuietHome:
    """A CODEX_HOME that is ready to use."""

    path: Path
    """The CODEX_HOME, absolute."""
    workspace: Path
    """An empty directory inside, for threads to work in."""
    user_home: Path
    """An empty directory inside that stands for the user's: the runtime looks there for skills and shell profiles."""

    @property
    def config_file(self) -> Path:
        """The ``config.toml`` that was written."""
        return self.path / "config.toml"

    @property
    def temp(self) -> Path:
        """The directory inside that is the runtime's temp directory."""
        return self.path / "temp"

    def config(self, *, env: Mapping[str, str] | None = None, **overrides: Any) -> AppServerConfig:
        """The settings of a client that uses this home; `env` is added, `overrides` replace what they name.

        Raises ``TypeError`` for a name that `AppServerConfig` does not have, and what that raises for a bad value.
        """
        settings: dict[str, Any] = {"cwd": str(self.workspace), "strict_config": True, **overrides}
        return AppServerConfig(env={**self.env, **(env or {})}, **settings)

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that belong to this home."""
        return {
            "CODEX_HOME": str(self.path),
            "HOME": str(self.user_home),
            # If the home lies under the temp directory, the runtime prints a warning and makes no helper programs.
            "TMPDIR": str(self.temp),
            "RUST_LOG": "warn",
            "NO_COLOR": "1",
            # A proxy of the machine must not come between the runtime and the loopback.
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }


def quiet_home(path: str | Path, model_url: str, **options: Unpack[HomeOptions]) -> QuietHome:
    """Make a quiet home in `path`, for the provider at `model_url`; nothing removes it."""
    root = Path(path).absolute()
    home = QuietHome(root, root / "workspace", root / "user")
    for directory in (home.workspace, home.user_home, home.temp):
        directory.mkdir(parents=True, exist_ok=True)
    home.config_file.write_text(toml.dumps(_settings(model_url, options)), encoding="utf-8")
    return home


@contextlib.contextmanager
def temporary_home(
    model_url: str, *, parent: str | Path | None = None, **options: Unpack[HomeOptions]
) -> Generator[QuietHome]:
    """A quiet home in a new directory of `parent` (default: ``.test-homes`` here); it is removed on leaving.

    So is a ``.test-homes`` that was made for it, once it is empty.
    """
    where = Path(DEFAULT_PARENT if parent is None else parent)
    directory, made_parent = _directory_in(where)
    try:
        with directory as path:
            yield quiet_home(path, model_url, **options)
    finally:
        if made_parent and parent is None:
            with contextlib.suppress(OSError):  # other tests still have homes there
                where.rmdir()


def _directory_in(parent: Path) -> tuple[tempfile.TemporaryDirectory[str], bool]:
    """Make a directory in a parent that may not exist; return it, and whether the parent had to be made."""
    made = False
    while True:
        with contextlib.suppress(FileExistsError):
            parent.mkdir(parents=True)
            made = True
        # Another test may remove the empty parent in between.
        with contextlib.suppress(FileNotFoundError):
            # The runtime may still be writing its last file while the directory is removed.
            return tempfile.TemporaryDirectory(prefix="home-", dir=parent, ignore_cleanup_errors=True), made


def _settings(model_url: str, options: HomeOptions) -> dict[str, TomlValue]:
    provider = {"base_url": model_url, **options.get("provider", {})}
    wanted: list[Mapping[str, TomlValue]] = [
        {"features": options.get("features", {}), "model_providers": {"mock": provider}},
        options.get("config", {}),
    ]
    if "model" in options:
        wanted.append({"model": options["model"]})
    settings = _QUIET
    for layer in wanted:
        settings = _merged(settings, layer)
    return settings


def _merged(base: Mapping[str, TomlValue], over: Mapping[str, TomlValue]) -> dict[str, TomlValue]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
