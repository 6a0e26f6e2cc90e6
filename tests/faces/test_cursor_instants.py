"""An exception of a signal handler at any instant of taking events costs none of them."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from functools import partial
from typing import Any, cast

import pytest

from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.waiting import Deadline
from openai_codex._notification import Notification
from openai_codex._sync.client.connection import Connection
from openai_codex._sync.client.cursor import Cursor
from openai_codex._sync.events import Events
from openai_codex._sync.login import LoginHandle
from openai_codex._turns.open_turns import OpenTurns
from openai_codex._turns.stops import TurnStop
from tests.support.instants import Instants


class Alarm(Exception):  # noqa: N818  it is no error
    """Of a signal handler, as the alarm of a timeout."""


def strike() -> None:
    raise Alarm


class Client:
    """As much of a connection and a supervisor as the consumers use."""

    def __init__(self) -> None:
        self.mailbox_made = Mailbox("notifications")

    def mailbox(self, *_: object) -> Mailbox:
        return self.mailbox_made

    def check_loop(self) -> None:
        """It has none."""

    def hint_for(self, _: object) -> None:
        """There is none."""

    def watch(self, _: object) -> None:
        """Nobody asks what runs."""

    def subscribe(self, *_: object) -> None:
        """A test puts the events."""


def message(number: int) -> Notification:
    item = {"type": "agentMessage", "id": f"i{number}", "text": f"text {number}"}
    params = {"threadId": "T", "turnId": "U", "completedAtMs": 1, "item": item}
    return Notification("item/completed", params)


END = Notification("turn/completed", {"threadId": "T", "turn": {"id": "U", "items": [], "status": "completed"}})
EVENTS = [*map(message, range(3)), END]


def cursor_with(events: list[Notification]) -> Cursor:
    client, stop = Client(), TurnStop("T")
    cursor = Cursor(cast("Connection", client), "U", stop, OpenTurns().expect(stop, "T"))
    stop.mailbox.put(events, last=True)
    return cursor


def rest_of(cursor: Cursor) -> list[Notification]:
    """Consume to the end, as a stream does."""
    found: list[Notification] = []
    while True:
        event = cursor.taken.popleft() if cursor.taken else None
        if event is not None:
            found.append(event)
        elif cursor.is_over():
            return found
        else:
            cursor.fetch(1.0, bool)


def struck_at(number: int, work: Any) -> Instants:
    with Instants(number, strike).traced() as instants, contextlib.suppress(Alarm):
        work()
    return instants


def test_a_turn_loses_no_event_and_repeats_none() -> None:
    struck_at(0, lambda: rest_of(cursor_with(EVENTS)))  # what the first call loads is not there again
    number = 1
    while True:
        cursor = cursor_with(EVENTS)
        instants = struck_at(number, lambda cursor=cursor: cursor.fetch(1.0, bool))
        assert rest_of(cursor) == EVENTS, instants.where
        result = cursor.result()
        assert (len(result.items), result.status.value) == (3, "completed"), instants.where
        if not instants.where:
            break
        number += 1
    assert number > 50


def test_a_run_that_follows_an_interrupted_one_has_the_whole_result() -> None:
    number = 1
    while True:
        cursor = cursor_with(EVENTS)
        instants = struck_at(number, lambda cursor=cursor: cursor.skip_to_end(Deadline(1.0), math.inf))
        cursor.skip_to_end(Deadline(1.0), math.inf)
        result = cursor.result()
        assert (len(result.items), result.status.value) == (3, "completed"), instants.where
        if not instants.where:
            break
        number += 1
    assert number > 50


def test_a_subscription_loses_no_event_before_it_is_returned() -> None:
    number = 1
    while True:
        client = Client()
        events = Events(cast("Any", client), None, None, 100, 1.0)
        client.mailbox_made.put(EVENTS)
        instants = struck_at(number, partial(next, events))
        left = [*vars(events)["_taken"], *client.mailbox_made.take()]
        # One instant belongs to neither side: after the event has left the subscription, before it is returned.
        assert EVENTS[-len(left) :] == left, instants.where
        assert len(left) >= len(EVENTS) - 1, instants.where
        if not instants.where:
            break
        number += 1
    assert number > 10


def test_the_outcome_of_a_login_is_not_lost() -> None:
    outcome = Notification("account/login/completed", {"loginId": "L", "success": True, "error": None})
    number = 1
    while True:
        box = Mailbox("the outcome of the login")
        login = LoginHandle(cast("Connection", Client()), "L", box)
        box.put([outcome], last=True)
        instants = struck_at(number, login.wait)
        assert login.wait(timeout=1.0).success, instants.where
        if not instants.where:
            break
        number += 1
    assert number > 10


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_mailbox_hands_over_everything_at_once(count: int) -> None:
    number = 1
    while True:
        box, kept = Mailbox("test"), deque[Notification]()
        events = [message(each) for each in range(count)]
        box.put(events)
        instants = struck_at(number, lambda box=box, kept=kept: box.take_into(kept))
        assert [*kept, *box.take()] == events, instants.where
        if not instants.where:
            break
        number += 1
    assert number > 3
