"""The client's verbs on the account: log in with a key, in the browser or with a code; read it; log out."""

from __future__ import annotations

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async import operations
from openai_codex._async.verbs.base import AsyncClient


class AsyncAccounts(AsyncClient):
    """Verbs on the account that the runtime uses. They raise what `request` raises."""

    async def login_api_key(self, api_key: str) -> None:
        """Log in with an API key (`account/login/start`). The runtime stores the key without checking it.

        It does not use a key in the environment, such as ``OPENAI_API_KEY``; pass it here.

        Args:
            api_key: The key. No error text and no log shows it.

        Raises:
            ConfigError: The key is not a str, is blank, or contains characters that a key cannot have: spaces, line breaks, others
                than ASCII. Nothing was sent.
        """
        await self.request(protocol.ApiKeyLoginAccountParams(api_key=checks.credential("api_key", api_key)))

    async def login_chatgpt(self) -> operations.AsyncChatgptLoginHandle:
        """Start a login in the browser (`account/login/start`).

        A login that is open is replaced: its `wait` returns a failure.

        Returns:
            The handle: show the user its ``auth_url``, then call ``wait``.
        """
        return await operations.start_login(self._connection)

    async def login_chatgpt_device_code(self) -> operations.AsyncDeviceCodeLoginHandle:
        """Start a login with a code (`account/login/start`).

        Returns:
            The handle: show the user its ``verification_url`` and ``user_code``, then call ``wait``.

        Raises:
            InternalRpcError: The login service cannot be reached.
        """
        return await operations.start_device_code_login(self._connection)

    async def account(self, *, refresh_token: bool = False) -> protocol.GetAccountResponse:
        """Return the account in use, if any, and whether the provider needs one (`account/read`).

        Args:
            refresh_token: Renew the access token first; this needs the network.
        """
        params = protocol.GetAccountParams(refresh_token=checks.flag("refresh_token", refresh_token))
        return await self.request(params)

    async def logout(self) -> None:
        """Delete the stored login (`account/logout`). Harmless if there is none."""
        await self.request(protocol.LogoutAccountParams())
