"""`QuietHome`: a CODEX_HOME for tests, in which the runtime contacts one provider and nothing else; and `offline()`.

It writes the files of the home and names the settings that belong to them; it starts no runtime.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, TypedDict

import attrs
from typing_extensions import Unpack

from openai_codex._config import AppServerConfig
from openai_codex._runtime import toml
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.testing._known import leave_out_unknown
from openai_codex.testing._model import ScriptedModel
from openai_codex.testing._script import Scripted

DEFAULT_PARENT = ".test-homes"
"""The directory of temporary homes, in the current directory. In the system's temp directory, sandboxed commands could
write to the home."""

_QUIET: dict[str, Any] = {
    "model": "mock-model",
    "model_provider": "mock",
    "project_root_markers": [],  # no AGENTS.md, skills or settings from directories above the workspace
    "features": {
        "plugins": False,  # with plugins, the first thread accesses the network
        "shell_snapshot": False,  # saves hundreds of executions of the login shell per thread
        "unbounded_connection_retries": False,  # else a refused connection is retried without limit
    },
    "model_providers": {
        "mock": {"name": "mock", "wire_api": "responses", "request_max_retries": 0, "stream_max_retries": 0}
    },
}


class HomeOptions(TypedDict, total=False):
    """The options of every function that creates a home.

    Attributes:
        model: The name of the model. The default, ``mock-model``, has the basic tools and causes a warning that the
            model is unknown; ``gpt-5.5`` causes no warning and also has the tool ``apply_patch``.
        config: Settings for ``config.toml``, as nested dicts; they override the quiet settings.
        features: Settings for ``[features]``.
        provider: Settings for the provider, such as ``stream_max_retries``.
    """

    model: str
    config: Mapping[str, Any]
    features: Mapping[str, Any]
    provider: Mapping[str, Any]


@attrs.frozen
class QuietHome:
    """A CODEX_HOME that is ready to use.

    Attributes:
        path: The absolute path of the CODEX_HOME.
        workspace: An empty directory inside, the working directory of threads.
        user_home: An empty directory inside that replaces the user's home, where the runtime looks for skills and
            shell profiles.
    """

    path: Path
    workspace: Path
    user_home: Path

    @property
    def config_file(self) -> Path:
        """The path of its ``config.toml``."""
        return self.path / "config.toml"

    @property
    def temp(self) -> Path:
        """The directory inside that the runtime uses for temporary files."""
        return self.path / "temp"

    def config(self, *, env: Mapping[str, str] | None = None, **overrides: Any) -> AppServerConfig:
        """Return the configuration of a client that uses this home.

        If ``codex_bin`` or ``OPENAI_CODEX_BIN`` names another runtime than the pinned one, settings of the home that it
        does not know are removed from `config_file`.

        Args:
            env: More environment variables; they override those of the home.
            overrides: Fields of `AppServerConfig`, which override those of the home.

        Raises:
            TypeError: `AppServerConfig` has no field of that name.
            ConfigError: `AppServerConfig` refuses a value.
        """
        settings: dict[str, Any] = {"cwd": str(self.workspace), "strict_config": True, **overrides}
        config = AppServerConfig(env={**self.env, **(env or {})}, **settings)
        leave_out_unknown(self.config_file, _QUIET["features"], config)
        return config

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that belong to this home."""
        return {
            "CODEX_HOME": str(self.path),
            "HOME": str(self.user_home),
            # If the home lies in the temp directory, the runtime prints a warning and creates no helper programs.
            "TMPDIR": str(self.temp),
            "RUST_LOG": "warn",
            "NO_COLOR": "1",
            # A proxy of this machine must not get the requests to loopback.
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }


