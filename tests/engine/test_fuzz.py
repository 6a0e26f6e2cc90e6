"""Anything at all, in any order and any pieces, into the wire, the router and the mailboxes: nothing raises or is lost."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex._engine import wire
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import Reply
from openai_codex._engine.router import Router
from openai_codex._engine.topics import EVERYTHING, Coming, Topic
from openai_codex.protocol.methods import NOTIFICATIONS, SERVER_REQUESTS

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


class Client:
    """The engine without threads and pipes: what a reader and its callers do to the state that they share."""

    def __init__(self) -> None:
        self.splitter = wire.LineSplitter()
        self.router = Router(3)
        self.all = Mailbox("everything")
        self.router.subscribe(EVERYTHING, self.all)
        self.kept: list[object] = []
        self.replies: dict[int, Reply] = {}
        self.answers: dict[int, Any] = {}
        self.notifications = 0

    def request(self, thread_id: str | None) -> None:
        reply = Reply("m")
        coming = None if thread_id is None else Coming(Mailbox("turn"), ("turn", "id"), thread_id)
        number = self.router.next_id()
        self.router.register(number, reply, coming)
        self.router.admit(number, b"line\n")
        self.replies[number] = reply
        self.kept.append(coming)

    def abandon(self, number: int) -> None:
        if number in self.replies:
            self.router.abandon(number)
            self.replies.pop(number)

    def subscribe(self, thread_id: str | None, turn_id: str | None) -> None:
        mailbox = Mailbox("some", limit=4)
        self.kept.append(mailbox)
        self.router.subscribe(Topic(thread_id, turn_id), mailbox)

    def expect(self, line: bytes) -> None:
        """Note what a line says, read in the plainest way."""
        try:
            frame = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        if not isinstance(frame, dict):
            return
        if isinstance(frame.get("method"), str):
            self.notifications += type(frame.get("id")) not in {int, str}
            return
        number = frame.get("id")
        waiting = type(number) is int and number in self.replies and number not in self.answers
        if waiting and ("result" in frame or "error" in frame):
            self.answers[number] = frame

    def feed(self, chunk: bytes) -> None:
        complete = [line for line in self.splitter.feed(chunk) if line.strip()]
        for line in complete:
            self.expect(line)
        out = self.router.dispatch([wire.decode(line) for line in complete])
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
    client.router.everyone()


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
