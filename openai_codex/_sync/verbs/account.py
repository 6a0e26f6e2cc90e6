# Derived from openai_codex/_async/verbs/account.py by `python -m tools.unasync`; do not edit.
"""The client's verbs on the account: log in with a key, in the browser or with a code; read it; log out."""

from __future__ import annotations

from typing import TypeVar

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._sync.login import ChatgptLoginHandle, DeviceCodeLoginHandle
from openai_codex._sync.verbs.base import Client
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.subscriptions import PendingSubscription

T = TypeVar("T")


class Accounts(Client):
    """Verbs on the account that the runtime uses. They raise what `request` raises."""

    def login_api_key(self, api_key: str) -> None:
        """Log in with an API key (`account/login/start`). The runtime stores the key without checking it.

        It does not use a key in the environment, such as ``OPENAI_API_KEY``; pass it here.

        Args:
            api_key: The key. No error text and no log shows it.

        Raises:
            ConfigError: The key is not a str, is blank, or contains characters that a key cannot have: spaces, line breaks, others
                than ASCII. Nothing was sent.
        """
        self.request(protocol.ApiKeyLoginAccountParams(api_key=checks.credential("api_key", api_key)))

    def login_chatgpt(self) -> ChatgptLoginHandle:
        """Start a login in the browser (`account/login/start`).

        A login that is open is replaced: its `wait` returns a failure.

        Returns:
            The handle: show the user its ``auth_url``, then call ``wait``.
        """
        response, mailbox = self._start_login(protocol.ChatgptLoginAccountParams())
        response = _expected(protocol.ChatgptLoginAccountResponse, response)
        return ChatgptLoginHandle(self._connection, response.login_id, response.auth_url, mailbox)

    def login_chatgpt_device_code(self) -> DeviceCodeLoginHandle:
        """Start a login with a code (`account/login/start`).

        Returns:
            The handle: show the user its ``verification_url`` and ``user_code``, then call ``wait``.

        Raises:
            InternalRpcError: The login service cannot be reached.
        """
        response, mailbox = self._start_login(protocol.ChatgptDeviceCodeLoginAccountParams())
        response = _expected(protocol.ChatgptDeviceCodeLoginAccountResponse, response)
        return DeviceCodeLoginHandle(
            self._connection, response.login_id, response.verification_url, response.user_code, mailbox
        )

    def account(self, *, refresh_token: bool = False) -> protocol.GetAccountResponse:
        """Return the account in use, if any, and whether the provider needs one (`account/read`).

        Args:
            refresh_token: Renew the access token first; this needs the network.
        """
        params = protocol.GetAccountParams(refresh_token=checks.flag("refresh_token", refresh_token))
        return self.request(params)

    def logout(self) -> None:
        """Delete the stored login (`account/logout`). Harmless if there is none."""
        self.request(protocol.LogoutAccountParams())

    def _start_login(
        self, params: protocol.ClientRequest[protocol.LoginAccountResponse]
    ) -> tuple[protocol.LoginAccountResponse, Mailbox]:
        # Before the request, because a login may end before its reply is read.
        mailbox = Mailbox("the end of a login")
        response = self._connection.request(params, subscription=PendingSubscription(mailbox, ("loginId",)))
        return response, mailbox


def _expected(kind: type[T], response: protocol.LoginAccountResponse) -> T:
    """Return the reply if it is of this kind; else raise the `DecodeError` that says why not."""
    return response if isinstance(response, kind) else codec.structure(kind, response.raw)
