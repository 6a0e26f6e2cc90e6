"""How to start the runtime and how long to wait for it: one frozen value, checked when it is made."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, Union, cast

import attrs

from openai_codex import _checks as checks
from openai_codex import _journal as journals
from openai_codex._codec.model import Data
from openai_codex._runtime import given
from openai_codex._runtime.backoff import Restart, to_policy
from openai_codex._runtime.display import conceal, conceal_later
from openai_codex._runtime.imports import load
from openai_codex._runtime.settings_secrets import mask_all, secrets_of_arguments, secrets_of_settings
from openai_codex._runtime.toml import check_argument, to_arguments
from openai_codex._version import __version__
from openai_codex.errors import ConfigError

BIN_VARIABLE, JOURNAL_VARIABLE = "OPENAI_CODEX_BIN", "OPENAI_CODEX_JOURNAL"

# Loaded when a text is shown.
_VARIABLES = "openai_codex._runtime.variables"

# The runtime loses requests silently when far more than a hundred are in flight (its queue holds 128).
MOST_IN_FLIGHT = 100

# Generous: a healthy runtime answers within a millisecond, and a falsely killed one costs its running turns.
_PING_INTERVAL: float | None = 30.0
_PING_TIMEOUT = 60.0

StrPath: TypeAlias = Union[str, os.PathLike[str]]


def _not_a_text(name: str, value: Any, accepted: str) -> None:
    """Refuse a single str without showing it: it may be a secret, or hold one."""
    if isinstance(value, str):
        raise ConfigError(name, f"expected {accepted}, got a str")


def _command(name: str, value: Any) -> None:
    accepted = "a sequence of str: the program and its arguments"
    _not_a_text(name, value, accepted)
    if not checks.each(name, value, checks.text, accepted):
        raise checks.refusal(name, value, f"{accepted}, not empty")


def _arguments(name: str, value: Any) -> None:
    accepted = "a mapping, or a sequence of key=value texts"
    _not_a_text(name, value, accepted)
    checks.each(name, value, check_argument, accepted)


def _otel(name: str, value: Any) -> None:
    if value is not False:
        load("openai_codex._otel.settings").check(name, value)


# Converters accept what cannot work, too: the validators behind them know the name of the argument.


def _plain(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _path(value: StrPath | None) -> str | None:
    plain: str | None = _plain(value)
    return plain


def _program(value: Any) -> Any:
    """Make a relative path absolute. Left as it is, the system would look it up in the directory of ``cwd=``."""
    is_relative = isinstance(value, str) and bool(os.path.dirname(value)) and not os.path.isabs(value)  # noqa: PTH120, PTH117  a Path loses ./
    return str(Path.cwd() / value) if is_relative else value


def _binary(value: StrPath | None) -> str | None:
    named = _named(BIN_VARIABLE) if value is None else None
    if named is not None:
        # Also without a slash: what PATH would find is not what a variable names.
        return named if os.path.isabs(named) else str(Path.cwd() / named)  # noqa: PTH117  a Path loses ./
    return _program(_plain(value))  # type: ignore[no-any-return]  # checked by the validator


def _named(variable: str) -> str | None:
    """Return the path that a variable names, if any. Where no shell has set it, its ~ is not expanded."""
    given = os.environ.get(variable) or None
    path = None if given is None else os.path.expanduser(given)  # noqa: PTH111  a Path loses the separator
    if path is not None and (not path.strip() or path.startswith("~")):
        raise checks.refusal(variable, given, "a path, whose ~ is a known home")
    return None if path is None else checks.path(variable, path)


def journal_of(value: journals.JournalLike | None) -> journals.Journal | None:
    """Return the journal for a setting; for ``None`` the one that the variable names. Raises `ConfigError`."""
    chosen = _named(JOURNAL_VARIABLE) if value is None else value
    return (
        None if chosen is None else cast("journals.Journal", load("openai_codex._journal.settings").to_journal(chosen))
    )


def _shown_command(command: tuple[str, ...] | None) -> str:
    return repr(None if command is None else mask_all(command))


def _secrets_in(env: Mapping[str, str | None]) -> Iterable[str]:
    return cast("Iterable[str]", load(_VARIABLES).secrets_of_env(env))


def _inherited_secrets() -> Iterable[str]:
    return cast("Iterable[str]", load(_VARIABLES).secrets_of_program())


def _parts(value: Any) -> Any:
    """Turn a sequence into a tuple, except a str, whose parts would be its letters."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return value
    return tuple(_plain(part) for part in value)


