"""The real runtime reports each scripted failure as the failure it imitates; the thread remains usable."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from openai_codex.testing import Answer, ScriptedModel, fail, fail_stream, reply, temporary_home, truncate

from .raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Kit

FAILURES: list[tuple[Answer, object]] = [
    (fail(500), "internalServerError"),
    (fail(503), {"httpConnectionFailed": {"httpStatusCode": 503}}),
    (fail(503, code="server_is_overloaded"), "serverOverloaded"),
    (fail(429), {"responseTooManyFailedAttempts": {"httpStatusCode": 429}}),
    (fail(429, code="usage_limit_reached"), "usageLimitExceeded"),
    (fail(429, code="insufficient_quota"), "usageLimitExceeded"),
    (fail(400, "bad"), "other"),
    (fail(401), {"httpConnectionFailed": {"httpStatusCode": 401}}),
    (fail(404), {"httpConnectionFailed": {"httpStatusCode": 404}}),
    (fail(200, "<html>", headers={"Content-Type": "text/html"}), "other"),
    (fail_stream("server_is_overloaded"), "serverOverloaded"),
    (fail_stream("context_length_exceeded"), "contextWindowExceeded"),
    (fail_stream("insufficient_quota"), "usageLimitExceeded"),
    (fail_stream("cyber_policy"), "cyberPolicy"),
    (fail_stream("anything_else"), "other"),
    (reply(incomplete="max_output_tokens"), "other"),
    (truncate("Hello world", after=1), "other"),
    (truncate(), "other"),
]


@pytest.mark.parametrize(("answer", "info"), FAILURES, ids=lambda value: type(value).__name__)
def test_failures(kit: Kit, answer: Answer, info: object) -> None:
    kit.model.queue(answer)
    thread = kit.client.thread()
    turn = kit.client.turn(thread, "Hi")
    assert turn["status"] == "failed"
    assert turn["error"]["codexErrorInfo"] == info
    assert kit.client.turn(thread, "Again")["status"] == "completed"


def test_a_stream_is_cut_after_the_given_deltas(kit: Kit) -> None:
    kit.model.truncate("Hello big world", after=2)
    kit.client.turn(kit.client.thread(), "Hi")
    assert kit.client.deltas() == ["Hello", " big"]
    assert kit.client.items("agentMessage") == []


def test_a_failed_stream_reports_its_message(kit: Kit) -> None:
    kit.model.fail_stream("anything_else", "the words of the provider")
    turn = kit.client.turn(kit.client.thread(), "Hi")
    assert "the words of the provider" in str(turn["error"])


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """The URL of a port that is bound but does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def test_a_refused_connection_fails_the_turn(refusing_url: str) -> None:
    with temporary_home(refusing_url) as home, RawClient(home) as client:
        turn = client.turn(client.thread(), "Hi")
    assert turn["error"]["codexErrorInfo"] == {"httpConnectionFailed": {"httpStatusCode": None}}


def test_retries_can_be_switched_on(model: ScriptedModel) -> None:
    model.fail(500)
    model.truncate("Hel", after=1)
    model.say("Hello")
    provider = {"request_max_retries": 1, "stream_max_retries": 1}
    with temporary_home(model.url, provider=provider) as home, RawClient(home) as client:
        turn = client.turn(client.thread(), "Hi")
    assert turn["status"] == "completed"
    assert model.request_count == 3
    model.assert_drained()
