"""Server requests: whose they are, when they are over, and who answers them."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from openai_codex._engine.server_requests import PendingRequest, PendingRequests
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._engine.wire import ServerRequest
from openai_codex._engine.workers import Workers
from tests.support.bounds import PATIENCE, STARTED

TOOL_CALL = ServerRequest(0, "item/tool/call", {"threadId": "T", "turnId": "U"})


@pytest.fixture
def workers() -> Iterator[Workers]:
    threads = ThreadGroup("requests")
    workers = Workers(threads)
    yield workers
    workers.close()


@pytest.fixture
def sent() -> list[bytes]:
    return []


@pytest.fixture
def requests(workers: Workers, sent: list[bytes]) -> PendingRequests:
    return PendingRequests(sent.append, workers, lambda _: None)


@pytest.mark.parametrize(
    ("method", "params", "ids"),
    [
        ("item/tool/call", {"threadId": "T", "turnId": "U"}, ("T", "U")),
        ("mcpServer/elicitation/request", {"threadId": "T"}, ("T", None)),
        ("mcpServer/elicitation/request", {"threadId": "T", "turnId": None}, ("T", None)),
        ("currentTime/read", {"threadId": "T"}, ("T", None)),
        ("execCommandApproval", {"conversationId": "T", "callId": "c"}, ("T", None)),
        ("applyPatchApproval", {"conversationId": "T", "callId": "c"}, ("T", None)),
        ("account/chatgptAuthTokens/refresh", {"reason": "unauthorized"}, (None, None)),
        ("brand/new", {"threadId": "T", "turnId": "U"}, ("T", "U")),
        ("brand/new", {"threadId": 5, "turnId": ["U"]}, (None, None)),
    ],
)
def test_whose_a_request_is_comes_from_the_routes_of_the_protocol(
    requests: PendingRequests, method: str, params: dict[str, object], ids: tuple[str | None, str | None]
) -> None:
    pending = requests.open(ServerRequest(0, method, params))
    assert (pending.thread_id, pending.turn_id) == ids


@pytest.mark.parametrize("request_", [TOOL_CALL, ServerRequest(0, "execCommandApproval", {"conversationId": "T"})])
def test_a_thread_was_last_pending_now_then_at_the_end_then_never(
    requests: PendingRequests, request_: ServerRequest
) -> None:
    assert requests.last_pending_at("T") == -math.inf
    pending = requests.open(request_)
    before = time.monotonic()
    assert requests.last_pending_at("T") >= before
    assert requests.last_pending_at("another") == -math.inf
    pending.withdraw()
    ended_at = requests.last_pending_at("T")
    while time.monotonic() == ended_at:
        pass  # a clock may be coarse
    assert requests.last_pending_at("T") == ended_at
    requests.withdraw(turns=[("T", "U")])
    assert requests.last_pending_at("T") == -math.inf


def test_the_first_answer_is_sent_and_no_other(requests: PendingRequests, sent: list[bytes]) -> None:
    pending = requests.open(TOOL_CALL)
    assert pending.answer(b"first")
    assert not pending.answer(b"second")
    assert (sent, requests.pending(), pending.is_ready()) == ([b"first"], [], True)


@pytest.mark.parametrize(
    ("ids", "turns", "over"),
    [([0], [], True), ([1], [], False), ([True, "0"], [], False), ([], [("T", "U")], True), ([], [("T", None)], False)],
)
def test_what_was_resolved_or_is_of_a_turn_that_ended_is_over(
    requests: PendingRequests, ids: list[object], turns: list[tuple[str | None, str | None]], over: bool
) -> None:
    pending = requests.open(TOOL_CALL)
    requests.withdraw(ids=ids, turns=turns)
    assert pending.is_ready() == over


def test_after_the_end_a_request_is_over_from_the_start(requests: PendingRequests, sent: list[bytes]) -> None:
    first = requests.open(TOOL_CALL)
    requests.close()
    second = requests.open(TOOL_CALL)
    assert (first.is_ready(), second.is_ready(), second.answer(b"late"), sent) == (True, True, False, [])


def test_the_runtimes_of_one_client_give_no_id_twice(workers: Workers) -> None:
    generations = [PendingRequests(lambda _: None, workers, lambda _: None, number) for number in (1, 2)]
    assert [requests.open(TOOL_CALL).key for requests in generations] == [0, "2:0"]


def test_an_answer_is_sent_at_its_deadline_unless_there_was_another(
    requests: PendingRequests, sent: list[bytes]
) -> None:
    late, early = requests.open(TOOL_CALL), requests.open(ServerRequest(1, "item/tool/call", {}))
    for pending in (late, early):
        pending.act_after(STARTED, partial(pending.answer, b"deadline"))  # a loaded machine may stop for a while here
    early.answer(b"early")
    assert block_until_ready(late, PATIENCE)
    assert sent == [b"early", b"deadline"]


def test_a_task_of_a_request_that_is_over_is_not_run(requests: PendingRequests) -> None:
    ran = Latch()
    over, open_ = requests.open(TOOL_CALL), requests.open(ServerRequest(1, "item/tool/call", {}))
    over.withdraw()
    over.run(partial(pytest.fail, "it is over"))
    open_.run(ran.set)
    assert block_until_ready(ran, PATIENCE)


def test_a_callback_that_raises_is_an_error_to_the_runtime(workers: Workers, sent: list[bytes]) -> None:
    def fail(_: PendingRequest) -> None:
        raise ZeroDivisionError

    requests = PendingRequests(sent.append, workers, fail)
    pending = requests.open(TOOL_CALL)
    requests.dispatch(pending)
    assert block_until_ready(pending, PATIENCE)
    assert b"-32603" in sent[0]


def test_the_failure_of_a_callback_is_answered_before_it_is_logged(workers: Workers) -> None:
    # A log handler of the program may block.
    order: list[str] = []
    logged = Latch()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if vars(record)["codex"]["request_id"] == "of this test":
                order.append("logged")
                logged.set()

    def fail(_: PendingRequest) -> None:
        raise ZeroDivisionError

    requests = PendingRequests(lambda _: order.append("answered"), workers, fail)
    handler = Handler()
    logging.getLogger("openai_codex").addHandler(handler)
    try:
        requests.dispatch(requests.open(ServerRequest("of this test", "item/tool/call", {})))
        assert block_until_ready(logged, PATIENCE)
    finally:
        logging.getLogger("openai_codex").removeHandler(handler)
    assert order == ["answered", "logged"]


def test_no_code_for_requests_runs_on_the_thread_that_delivers_them(workers: Workers) -> None:
    threads: list[int] = []
    asked = Latch()

    def on_request(_: PendingRequest) -> None:
        threads.append(threading.get_ident())
        asked.set()

    requests = PendingRequests(lambda _: None, workers, on_request)
    pending = requests.open(TOOL_CALL)
    assert pending is not None
    requests.dispatch(pending)
    assert block_until_ready(asked, PATIENCE)
    assert threads != [threading.get_ident()]
