"""How to start the runtime and how long to wait for it: one frozen value, checked when it is made."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._runtime.backoff import Restart, chosen
from openai_codex._version import __version__
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The runtime loses requests without a word when far more than a hundred are under way (its queue holds 128).
MOST_IN_FLIGHT = 100


def _seconds(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not (_is_number(value) and 0 < value < math.inf):
        raise ConfigError(attribute.name, f"expected a finite number of seconds above 0, got {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _in_flight(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if not isinstance(value, int) or not 1 <= value <= MOST_IN_FLIGHT:
        raise ConfigError(attribute.name, f"expected a whole number from 1 to {MOST_IN_FLIGHT}, got {value!r}")


def _text(name: str, value: object) -> None:
    """Refuse what no system call takes, by name."""
    if not isinstance(value, str):
        raise ConfigError(name, f"expected a text, got {type(value).__name__}")
    if "\0" in value:
        raise ConfigError(name, "contains a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(name, "contains half of a surrogate pair") from None


def _optional_text(_: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is not None:
        _text(attribute.name, value)


def _texts(_: object, attribute: attrs.Attribute[Any], value: tuple[str, ...] | None) -> None:
    for index, part in enumerate(value or ()):
        _text(f"{attribute.name}[{index}]", part)


def _command(_: object, attribute: attrs.Attribute[Any], value: tuple[str, ...] | None) -> None:
    if value == ():
        raise ConfigError(attribute.name, "is empty: expected a program and its arguments")


def _variables(_: object, attribute: attrs.Attribute[Any], value: Mapping[str, str] | None) -> None:
    for name, text in (value or {}).items():
        _text(f"{attribute.name} name", name)
        if not name or "=" in name:
            raise ConfigError(attribute.name, f"{name!r} is no name of a variable")
        _text(f"{attribute.name}[{name!r}]", text)


def _path(value: str | os.PathLike[str] | None) -> str | None:
    return None if value is None else os.fspath(value)


def _arguments(value: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...] | None:
    """Take a list for a tuple, and refuse the single string that would be split into its letters."""
    if isinstance(value, str):
        raise ConfigError("arguments", f"expected a sequence of strings, got the string {value!r}")
    return None if value is None else tuple(value)


def _overrides(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return _arguments(value) or ()


def _names_only(env: Mapping[str, str] | None) -> str:
    """Show which variables are set, never what they hold: keys and tokens travel there."""
    return "None" if env is None else f"<{', '.join(sorted(env))}>"


@attrs.frozen
class AppServerConfig:
    """How the client starts `codex app-server` and how long it waits. All durations are seconds.

    The defaults start the runtime that is pinned with this package, in the current directory, with the caller's
    environment and Codex home.

    Raises `ConfigError` when a value cannot work.
    """

    codex_bin: str | None = attrs.field(default=None, converter=_path, validator=_optional_text)
    """Path of the `codex` binary; ``None``: the one of the pinned package `openai-codex-cli-bin`."""
    launch_args_override: tuple[str, ...] | None = attrs.field(
        default=None, converter=_arguments, validator=[_command, _texts]
    )
    """The whole command line to start instead; everything that builds one here is then ignored."""
    config_overrides: tuple[str, ...] = attrs.field(default=(), converter=_overrides, validator=_texts)
    """Settings as ``key=value`` (value in TOML) that win over the user's ``config.toml``."""
    cwd: str | None = attrs.field(default=None, converter=_path, validator=_optional_text)
    """Working directory of the runtime, and so of threads that name none; ``None``: the caller's."""
    env: Mapping[str, str] | None = attrs.field(default=None, repr=_names_only, validator=_variables)
    """Variables set for the runtime on top of the caller's environment."""
    client_name: str = "codex_python_sdk"
    """How the client introduces itself; becomes a header value, so letters, digits, ``_``, ``-`` and ``.``."""
    client_title: str = "Codex Python SDK"
    """The name for people."""
    client_version: str = __version__
    """The client's version."""
    experimental_api: bool = True
    """Ask for the methods and fields that the protocol calls experimental."""
    strict_config: bool = attrs.field(default=False, kw_only=True)
    """Refuse to start on a ``config.toml`` with unknown keys or bad values, instead of falling back to defaults."""
    start_timeout: float = attrs.field(default=30.0, validator=_seconds, kw_only=True)
    """How long the runtime may take to start and to answer `initialize`."""
    request_timeout: float = attrs.field(default=60.0, validator=_seconds, kw_only=True)
    """How long any single request may wait for its reply, unless the call says otherwise."""
    shutdown_timeout: float = attrs.field(default=10.0, validator=_seconds, kw_only=True)
    """The longest that `close` takes: from closing the runtime's input over SIGTERM to SIGKILL."""
    handler_timeout: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_seconds), kw_only=True
    )
    """How long a handler or a person may take to answer the runtime before it is refused; ``None``: no limit.

    Two kinds have a limit of their own, since the runtime fails the turn after 10 s: token refresh, current time.
    """
    max_in_flight: int = attrs.field(default=64, validator=_in_flight, kw_only=True)
    """How many requests may be under way at once; more wait their turn on this side. At most 100."""
    restart: Restart | None = attrs.field(default=None, converter=chosen, kw_only=True)
    """Start a new runtime after a death: ``True``, or a `Restart` with settings; ``None``: a dead client stays dead."""


CodexConfig = AppServerConfig
"""The upstream name of `AppServerConfig`."""
