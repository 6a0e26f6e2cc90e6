"""Which command starts the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex.errors import LaunchError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig


def command_line(config: AppServerConfig) -> tuple[str, ...]:
    """Build the command that starts the runtime. Raises `LaunchError` if the pinned binary is not installed."""
    if config.launch_args_override is not None:
        return config.launch_args_override
    strict = ("--strict-config",) if config.strict_config else ()
    overrides = (part for setting in config.config_overrides for part in ("-c", setting))
    return (config.codex_bin or bundled_binary(), *overrides, "app-server", *strict)


def bundled_binary() -> str:
    """Return the path of the binary that is pinned with this package. Raises `LaunchError` if it is missing."""
    try:
        from codex_cli_bin import bundled_codex_path  # pyright: ignore[reportMissingTypeStubs]  it ships no types

        return str(bundled_codex_path())
    except (ImportError, FileNotFoundError) as error:
        raise LaunchError(f"the package openai-codex-cli-bin is not installed or incomplete: {error}") from error
