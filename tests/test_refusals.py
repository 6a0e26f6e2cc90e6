"""Refusals: each is one that the protocol knows, and the log says once per kind how to be asked."""

from __future__ import annotations

import inspect
import logging
import re
from typing import Any

import orjson
import pytest

from openai_codex import Codex
from openai_codex._approvals.refusals import REFUSALS, Refuser, refuse
from openai_codex._engine.wire import ServerRequest
from openai_codex._protocol.methods import SERVER_REQUESTS
from tests.test_approvals import assert_valid


def answer(method: str) -> dict[str, Any]:
    reply: dict[str, Any] = orjson.loads(refuse(ServerRequest(7, method, {"threadId": "T", "turnId": "U"})))
    assert reply.pop("id") == 7
    return reply


def test_every_kind_has_a_refusal_and_a_hint() -> None:
    assert set(REFUSALS) == set(SERVER_REQUESTS)
    assert all(refusal.hint for refusal in REFUSALS.values())


@pytest.mark.parametrize("method", [method for method, refusal in REFUSALS.items() if refusal.result is not None])
def test_a_refusal_is_a_response_that_the_protocol_knows(method: str) -> None:
    reply = answer(method)
    assert reply == {"result": REFUSALS[method].result}
    assert_valid(method, reply["result"])


@pytest.mark.parametrize(
    "method", ["account/chatgptAuthTokens/refresh", "currentTime/read", "attestation/generate", "item/unheardOf"]
)
def test_without_a_refusal_there_is_an_error(method: str) -> None:
    error = answer(method)["error"]
    assert error == {"code": -32601, "message": f"{method} is not handled by this client"}


def test_a_hint_names_what_the_client_takes() -> None:
    taken = inspect.signature(Codex).parameters.keys() | inspect.signature(Codex.thread_start).parameters.keys()
    for method, refusal in REFUSALS.items():
        words = re.findall(r"(\w+)=", refusal.hint or "")
        params = re.findall(r"codex\.handle\((\w+)", refusal.hint or "")
        assert words or params
        assert set(words) <= taken
        assert params in ([], [SERVER_REQUESTS[method][0]])


def test_it_is_told_once_per_kind_with_a_hint(caplog: pytest.LogCaptureFixture) -> None:
    refuser = Refuser()
    with caplog.at_level(logging.DEBUG, "openai_codex"):
        for method in ("item/fileChange/requestApproval", "item/fileChange/requestApproval", "item/unheardOf"):
            refuser(ServerRequest(7, method, {"threadId": "T", "turnId": "U"}))
    first, second, unknown = caplog.records
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.DEBUG, logging.WARNING]
    facts = vars(first)
    assert (facts["event"], facts["method"]) == ("codex.server_request_declined", "item/fileChange/requestApproval")
    assert (facts["request_id"], facts["thread_id"], facts["turn_id"]) == (7, "T", "U")
    assert facts["hint"] == vars(second)["hint"] == "pass on_approval=…"
    assert vars(unknown)["hint"] is None
