"""What a client itself reports: the runtime's metadata, and the change from one runtime to the next."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, ClassVar

import attrs

from openai_codex._codec.deferred import define, frozen
from openai_codex._log import Log
from openai_codex._notification import Notification
from openai_codex._protocol import UNSET, ClientRequest, InitializeResponse, ServerNotification
from openai_codex._protocol.methods import RUNTIME_VERSION
from openai_codex._runtime.process_info import ProcessInfo
from openai_codex._version import OLDEST_TESTED
from openai_codex.errors import ConfigError

_log = Log("connection")


@frozen
class ServerInfo:
    """Name and version of the runtime.

    Attributes:
        name: The name.
        version: The version; empty if the runtime does not say it.
    """

    name: str
    version: str


@define(eq=False, repr=False, kw_only=True)
class Metadata(InitializeResponse):
    """The runtime's reply to ``initialize``, with its name and version taken from its user agent."""

    # What a dump has in the published SDK, too.
    MEMBERS: ClassVar[tuple[str, ...]] = ("serverInfo", "userAgent", "codexHome", "platformFamily", "platformOs")

    @property
    def server_info(self) -> ServerInfo:
        """The first product of the user agent, ``name/version``; or what a server itself says."""
        given = (self.raw or {}).get("serverInfo")  # the runtime has no such field
        if isinstance(given, dict) and isinstance(given.get("name"), str):
            return ServerInfo(given["name"], str(given.get("version") or ""))
        name, _, version = self.user_agent.partition(" ")[0].partition("/")
        return ServerInfo(name, version)

    # Programs written for the published SDK use the names below.
    serverInfo = server_info  # noqa: N815  see above

    @property
    def userAgent(self) -> str:  # noqa: N802  see above
        """The same as ``user_agent``."""
        return self.user_agent

    @property
    def codexHome(self) -> str:  # noqa: N802  see above
        """The same as ``codex_home``."""
        return self.codex_home

    @property
    def platformFamily(self) -> str:  # noqa: N802  see above
        """The same as ``platform_family``."""
        return self.platform_family

    @property
    def platformOs(self) -> str:  # noqa: N802  see above
        """The same as ``platform_os``."""
        return self.platform_os


def log_version(metadata: Metadata, path: str | None) -> None:
    """Log the version of a runtime that is not the pinned one: as a warning if no test has run with one so old."""
    version = metadata.server_info.version
    if version in {"", RUNTIME_VERSION}:  # a fake server may say none
        return
    is_old = (numbers := _numbers(version)) and numbers < _numbers(OLDEST_TESTED)
    fields = {"version": version, "pinned": RUNTIME_VERSION, "oldest_tested": OLDEST_TESTED, "path": path}
    (_log.warning if is_old else _log.info)("codex.runtime_version_differs", **fields)


# What a request asks for by these fields, an older runtime silently leaves out: the copy of a thread has all turns, a
# list has all threads, a message is lost. Method → field → the first runtime on the package index that knows it.
LATER: dict[str, dict[str, str]] = {
    "thread/fork": {"last_turn_id": "0.144.4", "before_turn_id": "0.147.0"},
    "thread/list": {
        "ancestor_thread_id": "0.144.4",
        "parent_thread_id": "0.144.4",
        "section_id": "0.147.0",
        "project_id": "0.149.0",
        "originators": "0.154.0",
        "excluded_thread_ids": "0.163.0",
    },
    "thread/shellCommand": {"timeout_ms": "0.153.4"},
    "turn/start": {"tool_output": "0.153.4"},
}


def is_older(metadata: Metadata) -> bool:
    """Return whether a runtime is older than the pinned one. One without a version of its own, 0.0.0, is not."""
    numbers = _numbers(metadata.server_info.version)
    return any(numbers) and numbers < _numbers(RUNTIME_VERSION)


def check_known(params: ClientRequest[Any], metadata: Metadata) -> None:
    """Raise `ConfigError` for a field of a request that an older runtime would ignore."""
    version = metadata.server_info.version
    for name, since in LATER.get(params.METHOD, {}).items() if is_older(metadata) else ():
        if getattr(params, name) not in (UNSET, None) and _numbers(version) < _numbers(since):
            raise ConfigError(name, f"this runtime ({version}) would ignore it; {since} and later ones have it")


def _numbers(version: str) -> list[int]:
    """Return the parts of a version up to the first that is not a number: of 0.164.0-alpha.2, 0 and 164 and 0."""
    return [int(part) for part in takewhile(str.isdecimal, version.partition("-")[0].split("."))]


@define(eq=False, repr=False, kw_only=True)
class RuntimeExited(ServerNotification):
    """The runtime has ended; the next operation starts another one (`AppServerConfig.restart`).

    Attributes:
        generation: Which runtime of the client it was, counted from 1.
        pid: Its process id.
        reason: Why the connection ended.
        exit_code: Its exit status; negative for a signal, ``None`` if unknown.
        path: The program that ran; ``None`` if unknown.
    """

    METHOD: ClassVar[str] = "client/runtimeExited"

    generation: int
    pid: int | None
    reason: str
    exit_code: int | None
    path: str | None = None


@define(eq=False, repr=False, kw_only=True)
class RuntimeStarted(ServerNotification):
    """A runtime has started in place of one that ended; threads are resumed when their handles are used.

    Attributes:
        generation: Which runtime of the client it is, counted from 1.
        pid: Its process id; ``None`` if it was started elsewhere.
        version: Its version; empty if it does not say it.
        path: The program that runs; ``None`` if unknown.
    """

    METHOD: ClassVar[str] = "client/runtimeStarted"

    generation: int
    pid: int | None
    version: str = ""
    path: str | None = None


def runtime_exited(reason: str, process: ProcessInfo, generation: int) -> Notification:
    """Build the notification that a runtime ended, for subscriptions that continue with the next one."""
    return _notification(
        RuntimeExited(
            generation=generation, pid=process.pid, reason=reason, exit_code=process.exit_code, path=process.path
        )
    )


def runtime_started(generation: int, process: ProcessInfo, version: str) -> Notification:
    """Build the notification that another runtime has started."""
    return _notification(RuntimeStarted(generation=generation, pid=process.pid, version=version, path=process.path))


def _notification(payload: RuntimeExited | RuntimeStarted) -> Notification:
    """Put a payload of this package into the envelope that the runtime's payloads come in."""
    params = {field.name: getattr(payload, field.name) for field in attrs.fields(type(payload)) if field.name != "raw"}
    return Notification.made(payload, params)
