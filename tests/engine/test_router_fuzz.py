"""Anything at all, in any order and any pieces, into the engine: nothing raises and nothing is lost.

Once through its state alone, with callers that come and go, and once through a whole actor.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openai_codex import JsonRpcError, TransportClosedError
from openai_codex._engine import wire
from openai_codex._engine.actor import Actor
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import CloseReason, Reply
from openai_codex._engine.router import Router
from openai_codex._engine.subscriptions import EVERYTHING, PendingSubscription, Topic
from openai_codex._engine.waiting import block_until_ready
from openai_codex._protocol.methods import NOTIFICATIONS, SERVER_REQUESTS
from openai_codex._sync.client.dispatch import Dispatcher
from openai_codex._sync.client.handlers import Handlers
from tests.support.bounds import PATIENCE
from tests.support.inside import request
from tests.support.pipe import Pipe

pytestmark = pytest.mark.slow

THREADS = ["T1", "T2"]
TURNS = ["U1", "U2"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ids = st.integers(-2, 30) | st.text(max_size=3) | st.none() | st.floats(allow_nan=False) | st.booleans()
params = st.fixed_dictionaries(
    {},
    optional={
        "threadId": st.sampled_from(THREADS) | json_values,
        "turnId": st.sampled_from(TURNS) | json_values,
        "turn": st.fixed_dictionaries({"id": st.sampled_from(TURNS)}) | json_values,
        "itemId": st.text(max_size=3) | json_values,
        "delta": st.text(max_size=5) | json_values,
        "loginId": json_values,
        "requestId": ids,
    },
)
methods = st.sampled_from([*NOTIFICATIONS, *SERVER_REQUESTS]) | st.text(max_size=8)
frames = st.one_of(
    st.fixed_dictionaries({"id": ids, "result": json_values | st.fixed_dictionaries({"turn": params})}),
    st.fixed_dictionaries({"id": ids, "error": json_values}),
    st.fixed_dictionaries({"method": methods, "params": params | json_values}),
    st.fixed_dictionaries({"method": methods, "params": params | json_values, "id": ids}),
    json_values,
)
lines = st.one_of(frames.map(orjson.dumps), st.binary(max_size=20))


def plainly(line: bytes) -> dict[str, Any]:
    """Read a line in the plainest way; empty if it holds no object."""
    try:
        frame = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return frame if isinstance(frame, dict) else {}


def is_notification(frame: dict[str, Any]) -> bool:
    return isinstance(frame.get("method"), str) and type(frame.get("id")) not in {int, str}


def is_reply(frame: dict[str, Any]) -> bool:
    return (
        not isinstance(frame.get("method"), str)
        and type(frame.get("id")) is int
        and ("result" in frame or "error" in frame)
    )


class Client:
    """The engine without threads and pipes: what a reader and its callers do to the state that they share."""

    def __init__(self) -> None:
        self.splitter = wire.LineSplitter()
        self.router = Router(3)
        self.all = Mailbox("everything")
        self.router.subscriptions.add(EVERYTHING, self.all)
        self.kept: list[object] = []
        self.replies: dict[int, Reply] = {}
        self.answers: dict[int, Any] = {}
        self.notifications = 0

    def request(self, thread_id: str | None) -> None:
        reply = self.router.new_reply("m")
        coming = None if thread_id is None else PendingSubscription(Mailbox("turn"), ("turn", "id"), thread_id)
        self.router.register(reply, coming)
        self.replies[reply.request_id] = reply
        self.kept.append(coming)

    def abandon(self, number: int) -> None:
        if number in self.replies:
            self.router.forget(number)
            self.replies.pop(number)

    def subscribe(self, thread_id: str | None, turn_id: str | None) -> None:
        mailbox = Mailbox("some", limit=4)
        self.kept.append(mailbox)
        self.router.subscriptions.add(Topic(thread_id, turn_id), mailbox)

    def expect(self, line: bytes) -> None:
        """Note what a line says, read in the plainest way."""
        frame = plainly(line)
        self.notifications += is_notification(frame)
        if is_reply(frame) and frame["id"] in self.replies:
            self.answers.setdefault(frame["id"], frame)

    def feed(self, chunk: bytes) -> None:
        complete = [line for line in self.splitter.feed(chunk) if line.strip()]
        for line in complete:
            self.expect(line)
        out = self.router.dispatch([wire.decode(line) for line in complete])
        for mailbox, topic in out.bound:
            mailbox.keep(topic.covers)
        for mailbox, events in out.delivered.items():
            mailbox.put(events, last=mailbox in out.ended)
        for reply, response in out.settled:
            reply.settle(response)


operations = st.one_of(
    st.tuples(st.just("request"), st.sampled_from([None, *THREADS])),
    st.tuples(st.just("abandon"), st.integers(1, 30)),
    st.tuples(st.just("subscribe"), st.sampled_from([None, *THREADS]), st.sampled_from([None, *TURNS])),
    st.tuples(st.just("feed"), lines, st.integers(0, 40)),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(operations, max_size=40))
def test_no_input_raises_and_no_reply_or_notification_is_lost(script: list[tuple[Any, ...]]) -> None:
    client = Client()
    for verb, *arguments in script:
        if verb == "feed":
            line, cut = arguments
            client.feed(line[:cut])
            client.feed(line[cut:] + b"\n")
        else:
            getattr(client, verb)(*arguments)
    for number, reply in client.replies.items():
        assert reply.is_ready() == (number in client.answers)
    received = client.all.take() if client.all.is_ready() else []
    assert len(received) == client.notifications
    for event in received:
        assert event.payload is not None, "whatever it holds, it can be looked at"
    client.router.fail_all(CloseReason("over", final=True))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=50)), st.integers(1, 7))
def test_lines_are_the_same_however_they_are_cut(parts: list[bytes], size: int) -> None:
    stream = b"\n".join(parts)
    whole, pieces = wire.LineSplitter(), wire.LineSplitter()
    cut = [line for start in range(0, len(stream), size) for line in pieces.feed(stream[start : start + size])]
    assert whole.feed(stream) == cut
    assert whole.end() == pieces.end()
    for line in cut:
        wire.decode(line)


class Watched(Actor):
    """Keeps what has been raised on its reader."""

    def __init__(self, pipe: Pipe, handlers: Handlers) -> None:
        self.raised: list[BaseException | None] = []
        super().__init__(pipe, handlers, max_in_flight=3)

    def _on_lost_frames(self, count: int) -> None:  # noqa: ARG002  the reader passes it
        self.raised.append(sys.exc_info()[1])


NO_OBJECTS: list[object] = [None, [], [1], "U1", 3, 0.5, True]
IDS: list[object] = [1, -1, "1", "", 1.0, True, None, [1], {"id": 1}]
ODD: list[dict[str, Any]] = [
    {"method": "turn/completed"},
    *({"method": "turn/completed", "params": params} for params in [{}, *NO_OBJECTS]),
    *({"method": "turn/completed", "params": {"threadId": "T1", "turn": turn}} for turn in [{}, *NO_OBJECTS]),
    *({"method": "turn/started", "params": {"threadId": "T1", "turn": turn}} for turn in [{}, *NO_OBJECTS]),
    *({"method": "item/started", "params": {"threadId": "T1", "item": item}} for item in [{}, *NO_OBJECTS]),
    *({"method": "item/started", "params": {"item": {"type": "fileChange", "id": each}}} for each in IDS),
    *({"method": "serverRequest/resolved", "params": {"requestId": each}} for each in IDS),
    *({"method": "item/tool/call", "params": {}, "id": each} for each in IDS),
    *({"result": {"turn": {"id": "U1"}}, "id": each} for each in IDS),
    *({"error": error, "id": 2} for error in [{}, *NO_OBJECTS]),
]
ASKED = range(1, 6)


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, max_size=30), st.integers(1, 200))
@example([orjson.dumps(frame) for frame in ODD], 1 << 16)
@example([orjson.dumps(frame) for frame in reversed(ODD)], 1 << 16)
@example([orjson.dumps(frame) for frame in ODD], 10)
def test_no_input_ends_an_actor_or_takes_a_reply_away(said: list[bytes], size: int) -> None:
    stream = b"".join(line + b"\n" for line in said)
    frames = [plainly(line) for line in stream.split(b"\n")]
    answers = {frame["id"]: frame for frame in reversed(frames) if is_reply(frame)}
    pipe, handlers, everything = Pipe(), Handlers(), Mailbox("everything")
    handlers.tools.give("T1", {})
    actor = Watched(pipe, Dispatcher(handlers).take)
    actor.start()
    for listener in (everything, handlers.file_changes, handlers.tools):
        actor.subscribe(EVERYTHING, listener)
    turn = PendingSubscription(Mailbox("turn"), ("turn", "id"), "T1")
    replies = {number: request(actor, "m", {}, turn if number == 1 else None) for number in ASKED}
    for start in range(0, len(stream), size):
        pipe.feed(stream[start : start + size])
    pipe.feed(b"")
    assert block_until_ready(actor.exited, PATIENCE)
    assert block_until_ready(actor.threads.ended, PATIENCE)
    assert actor.raised == []
    for number, reply in replies.items():
        assert reply.is_ready()
        assert_told(reply, answers.get(number))
    count = sum(is_notification(frame) for frame in frames)
    assert len(everything.take() if count else []) == count


def assert_told(reply: Reply, answer: dict[str, Any] | None) -> None:
    """A reply says what its first answer did; without one, that the connection has ended."""
    if answer is None:
        with pytest.raises(TransportClosedError):
            reply.result()
    elif answer.get("error") is None:
        assert reply.result() == answer.get("result")
    else:
        with pytest.raises(JsonRpcError):
            reply.result()
