"""A login that is under way: what to show the user, its end, and the way to call it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._async.client import _wait
from openai_codex._engine.waiting import Deadline
from openai_codex.errors import LoginTimeoutError

if TYPE_CHECKING:
    from openai_codex._async.client.connection import AsyncConnection
    from openai_codex._engine.mailbox import Mailbox


class AsyncLoginHandle:
    """One login. It was attached before it could end, so its end is not missed."""

    def __init__(self, connection: AsyncConnection, login_id: str, mailbox: Mailbox) -> None:
        self.login_id = login_id
        """The id of this attempt."""
        self._connection = connection
        self._mailbox = mailbox
        self._completed: protocol.AccountLoginCompletedNotification | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(login_id={self.login_id!r})"

    async def wait(self, *, timeout: float | None = None) -> protocol.AccountLoginCompletedNotification:
        """Wait until this login has ended; ``success`` says how, ``error`` why not.

        Args:
            timeout: how long, in seconds; ``None``: as long as the user takes.

        Raises `LoginTimeoutError` when the time is up; the login stays open, and `wait` can be called again.
        """
        deadline = Deadline(checks.seconds("timeout", timeout))
        while self._completed is None:
            if not await _wait.ready(self._mailbox, deadline.remaining()):
                raise LoginTimeoutError(self.login_id, deadline.timeout)
            for event in self._mailbox.take():
                # Without its outcome the login has no result, so a payload that cannot be decoded is an error here.
                self._completed = codec.structure(protocol.AccountLoginCompletedNotification, event.params)
        return self._completed

    async def cancel(self) -> protocol.CancelLoginAccountResponse:
        """Call the login off (`account/login/cancel`); `wait` then returns a failure. Harmless after its end."""
        return await self._connection.request(protocol.CancelLoginAccountParams(login_id=self.login_id))


class AsyncChatgptLoginHandle(AsyncLoginHandle):
    """A login in the browser."""

    def __init__(self, connection: AsyncConnection, login_id: str, auth_url: str, mailbox: Mailbox) -> None:
        super().__init__(connection, login_id, mailbox)
        self.auth_url = auth_url
        """The address to open in a browser on this machine."""


class AsyncDeviceCodeLoginHandle(AsyncLoginHandle):
    """A login with a code, on any device."""

    def __init__(
        self, connection: AsyncConnection, login_id: str, verification_url: str, user_code: str, mailbox: Mailbox
    ) -> None:
        super().__init__(connection, login_id, mailbox)
        self.verification_url = verification_url
        """The address to open."""
        self.user_code = user_code
        """The code to enter there."""