def _command_parts(value: Sequence[StrPath] | None) -> tuple[str, ...] | None:
    parts: Any = _parts(value)
    command: tuple[str, ...] | None = (_program(parts[0]), *parts[1:]) if isinstance(parts, tuple) and parts else parts
    return command


def _override_parts(value: Mapping[str, Any] | Sequence[str]) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        conceal(secrets_of_settings(value))  # here, as their texts have to be guessed once they are TOML
        return to_arguments("config_overrides", value)
    parts: tuple[str, ...] = _parts(value)
    return parts


def _copied(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _or_none(check: Callable[..., object]) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    return attrs.validators.optional(checks.validator(check))


_flag, _text = checks.validator(checks.flag), checks.validator(checks.text)
_seconds = checks.validator(checks.finite_seconds)


def _concealed(config: AppServerConfig, field: attrs.Attribute[Any], value: Any) -> Any:
    """Note the secrets in a value that is assigned."""
    config.__attrs_post_init__(**{field.name: value})
    return value


@attrs.define(on_setattr=[attrs.setters.convert, attrs.setters.validate, _concealed])
class AppServerConfig(Data):
    """How a client starts ``codex app-server`` and how long it waits. All durations are float seconds.

    The defaults start the runtime that is pinned with this package, in the current directory, with the environment and
    the Codex home of the caller. Attributes can be assigned, which checks them as the constructor does; a client takes a
    copy. The functions of `dataclasses` work on it, such as ``dataclasses.replace(config, cwd=…)``.

    Attributes:
        codex_bin: Path of the ``codex`` binary; ``None`` means the one that the variable ``OPENAI_CODEX_BIN`` of this
            program names, else that of the pinned package ``openai-codex-cli-bin``. A relative path is relative to the
            directory in which the configuration is created, not to ``cwd``. A name without a slash is looked up in the
            absolute directories of ``PATH`` at each start; in the variable, it is a relative path as well.
        launch_args_override: The whole command line to start instead; its program is looked up as ``codex_bin`` is.
            ``codex_bin``, ``config_overrides`` and ``strict_config`` are ignored then.
        config_overrides: Settings that win over the user's ``config.toml``: a mapping, for instance
            ``{"model": "gpt-5.4", "features.plugins": False, "mcp_servers": {"docs": {"command": "docs-server"}}}``, or
            a sequence of ``key=value`` texts with the value in TOML. Kept as such texts. They are arguments of the
            runtime, which every user of the machine can list: put secrets into ``env``, and their names into settings
            such as ``env_key`` and ``bearer_token_env_var``. ``repr`` and error texts mask values of keys that sound
            secret.
        cwd: Working directory of the runtime, and of threads that have none of their own; ``None`` means the caller's.
        env: Variables that are set for the runtime, in addition to those that it inherits; ``None`` removes a variable.
            ``repr`` hides the values. In logs, error texts and the journal, a value is masked wherever the runtime repeats it
            if the name sounds secret (token, key, password, …), or if it has at least 8 characters and is no path, number,
            UUID or words, such as ``us-east-1`` or ``info,codex=debug``. So is an inherited one whose name sounds secret.
        client_name: The name of the client for the runtime. It becomes a header value, so use letters, digits, ``_``,
            ``-`` and ``.``.
        client_title: The name of the client for people.
        client_version: The version of the client.
        experimental_api: Ask for the methods and fields that the protocol calls experimental.
        strict_config: Refuse to start with unknown keys or bad values in ``config.toml``, instead of ignoring them.
        start_timeout: How long the runtime may take to start and to answer ``initialize``.
        request_timeout: How long a request may wait for its reply, unless the call says otherwise.
        shutdown_timeout: The longest that ``close`` takes. Within it the runtime's input is closed, then its process
            group gets SIGTERM, then SIGKILL.
        handler_timeout: How long a handler may take to answer a server request before it is refused; ``None`` means no
            limit. Token refresh and current time have a limit of 9 s, because the runtime fails the turn after 10 s.
        max_in_flight: How many requests may be in flight at once, 1 to 100; further ones wait in the client.
        ping_interval: After so long without a byte from the runtime it is asked for a sign of life, with the cheap
            request ``thread/loaded/list``; ``None`` means never. It costs nothing while events arrive.
        ping_timeout: A runtime that sends nothing for so long after that is frozen (stopped, swapped out): it is killed,
            and calls that wait raise `RuntimeFrozenError`. Time in which this program itself is stopped, or the
            machine sleeps, does not count.
        max_line_bytes: How long one line of the runtime may be, at least 65,536; the default is 256 MiB. A longer one is
            skipped, counted in ``health().skipped`` and logged as a warning. Of its first 1,024 bytes the client takes
            what must not be lost: if it is the response to a request, or the end of a turn or login, the caller gets a
            `DecodeError`; a request of the runtime is refused at once, and `RunResult.declined` names it as
            ``unreadable``. Any other event, such as a long item, is missing in the result. The end of a turn whose ids
            are not within those bytes is lost, too; the pinned runtime writes them within the first 200.
        inherit_env: Which variables of this program the runtime inherits, and so the commands that it runs: all with
            ``True``, none with ``False``, or those named here, for instance ``["PATH", "HOME"]``. It needs ``HOME`` or
            ``CODEX_HOME``. A variable that is not UTF-8 is left out, with a WARNING in the log: beside it the pinned runtime
            would run no command. Only a program that ``launch_args_override`` names gets it.
        journal: Where to write all frames and events, as lines of JSON without secrets: a path or a `Journal`; ``None``
            means what the variable ``OPENAI_CODEX_JOURNAL`` of this program names, if anything; a ``~`` in it is the home.
        otel: ``True`` makes OpenTelemetry spans and metrics of turns, tools and approvals, by the tracer provider of this
            program, and sends the current context with each request, except those that interrupt a turn: a thread of its
            own repeats them, also after the span has ended. It needs the extra ``otel``. The runtime's own spans join them
            if it knows a collector: by the variables ``OTEL_EXPORTER_OTLP_ENDPOINT`` or
            ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``, or as a URL in place of ``True``, such as
            ``http://localhost:4318/v1/traces``. Credentials belong into ``OTEL_EXPORTER_OTLP_HEADERS``. With
            ``launch_args_override`` the runtime exports what its own configuration says.
        restart: ``True`` or a `Restart` starts a new runtime after a death; ``None`` and ``False`` do not. With ``endpoint``
            it connects again: running turns, their streams and pending approvals go on.
        endpoint: Connect to a runtime that was started elsewhere, by ``codex app-server --listen``, in place of starting
            one: ``ws://HOST:PORT``, ``wss://…`` or ``unix:///PATH``. It needs the extra ``remote``. ``close`` ends the
            connection only, and settings of a start, such as ``cwd`` and ``config_overrides``, are refused. A message longer
            than ``max_line_bytes`` ends the connection.
        token: The token that this runtime asks for (``--ws-auth capability-token`` or ``signed-bearer-token``). It is in no
            log, ``repr`` or report.
        token_env: The variable of this program that holds it, read with each connection; in place of ``token``.

    Raises:
        ConfigError: A value is not accepted. The error names it.
    """

    codex_bin: str | None = attrs.field(default=None, converter=_binary, validator=_or_none(checks.path))
    launch_args_override: tuple[str, ...] | None = attrs.field(
        default=None, repr=_shown_command, converter=_command_parts, validator=_or_none(_command)
    )
    config_overrides: tuple[str, ...] = attrs.field(
        default=(), repr=_shown_command, converter=_override_parts, validator=checks.validator(_arguments)
    )
    cwd: str | None = attrs.field(default=None, converter=_path, validator=_or_none(checks.directory))
    env: Mapping[str, str | None] | None = attrs.field(
        default=None, repr=given.names_only, converter=_copied, validator=_or_none(given.variables)
    )
    client_name: str = attrs.field(default="codex_python_sdk", validator=_text)
    client_title: str = attrs.field(default="Codex Python SDK", validator=_text)
    client_version: str = attrs.field(default=__version__, validator=_text)
    # Without it the runtime refuses dynamic tools, thread search and more.
    experimental_api: bool = attrs.field(default=True, validator=_flag)
    strict_config: bool = attrs.field(default=False, validator=_flag, kw_only=True)
    # Usually 0.1 s; much longer on a loaded machine, or behind other first starts in the same home.
    start_timeout: float = attrs.field(default=30.0, validator=_seconds, kw_only=True)
    request_timeout: float = attrs.field(default=60.0, validator=_seconds, kw_only=True)
    # Usually 0.1 s. With plugins but no network the runtime takes 4.5 s to exit; half of this is left to it.
    shutdown_timeout: float = attrs.field(default=10.0, validator=_seconds, kw_only=True)
    handler_timeout: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_seconds), kw_only=True
    )
    max_in_flight: int = attrs.field(
        default=64, validator=checks.validator(checks.count, 1, MOST_IN_FLIGHT), kw_only=True
    )
    ping_interval: float | None = attrs.field(
        default=_PING_INTERVAL, validator=attrs.validators.optional(_seconds), kw_only=True
    )
    ping_timeout: float = attrs.field(default=_PING_TIMEOUT, validator=_seconds, kw_only=True)
    max_line_bytes: int = attrs.field(
        default=1 << 28, validator=checks.validator(checks.count, 1 << 16, sys.maxsize), kw_only=True
    )
    inherit_env: bool | tuple[str, ...] = attrs.field(
        default=True, converter=_parts, validator=checks.validator(given.inherited), kw_only=True
    )
    journal: journals.Journal | None = attrs.field(default=None, converter=journal_of, kw_only=True)
    otel: bool | str = attrs.field(default=False, validator=checks.validator(_otel), kw_only=True)
    restart: Restart | None = attrs.field(default=None, converter=to_policy, kw_only=True)
    endpoint: str | None = attrs.field(default=None, validator=_or_none(given.endpoint), kw_only=True)
    token: str | None = attrs.field(
        default=None, repr=given.hidden, validator=_or_none(checks.credential), kw_only=True
    )
    token_env: str | None = attrs.field(default=None, validator=_or_none(given.name_of_variable), kw_only=True)

    def __attrs_post_init__(self, **assigned: Any) -> None:
        # A runtime may repeat them on stderr, or in an error.
        values = assigned or attrs.asdict(self, recurse=False)
        if env := values.get("env"):
            conceal_later(lambda: _secrets_in(env), self)
        if token := values.get("token"):
            conceal_later(lambda: [token], self)
        for name in ("config_overrides", "launch_args_override"):
            if arguments := values.get(name):
                conceal_later(partial(secrets_of_arguments, arguments), self)
        if values.get("inherit_env"):
            conceal_later(_inherited_secrets, os.environ)


CodexConfig = AppServerConfig
"""The upstream name of `AppServerConfig`."""
