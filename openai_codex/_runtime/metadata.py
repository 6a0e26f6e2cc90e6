"""What the runtime says of itself, with the names that programs written for other clients look for."""

from __future__ import annotations

import attrs

from openai_codex._protocol import InitializeResponse


@attrs.frozen
class ServerInfo:
    """The runtime's name and version."""

    name: str
    version: str


@attrs.define(eq=False, repr=False, kw_only=True)
class Metadata(InitializeResponse):
    """The reply to `initialize`, and the runtime's name and version, taken from its user agent."""

    @property
    def server_info(self) -> ServerInfo:
        """The first product of the user agent, ``name/version``; an empty version if it names none."""
        name, _, version = self.user_agent.partition(" ")[0].partition("/")
        return ServerInfo(name, version)

    # The names that upstream programs use.
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
