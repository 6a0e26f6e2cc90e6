"""What is read from the history after a lost connection: each item and each end once."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openai_codex import AppServerConfig
from openai_codex._engine.actor import Actor
from openai_codex._engine.lane import Ticket
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import CLIENT_CLOSED
from openai_codex._engine.subscriptions import Topic
from openai_codex._notification import Notification
from openai_codex._turns.rejoin import Rejoin
from openai_codex.errors import TransportClosedError
from tests.support.bounds import eventually
from tests.support.inside import request
from tests.support.pipe import Pipe


class Client:
    """Notes that it was told."""

    def __init__(self) -> None:
        self.told: list[set[str]] = []

    def on_reconnect(self) -> Any:
        return self.told.append


class Case:
    """A client that waits for turn U of thread T, and the answers of the runtime."""

    def __init__(self, turns: list[dict[str, Any]] | None = None) -> None:
        self.actor = Actor(Pipe(), lambda _: None, 64)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  enough of one
        self.mailbox = Mailbox("the events of turn U")
        self.actor.subscribe(Topic("T", "U"), self.mailbox)
        self.client = Client()
        self.session = Rejoin(self.actor, AppServerConfig(), weakref.ref(self.client))
        self.turns = turns
        self.status = "active"
        self.asked: list[tuple[str, Any]] = []

    def ask(self, method: str, params: dict[str, Any] | None) -> dict[str, Any]:
        self.asked.append((method, params))
        if method != "thread/resume":
            return {"result": {}}
        return (
            {"error": {"message": "gone"}}
            if self.turns is None
            else {"result": {"thread": {"turns": self.turns, "status": {"type": self.status}}}}
        )

    def restore(self, *others: dict[str, Any]) -> list[tuple[str, Any]]:
        lines = self.session.restore(self.ask, [json.dumps(other).encode() + b"\n" for other in others])
        events = [json.loads(line) for line in lines]
        return [(each["method"], each["params"].get("item", each["params"].get("turn"))["id"]) for each in events]

    def seen(self, *items: dict[str, Any]) -> None:
        for item in items:
            params = {"threadId": "T", "turnId": "U", "item": item}
            self.session.on_event(Notification("item/completed", params))


Make = Callable[..., Case]


@pytest.fixture
def make() -> Iterator[Make]:
    """Return what makes a case; at the end its threads are ended."""
    made: list[Case] = []

    def make(turns: list[dict[str, Any]] | None = None) -> Case:
        made.append(Case(turns))
        return made[-1]

    yield make
    for each in made:
        each.actor.server_requests.workers.close()
        assert eventually(each.actor.threads.ended.is_ready)
        each.actor.threads.join()


def item(item_id: str, kind: str = "agentMessage", **more: Any) -> dict[str, Any]:
    return {"id": item_id, "type": kind, **more}


def turn(*items: dict[str, Any], status: str = "inProgress", turn_id: str = "U") -> dict[str, Any]:
    return {"id": turn_id, "status": status, "items": list(items)}


def completed(each: dict[str, Any]) -> dict[str, Any]:
    return {"method": "item/completed", "params": {"threadId": "T", "turnId": "U", "item": each}}


def test_items_that_came_are_left_out_by_their_id(make: Make) -> None:
    case = make([turn(item("a", "commandExecution"), item("b", "commandExecution"))])
    case.seen(item("a", "commandExecution"))
    assert case.restore() == [("item/completed", "b")]
    assert [method for method, _ in case.asked] == ["initialize", "initialized", "thread/resume"]
    assert case.client.told == [{"T"}]


def test_messages_without_an_id_are_told_by_their_number(make: Make) -> None:
    made = [item(f"item-{number}", kind) for number, kind in enumerate(["userMessage", "agentMessage", "agentMessage"])]
    case = make([turn(*made)])
    case.seen(item("x", "userMessage"), item("y"))
    assert case.restore() == [("item/completed", "item-2")]


def test_what_has_just_come_is_left_out(make: Make) -> None:
    end = {"method": "turn/completed", "params": {"threadId": "T", "turn": turn(status="completed")}}
    case = make([turn(item("item-1", text="a"), item("item-2", text="b"), status="completed")])
    assert case.restore(completed(item("z", text="b")), end) == [("item/completed", "item-1")]


def test_an_end_that_was_missed_is_delivered_last(make: Make) -> None:
    case = make([turn(item("a"), status="completed"), turn(item("c"), status="completed", turn_id="another")])
    assert case.restore() == [("item/completed", "a"), ("turn/completed", "U")]


def test_a_thread_without_work_is_to_be_resumed_with_its_settings(make: Make) -> None:
    case = make([turn(status="completed")])
    case.status = "idle"
    case.restore()
    assert case.client.told == [set()]


def test_an_item_that_is_running_comes_when_it_is_over(make: Make) -> None:
    case = make([turn(item("a", "commandExecution", status="inProgress"))])
    assert case.restore() == []


def test_a_thread_that_cannot_be_resumed_ends_what_waits_for_it(make: Make) -> None:
    case = make()
    case.session.lose("the cable")
    assert case.restore() == []
    with pytest.raises(TransportClosedError, match="the cable; thread T could not be resumed: gone") as lost:
        case.mailbox.take()
    assert lost.value.will_restart
    assert str(lost.value) != CLIENT_CLOSED


def test_only_requests_that_were_written_end_with_the_connection(make: Make) -> None:
    case = make([])
    written, waiting = request(case.actor, "model/list", {}), case.actor.router.new_reply("thread/list")
    case.actor.router.register(waiting)
    waiting.ticket = Ticket(b"line")
    case.session.lose("the cable")
    with pytest.raises(TransportClosedError, match="the cable"):
        written.result()
    assert not waiting.is_ready()
