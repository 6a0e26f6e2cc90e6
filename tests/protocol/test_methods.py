"""The method tables: complete, in agreement with the classes, and with the schema about where ids are."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import _protocol as protocol
from openai_codex._protocol import ClientRequest, Record, ServerNotification, ServerRequest, UnknownVariant
from openai_codex._protocol.methods import (
    CLIENT_REQUESTS,
    DELTAS,
    NOTIFICATIONS,
    ROUTES,
    RUNTIME_VERSION,
    SCHEMA_HASH,
    SERVER_REQUESTS,
    Route,
)
from tools.generate import runtime
from tools.generate.schema import Schema


def classes(name: str) -> list[type[Any]]:
    """Return the class of a public name, or the classes of a union, without the unknown member."""
    found = getattr(protocol, name)
    return [found] if isinstance(found, type) else [part for part in found.__args__ if part is not UnknownVariant]


def test_all_methods_of_the_runtime_are_there(schema: Schema) -> None:
    assert (len(CLIENT_REQUESTS), len(SERVER_REQUESTS)) == (172, 11)
    assert len(NOTIFICATIONS) == 85 + 2  # and the two that the runtime's table omits
    assert list(CLIENT_REQUESTS) == [method.name for method in schema.client_requests]
    assert list(SERVER_REQUESTS) == [method.name for method in schema.server_requests]
    assert list(NOTIFICATIONS) == [method.name for method in schema.notifications]
    assert (runtime.VERSION, schema.hash) == (RUNTIME_VERSION, SCHEMA_HASH)


@pytest.mark.parametrize(("table", "base"), [(CLIENT_REQUESTS, ClientRequest), (SERVER_REQUESTS, ServerRequest)])
def test_params_know_their_method_and_results_exist(table: dict[str, tuple[str, str]], base: type[Any]) -> None:
    for method, (params, result) in table.items():
        for cls in classes(params):
            assert issubclass(cls, base), cls
            assert method == cls.METHOD
            assert cls.__orig_bases__[0].__args__[0].__forward_arg__ == result
        assert all(issubclass(cls, Record) for cls in classes(result)), result


def test_payloads_know_their_method() -> None:
    for method, name in NOTIFICATIONS.items():
        [cls] = classes(name)
        assert issubclass(cls, ServerNotification)
        assert method == cls.METHOD


def test_every_public_name_can_be_loaded() -> None:
    assert all(getattr(protocol, name) is not None for name in dir(protocol))


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("turn/completed", Route(thread=("threadId",), turn=("turn", "id"))),
        ("thread/started", Route(thread=("thread", "id"))),
        ("item/completed", Route(thread=("threadId",), turn=("turnId",))),
        ("account/login/completed", Route(login=("loginId",))),
        ("item/tool/call", Route(thread=("threadId",), turn=("turnId",))),
        ("mcpServer/elicitation/request", Route(thread=("threadId",), turn=("turnId",))),
        ("execCommandApproval", Route(thread=("conversationId",))),
        ("skills/changed", None),
    ],
)
def test_routes_of_what_the_runtime_sends(method: str, route: Route | None) -> None:
    assert ROUTES.get(method) == route


def test_deltas_name_all_fields_of_their_payload() -> None:
    assert DELTAS["item/agentMessage/delta"] == ("delta", "itemId", "threadId", "turnId")
    assert "command/exec/outputDelta" not in DELTAS, "base64 chunks cannot be joined"
    for method, fields in DELTAS.items():
        [cls] = classes(NOTIFICATIONS[method])
        assert len(fields) == len(cls.__attrs_attrs__) - 1, "all fields but the kept JSON"


def test_experimental_methods_are_marked() -> None:
    assert (protocol.ProcessSpawnParams.__doc__ or "").startswith("Experimental.")
    assert not (protocol.ThreadStartParams.__doc__ or "").startswith("Experimental.")
