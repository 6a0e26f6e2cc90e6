"""The first request: written by hand as JSON, it equals what the protocol's own classes write."""

from __future__ import annotations

import json

from openai_codex import AppServerConfig
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._engine.wire import encode_request
from openai_codex._runtime.handshake import INITIALIZE, initialize_line, initialize_params


def test_the_params_are_those_of_the_protocol() -> None:
    config = AppServerConfig(
        client_name="me", client_title="My \u2019program\u2019", client_version="7", experimental_api=False
    )
    client = protocol.ClientInfo(name="me", title="My \u2019program\u2019", version="7")
    capabilities = protocol.InitializeCapabilities(experimental_api=False)
    assert initialize_params(config) == codec.unstructure(
        protocol.InitializeParams(client_info=client, capabilities=capabilities)
    )


def test_the_line_is_what_a_connection_sends_first() -> None:
    config = AppServerConfig()
    assert initialize_line(config) == encode_request(1, INITIALIZE, initialize_params(config))
    assert json.loads(initialize_line(config))["method"] == protocol.InitializeParams.METHOD
