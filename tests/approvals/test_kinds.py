"""The table of server requests is complete, and every refusal is a result that the protocol knows."""

from __future__ import annotations

import inspect
import logging
import re
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from openai_codex import Codex
from openai_codex._approvals.kinds import APPROVALS, KINDS, refusal_line, respond
from openai_codex._approvals.requests import LegacyCommandApproval
from openai_codex._engine.server_requests import PendingRequests
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.wire import ServerRequest
from openai_codex._engine.workers import Workers
from openai_codex._protocol.methods import SERVER_REQUESTS
from openai_codex._runtime.health import RunningTurn, asking
from openai_codex._sync.client.dispatch import Dispatcher
from openai_codex._sync.client.handlers import Handlers
from tests.approvals.samples import ELICITATION, FIELDS, OTHERS, SAMPLES, assert_valid, read

PARAMS = {
    **dict(SAMPLES.values()),
    **OTHERS,
    "mcpServer/elicitation/request": {**ELICITATION, "mode": "form", "requestedSchema": FIELDS},
}


def refusal(method: str) -> dict[str, Any]:
    reply: dict[str, Any] = orjson.loads(refusal_line(ServerRequest(7, method, {"threadId": "T", "turnId": "U"})))
    assert reply.pop("id") == 7
    return reply


def test_the_table_has_every_server_request() -> None:
    assert set(KINDS) == set(SERVER_REQUESTS) == set(PARAMS)
    assert all(kind.hint for kind in KINDS.values())


def test_health_names_what_each_request_waits_for() -> None:
    expected = {
        method: "approval" if kind.answer is None else "input" for method, kind in KINDS.items() if kind.decisions
    }
    turn = RunningTurn(thread_id="T", turn_id="U", age=0.0, silence=0.0, last_event=None, waiting_on="model")
    asked = {method: SimpleNamespace(request=ServerRequest(7, method, {}), key=7, thread_id="T") for method in KINDS}
    found = {method: asking(turn, pending).waiting_on for method, pending in asked.items()}
    assert found == {**dict.fromkeys(KINDS, "handler"), "item/tool/call": "tool", **expected}


@pytest.mark.parametrize("method", [method for method, kind in KINDS.items() if kind.refusal is not None])
def test_a_refusal_is_a_result_that_the_protocol_knows(method: str) -> None:
    reply = refusal(method)
    assert reply == {"result": KINDS[method].refusal}
    assert_valid(method, reply["result"])


@pytest.mark.parametrize("method", [method for method, kind in KINDS.items() if kind.refusal is not None])
def test_a_refusal_is_what_declining_sends(method: str) -> None:
    request = read(method, PARAMS[method])
    if isinstance(request, APPROVALS):
        assert respond(method, request, False) == KINDS[method].refusal
    elif KINDS[method].answer is not None:
        assert respond(method, request, None) == KINDS[method].refusal
    else:
        assert method == "item/tool/call"


@pytest.mark.parametrize(
    "method", ["account/chatgptAuthTokens/refresh", "currentTime/read", "attestation/generate", "item/unheardOf"]
)
def test_without_a_refusal_there_is_an_error(method: str) -> None:
    error = refusal(method)["error"]
    assert error == {"code": -32601, "message": f"{method} is not handled by this client"}


def test_a_hint_names_what_the_client_takes() -> None:
    taken = inspect.signature(Codex).parameters.keys() | inspect.signature(Codex.thread_start).parameters.keys()
    for method, kind in KINDS.items():
        words = re.findall(r"(\w+)=", kind.hint)
        params = re.findall(r"codex\.handle\((\w+)", kind.hint)
        assert words or params
        assert set(words) <= taken
        assert params in ([], [SERVER_REQUESTS[method][0]])


def refuse(*requests: ServerRequest) -> list[bytes]:
    """Dispatch requests to a client without handlers; return the lines that it sends."""
    sent: list[bytes] = []
    dispatcher = Dispatcher(Handlers())
    pending = PendingRequests(sent.append, Workers(ThreadGroup("test")), dispatcher.take)
    for request in requests:
        dispatcher.take(pending.open(request))
    return sent


def test_a_legacy_approval_has_its_thread(caplog: pytest.LogCaptureFixture) -> None:
    method, params = SAMPLES[LegacyCommandApproval]
    refuse(ServerRequest(0, method, params))
    assert (vars(caplog.records[0])["codex"]["method"], vars(caplog.records[0])["codex"]["thread_id"]) == (
        "execCommandApproval",
        "T",
    )


def test_the_first_refusal_of_a_kind_is_a_warning_with_a_hint(caplog: pytest.LogCaptureFixture) -> None:
    method, params = SAMPLES[APPROVALS[1]]
    asked = [ServerRequest(number, each, params) for number, each in enumerate((method, method, "item/unheardOf"))]
    with caplog.at_level(logging.DEBUG, "openai_codex"):
        sent = refuse(*asked)
    assert sent == [refusal_line(request) for request in asked]
    first, second, unknown = caplog.records
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.DEBUG, logging.WARNING]
    fields = vars(first)["codex"]
    assert (fields["event"], fields["method"]) == ("codex.server_request_declined", "item/fileChange/requestApproval")
    assert (fields["request_id"], fields["thread_id"], fields["turn_id"]) == (0, "T", "U")
    assert fields["hint"] == vars(second)["codex"]["hint"] == "pass on_approval=…"
    assert vars(unknown)["codex"]["hint"] is None
