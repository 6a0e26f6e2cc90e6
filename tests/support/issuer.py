"""A login service on loopback: just enough of it for the runtime's browser and device logins to go through.

Source: the protocol's observed behaviour, section 7.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CLAIM = {"chatgpt_account_id": "acc1", "chatgpt_plan_type": "pro"}


def _token() -> str:
    parts = ({"alg": "none"}, {"email": "a@b.c", "exp": 4102444800, "https://api.openai.com/auth": CLAIM})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2ln"))


TOKENS = {"id_token": _token(), "access_token": _token(), "refresh_token": "refresh"}
ACCOUNT = {
    "id": "acc1",
    "name": "n",
    "plan_type": "pro",
    "structure": "personal",
    "profile_picture_url": None,
    "workspace_backend_origin": "https://127.0.0.1:9",
    "account_routing_override": "NO_CONSTRAINT",
}
ANSWERS: dict[str, Any] = {
    "/oauth/token": TOKENS,
    "/oauth/revoke": {},
    "/api/accounts/deviceauth/usercode": {
        "device_auth_id": "d",
        "user_code": "CODE-1",
        "interval": "1",
        "expires_at": "2100-01-01T00:00:00Z",
    },
    "/api/accounts/deviceauth/token": {"authorization_code": "a", "code_challenge": "c", "code_verifier": "v"},
    "/backend-api/wham/accounts/check": {
        "accounts": [ACCOUNT],
        "default_account_id": "acc1",
        "account_ordering": ["acc1"],
    },
}


class Issuer:
    """The service's address and its one switch."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.device_approved = threading.Event()

    @property
    def env(self) -> dict[str, str]:
        """What makes the runtime use it."""
        return {
            "CODEX_APP_SERVER_LOGIN_ISSUER": self.url,
            "CODEX_REVOKE_TOKEN_URL_OVERRIDE": f"{self.url}/oauth/revoke",
        }


def _handler(issuer_of: dict[str, Issuer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            path = self.path.partition("?")[0]
            waiting = path.endswith("/deviceauth/token") and not issuer_of["it"].device_approved.is_set()
            status = 403 if waiting else 200 if path in ANSWERS else 404
            body = json.dumps(ANSWERS.get(path, {})).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815  the names that the base class asks for

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


@contextmanager
def login_service() -> Iterator[Issuer]:
    """Run the service until the block is left."""
    holder: dict[str, Issuer] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(holder))
    holder["it"] = issuer = Issuer(server)
    thread = threading.Thread(target=server.serve_forever, name="login-service")
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
