"""What a client reports: the runtime's reply to ``initialize``, and a snapshot of the state of both."""

from __future__ import annotations

import attrs

from openai_codex._protocol import InitializeResponse


@attrs.frozen
class ServerInfo:
    """Name and version of the runtime.

    Attributes:
        name: The name.
        version: The version; empty if the runtime does not say it.
    """

    name: str
    version: str


@attrs.define(eq=False, repr=False, kw_only=True)
class Metadata(InitializeResponse):
    """The runtime's reply to ``initialize``, with its name and version taken from its user agent."""

    @property
    def server_info(self) -> ServerInfo:
        """The first product of the user agent, ``name/version``."""
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


@attrs.frozen(kw_only=True)
class Health:
    """A snapshot of a client and its runtime. Counts of losses run from the start of the client, over all its runtimes.

    Attributes:
        alive: Whether there is a runtime whose connection is open.
        pid: Process id of the current runtime, or of the last one; ``None`` before the first.
        generation: How many runtimes were started; 0 before the first.
        restarts: How many of them replaced one that had died.
        uptime: Age of the runtime in seconds; 0 if there is none.
        rss: Resident memory of the runtime process in bytes; ``None`` if the system does not report it.
        threads: How many threads are loaded in the runtime by this client.
        requests_in_flight: How many requests were sent and have no reply yet.
        requests_queued: How many requests wait to be sent, because ``max_in_flight`` others are in flight.
        requests_of_runtime: How many server requests (approvals, tool calls, …) have no answer yet.
        mailboxes: How many subscriptions there are: of turns, logins and events.
        unread: How many notifications were not taken by their consumers yet.
        deepest: How many of them are in the fullest mailbox.
        merged: How many text deltas were joined to an earlier one because they were unread. No text was lost.
        outdated: How many repeated states were dropped because a newer one was there.
        dropped: How many notifications were lost to the ``limit`` of an `events` subscription.
        skipped: How many lines of the runtime were not JSON objects.
        late: How many replies arrived after their caller had given up.
    """

    alive: bool
    pid: int | None
    generation: int
    restarts: int
    uptime: float
    rss: int | None
    threads: int
    requests_in_flight: int
    requests_queued: int
    requests_of_runtime: int
    mailboxes: int
    unread: int
    deepest: int
    merged: int
    outdated: int
    dropped: int
    skipped: int
    late: int
