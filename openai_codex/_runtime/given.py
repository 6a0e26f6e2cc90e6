"""Checks of settings that have parts: variables of an environment, and where a runtime listens that was started elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openai_codex import _checks as checks
from openai_codex.errors import ConfigError


def variables(name: str, value: Any) -> None:
    """Check variables of an environment, by name; ``None`` stands for one that is removed."""
    given: Mapping[Any, Any] = checks.instance(name, value, Mapping, "a mapping")
    for key, text in given.items():
        name_of_variable(f"{name} key", key)
        if text is not None:
            checks.variable(f"{name}[{key!r}]", text)


def inherited(name: str, value: Any) -> None:
    """Check which variables are inherited: all, none, or those with these names."""
    if not isinstance(value, bool):
        checks.each(name, value, name_of_variable, "a bool, or a sequence of names of variables")


def name_of_variable(name: str, value: str) -> str:
    """Check the name of a variable of the environment."""
    # In the environment of a process, = ends the name.
    if not checks.variable(name, value) or "=" in value:
        raise checks.refusal(name, value, "the name of a variable, without =")
    return value


def names_only(env: Mapping[str, str | None] | None) -> str:
    """Return the names of the variables without their values, which may be keys and tokens."""
    return "None" if env is None else f"<{', '.join(sorted(env))}>"


def hidden(value: str | None) -> str:
    """Return whether there is a value, for a ``repr`` that must not show it."""
    return "None" if value is None else "'…'"


def endpoint(name: str, value: str) -> str:
    """Return the address of a runtime. Raises `ConfigError` without showing the value: it may hold a password."""
    from urllib.parse import urlsplit  # few programs need it

    accepted = "ws://HOST:PORT, wss://HOST:PORT or unix:///PATH, without user, query and fragment"
    try:
        parts = urlsplit(checks.variable(name, value))
        is_whole = bool(parts.path[1:] if parts.scheme == "unix" else parts.hostname and parts.port != 0)
        # `urlsplit` leaves out line ends.
        is_bare = not (parts.query or parts.fragment or "@" in parts.netloc or set(value) & set("\t\r\n"))
        is_known = parts.scheme in {"ws", "wss"} or (parts.scheme == "unix" and not parts.netloc)
    except ValueError as error:  # a port that is none
        if isinstance(error, ConfigError):
            raise
        is_whole = is_bare = is_known = False
    if not (is_whole and is_bare and is_known):
        raise ConfigError(name, f"expected {accepted}, got another address; a token belongs into token or token_env")
    return value