def quiet_home(path: str | Path, model_url: str, **options: Unpack[HomeOptions]) -> QuietHome:
    """Create a quiet home that stays.

    Args:
        path: The directory to create it in; it need not exist.
        model_url: The base URL of the provider.
        options: ``model`` (its name), ``config`` (settings for ``config.toml``, as nested dicts), ``features`` and
            ``provider`` (settings for these tables).
    """
    root = Path(path).absolute()
    home = QuietHome(root, root / "workspace", root / "user")
    for directory in (home.workspace, home.user_home, home.temp):
        directory.mkdir(parents=True, exist_ok=True)
    home.config_file.write_text(toml.document(_settings(model_url, options)), encoding="utf-8")
    leave_out_unknown(home.config_file, _QUIET["features"], AppServerConfig())  # for programs that use its `env` only
    return home


@contextlib.contextmanager
def temporary_home(
    model_url: str, *, parent: str | Path | None = None, **options: Unpack[HomeOptions]
) -> Generator[QuietHome]:
    """Create a quiet home in a new directory, and remove it on leaving the context.

    Args:
        model_url: The base URL of the provider.
        parent: The directory to create it in. ``None`` is ``.test-homes`` in the current directory, which is removed
            too if it did not exist before and is empty.
        options: ``model`` (its name), ``config`` (settings for ``config.toml``, as nested dicts), ``features`` and
            ``provider`` (settings for these tables).
    """
    where = Path(DEFAULT_PARENT if parent is None else parent)
    directory, made_parent = _directory_in(where)
    try:
        with directory as path:
            yield quiet_home(path, model_url, **options)
    finally:
        if made_parent and parent is None:
            with contextlib.suppress(OSError):  # homes of other tests are still in it
                where.rmdir()


def _directory_in(parent: Path) -> tuple[tempfile.TemporaryDirectory[str], bool]:
    """Create a directory in a parent that may not exist; return it, and whether the parent was created."""
    made = False
    while True:
        with contextlib.suppress(FileExistsError):
            parent.mkdir(parents=True)
            made = True
        # Another test may remove the empty parent in the meantime.
        with contextlib.suppress(FileNotFoundError):
            # The runtime may still be writing its last file while the directory is removed.
            return tempfile.TemporaryDirectory(prefix="home-", dir=parent, ignore_cleanup_errors=True), made


def _settings(model_url: str, options: HomeOptions) -> dict[str, Any]:
    provider = {"base_url": model_url, **options.get("provider", {})}
    wanted: list[Mapping[str, Any]] = [
        {"features": options.get("features", {}), "model_providers": {"mock": provider}},
        options.get("config", {}),
    ]
    if "model" in options:
        wanted.append({"model": options["model"]})
    settings = _QUIET
    for layer in wanted:
        settings = _merged(settings, layer)
    return settings


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


@attrs.frozen
class OfflineKit(NotPickled):
    """A scripted model and a home whose provider is that model.

    Attributes:
        model: The started model.
        home: The home.
    """

    _TO_PICKLE = "pickle its config, with which clients of other processes use its model"

    model: ScriptedModel
    home: QuietHome

    @property
    def config(self) -> AppServerConfig:
        """The configuration of a client; `home.config` takes overrides."""
        return self.home.config()


@contextlib.contextmanager
def offline(
    default: Scripted | None = "ok", *, parent: str | Path | None = None, **options: Unpack[HomeOptions]
) -> Generator[OfflineKit]:
    """Start a model and create a temporary home that uses it; leaving the context ends both.

    Unused answers are ignored; a test that cares calls ``kit.model.assert_drained()``.

    Args:
        default: The answer when nothing else is scripted; ``None`` makes such a request an error.
        parent: The directory to create the home in; see `temporary_home`.
        options: ``model`` (its name), ``config`` (settings for ``config.toml``, as nested dicts), ``features`` and
            ``provider`` (settings for these tables).

    Raises:
        ScriptError: On leaving: a request could not be answered as scripted.
    """
    with ScriptedModel(default) as model, temporary_home(model.url, parent=parent, **options) as home:
        yield OfflineKit(model, home)
