"""Options that several commands have, and what argparse makes of their values."""

from __future__ import annotations

import argparse
import json
import math
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._config import BIN_VARIABLE, AppServerConfig

if TYPE_CHECKING:
    from collections.abc import Callable


@attrs.frozen
class Command:
    """A command of the command line.

    Attributes:
        name: Its name.
        summary: One line for the list of commands.
        manual: The text of its help.
        add_options: Adds its options to a parser.
        execute: Runs it. Takes the parsed options and returns the exit code.
    """

    name: str
    summary: str
    manual: str
    add_options: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace], int]


def add_runtime_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which runtime is started, and how."""
    group = parser.add_argument_group("the runtime")
    group.add_argument(
        "--codex-bin",
        metavar="PATH",
        help=f"the codex binary to start (default: ${BIN_VARIABLE}, else that of the pinned package)",
    )
    group.add_argument(
        "-c",
        "--config",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=setting,
        help="a setting that wins over config.toml, with the value in TOML; may be repeated. It is visible in the list of "
        "processes: put secrets into variables of the environment",
    )
    group.add_argument(
        "-C", "--cwd", metavar="DIRECTORY", help="the directory to work in (default: the current one)", type=directory
    )
    parser.add_argument("--debug", action="store_true", help="write the log of the package to stderr, and whole errors")


def runtime_config(options: argparse.Namespace, **more: Any) -> AppServerConfig:
    """Return the configuration that the options ask for. Raises `ConfigError`."""
    return AppServerConfig(codex_bin=options.codex_bin, config_overrides=tuple(options.config), cwd=options.cwd, **more)


# -- types of values: a ValueError would lose the reason --------------------------------------------------------------


def prompt(text: str) -> str:
    """Check that something is asked."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a text, got an empty one")
    return text


def setting(text: str) -> str:
    """Check a setting."""
    if not text.partition("=")[0].strip() or "=" not in text:
        raise argparse.ArgumentTypeError("expected KEY=VALUE")  # not shown: it may be a secret
    return text


def seconds(text: str) -> float:
    """Read a duration."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got {text!r}")
    return value


@attrs.frozen
class Moment:
    """A time: of the clock, or of a journal, whose beginning is its zero."""

    seconds: float
    is_of_clock: bool

    def after(self, began: float) -> float:
        """Return it in seconds since the epoch."""
        return self.seconds if self.is_of_clock else began + self.seconds


def moment(text: str) -> Moment:
    """Read a time; one without an offset is of the local zone."""
    try:
        return Moment(float(text), is_of_clock=False)
    except ValueError:
        pass
    try:
        # Before 3.11, Python does not read a Z.
        return Moment(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp(), is_of_clock=True)
    except ValueError:
        expected = "seconds since the beginning of the journal, or a time such as 2026-11-26T10:40:07"
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}") from None


def pattern(text: str) -> re.Pattern[str]:
    """Read a regular expression."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from None


def directory(text: str) -> str:
    """Check that a directory exists."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a directory")
    return text


def json_file(text: str) -> dict[str, Any]:
    """Read a file with a JSON object."""
    try:
        value = json.loads(Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, a path with a NUL, or nested a thousand times
        raise argparse.ArgumentTypeError(f"{text!r} has no JSON that can be read: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} has no JSON object")
    return value
