"""Where a runtime listens that was started elsewhere, and the token for it: settings that belong together."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openai_codex import _checks as checks
from openai_codex._log import Log
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig

# What is said when the runtime is started, and so not by a client that only connects.
_OF_A_START = ("codex_bin", "launch_args_override", "config_overrides", "cwd", "env", "inherit_env", "strict_config")

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})

_log = Log("connection")


def check_address(config: AppServerConfig) -> None:
    """Raise `ConfigError` for settings of a configuration that contradict each other about where the runtime is, and without the extra."""
    given = [name for name in ("token", "token_env") if getattr(config, name) is not None]
    if config.endpoint is None:
        for name in given:
            raise ConfigError(name, "it is for a runtime that listens elsewhere: set endpoint, too")
        return
    if len(given) > 1:
        raise ConfigError("token_env", "expected only one of token and token_env")
    plain = type(config)()  # with the binary that a variable names, which is said for other clients
    for name in _OF_A_START:
        if getattr(config, name) != getattr(plain, name):
            raise ConfigError(name, "it is for the start of a runtime, and the one at endpoint is started elsewhere")
    try:
        import_module("websockets")
    except ImportError:
        raise ConfigError("endpoint", "it needs the package websockets: pip install 'openai-codex[remote]'") from None


def token_of(config: AppServerConfig) -> str | None:
    """Return the token to show now; ``None`` if there is none. Raises `ConfigError` if the variable for it is not set."""
    token = config.token
    if config.token_env is not None:
        named = os.environ.get(config.token_env)
        if not named:
            raise ConfigError("token_env", f"the variable {config.token_env} is not set")
        token = checks.credential("token_env", named)
    return token


def warn_of_token(config: AppServerConfig) -> None:
    """Log a warning if others can read the token on its way."""
    parts = urlsplit(config.endpoint or "")
    if parts.scheme == "ws" and parts.hostname not in _LOCAL:
        _log.warning("codex.token_not_encrypted", host=parts.hostname)
