# Derived from openai_codex/_async/login.py by `python -m tools.unasync`; do not edit.
"""A login in progress: what to show the user, its outcome, and how to cancel it."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._sync import lazy
from openai_codex._sync.client import _wait
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.subscriptions import PendingSubscription
from openai_codex._engine.waiting import Deadline
from openai_codex._notification import Notification, check_readable
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.errors import LoginTimeoutError

T = TypeVar("T")


class _OpenLogin:
    """Keeps the runtime from being replaced while its login is open. It belongs to no thread."""

    thread_id = ""

    def __init__(self, mailbox: Mailbox) -> None:
        self._ended = mailbox.ended

    def is_running(self) -> bool:
        return not self._ended.is_ready()

    def running(self) -> None:
        return None

    def stop(self, timeout: float, reason: str) -> bool:  # noqa: ARG002  a login is not interrupted
        return _wait.ready(self._ended, timeout)


class LoginHandle(NotPickled):
    """One login. Its mailbox was subscribed before the login could end, so the outcome is not missed.

    Attributes:
        login_id: Id of this login.
    """

    _TO_PICKLE = "show its address or code in this process; the login ends where it was started"

    def __init__(self, connection: lazy.Connection, login_id: str, mailbox: Mailbox) -> None:
        self.login_id = login_id
        self._connection = connection
        self._mailbox = mailbox
        self._completed: protocol.AccountLoginCompletedNotification | None = None
        self._taken: deque[Notification] = deque()
        # Held by this handle alone, so that one that is dropped counts no longer.
        self._open = _OpenLogin(mailbox)
        connection.watch(self._open)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(login_id={self.login_id!r})"

    def wait(self, *, timeout: float | None = None) -> protocol.AccountLoginCompletedNotification:
        """Wait until this login has ended. Cancelling leaves the login open.

        Args:
            timeout: How long to wait, in seconds; ``None`` means no limit.

        Returns:
            The outcome: ``success`` says whether the user is logged in, ``error`` why not.

        Raises:
            LoginTimeoutError: The login is still open after ``timeout``. `wait` can be called again.
            DecodeError: The outcome has a shape that this version does not know.
            TransportClosedError: The connection has ended.
        """
        deadline = Deadline(checks.seconds("timeout", timeout))
        while self._completed is None:
            if not _wait.ready(self._mailbox, deadline.remaining()):
                raise LoginTimeoutError(self.login_id, deadline.timeout)
            self._mailbox.take_into(self._taken)
            for event in self._taken:
                # Without its outcome the login has no result, so a payload that cannot be decoded is an error here.
                check_readable(event)
                self._completed = codec.structure(protocol.AccountLoginCompletedNotification, event.params)
        return self._completed

    def cancel(self) -> protocol.CancelLoginAccountResponse:
        """Cancel the login (`account/login/cancel`); `wait` then returns a failure. Harmless after its end.

        Raises what `request` raises.
        """
        return self._connection.request(protocol.CancelLoginAccountParams(login_id=self.login_id))


class ChatgptLoginHandle(LoginHandle):
    """A login in the browser.

    Attributes:
        auth_url: The address to open in a browser on this machine.
    """

    def __init__(self, connection: lazy.Connection, login_id: str, auth_url: str, mailbox: Mailbox) -> None:
        super().__init__(connection, login_id, mailbox)
        self.auth_url = auth_url


class DeviceCodeLoginHandle(LoginHandle):
    """A login with a code, on any device.

    Attributes:
        verification_url: The address to open.
        user_code: The code to enter there.
    """

    def __init__(
        self, connection: lazy.Connection, login_id: str, verification_url: str, user_code: str, mailbox: Mailbox
    ) -> None:
        super().__init__(connection, login_id, mailbox)
        self.verification_url = verification_url
        self.user_code = user_code


def start_login(connection: lazy.Connection) -> ChatgptLoginHandle:
    """Start a login in the browser, and return its handle."""
    response, mailbox = _start(connection, protocol.ChatgptLoginAccountParams())
    response = _expected(protocol.ChatgptLoginAccountResponse, response)
    return ChatgptLoginHandle(connection, response.login_id, response.auth_url, mailbox)


def start_device_code_login(connection: lazy.Connection) -> DeviceCodeLoginHandle:
    """Start a login with a code, and return its handle."""
    response, mailbox = _start(connection, protocol.ChatgptDeviceCodeLoginAccountParams())
    response = _expected(protocol.ChatgptDeviceCodeLoginAccountResponse, response)
    return DeviceCodeLoginHandle(connection, response.login_id, response.verification_url, response.user_code, mailbox)


def _start(
    connection: lazy.Connection, params: protocol.ClientRequest[protocol.LoginAccountResponse]
) -> tuple[protocol.LoginAccountResponse, Mailbox]:
    # Before the request, because a login may end before its reply is read.
    mailbox = Mailbox("the end of a login")
    response = connection.request(params, subscription=PendingSubscription(mailbox, ("loginId",)))
    return response, mailbox


def _expected(kind: type[T], response: protocol.LoginAccountResponse) -> T:
    """Return the reply if it is of this kind; else raise the `DecodeError` that says why not."""
    return response if isinstance(response, kind) else codec.structure(kind, response.raw)
