"""A mailbox of a turn that takes them also gets the events of turns that work for it, from the first to its own end."""

from __future__ import annotations

from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.router import Router
from openai_codex._engine.subscriptions import Topic
from openai_codex._notification import Notification

DELTA = "item/agentMessage/delta"


def started(thread: str, turn: str, root: str) -> Notification:
    return Notification("turn/started", {"threadId": thread, "turn": {"id": turn, "rootTurnId": root}})


def ended(thread: str, turn: str) -> Notification:
    return Notification("turn/completed", {"threadId": thread, "turn": {"id": turn}})


def delta(thread: str, turn: str) -> Notification:
    return Notification(DELTA, {"threadId": thread, "turnId": turn, "itemId": "i", "delta": "x"})


class Bus:
    def __init__(self) -> None:
        self.router = Router(10)

    def box(self, thread: str = "T", turn: str = "R", *, takes: bool = True) -> Mailbox:
        mailbox = Mailbox("the events of a turn")
        mailbox.takes_others = takes
        self.router.subscriptions.add(Topic(thread, turn), mailbox)
        return mailbox

    def send(self, *events: Notification) -> None:
        out = self.router.dispatch(events)
        for mailbox, delivered in out.delivered.items():
            mailbox.put(delivered, last=mailbox in out.ended)


def places(mailbox: Mailbox) -> list[tuple[str | None, str]]:
    return [(each.thread_id, each.method.rpartition("/")[2]) for each in mailbox.backlog.take()]


def test_all_events_of_a_turn_that_works_for_it_come_in_order_in_one_batch_and_in_several() -> None:
    events = [started("T", "R", "R"), delta("K", "k"), started("K", "k", "R"), delta("K", "k"), delta("T", "R")]
    events += [
        started("G", "g", "R"),
        delta("G", "g"),
        ended("K", "k"),
        delta("G", "g"),
        ended("T", "R"),
        delta("G", "g"),
    ]
    expected = [("T", "started"), ("K", "started"), ("K", "delta"), ("T", "delta"), ("G", "started"), ("G", "delta")]
    expected += [("K", "completed"), ("G", "delta"), ("T", "completed")]
    for size in (1, len(events)):
        bus = Bus()
        mailbox = bus.box()
        for at in range(0, len(events), size):
            bus.send(*events[at : at + size])
        assert places(mailbox) == expected
        assert mailbox.is_over()
        assert mailbox.has_others
        assert not bus.router.subscriptions.mailboxes()
        bus.send(ended("G", "g"))
        tables = vars(bus.router.subscriptions)
        assert [len(tables[name]) for name in ("_members", "_topics", "_subscribed_now")] == [0, 0, 0]


def test_the_end_of_such_a_turn_does_not_end_the_mailbox() -> None:
    bus = Bus()
    mailbox, own = bus.box(), bus.box("K", "k")
    bus.send(started("K", "k", "R"), ended("K", "k"))
    assert places(mailbox) == places(own) == [("K", "started"), ("K", "completed")]
    assert (mailbox.ended.is_ready(), own.is_over()) == (False, True)


def test_a_mailbox_that_does_not_take_them_gets_none() -> None:
    bus = Bus()
    mailbox = bus.box(takes=False)
    bus.send(started("K", "k", "R"), delta("K", "k"), ended("K", "k"), ended("T", "R"))
    assert places(mailbox) == [("T", "completed")]
    assert not mailbox.has_others


def test_a_turn_with_two_ids_does_not_work_for_itself() -> None:
    bus = Bus()
    mailbox = bus.box("T", "V")
    bus.send(started("T", "C", "V"), delta("T", "C"), delta("T", "V"))
    assert places(mailbox) == [("T", "delta")]


def test_a_mailbox_that_comes_later_and_one_that_leaves() -> None:
    bus = Bus()
    first = bus.box()
    bus.send(started("K", "k", "R"), delta("K", "k"))
    second = bus.box()
    bus.router.subscriptions.remove(Topic("T", "R"), first)
    bus.send(delta("K", "k"))
    assert places(first) == [("K", "started"), ("K", "delta")]
    assert places(second) == [("K", "delta")]
    assert second.has_others


def test_a_turn_that_works_for_an_unknown_one() -> None:
    bus = Bus()
    mailbox = bus.box()
    bus.send(started("K", "k", "X"), delta("K", "k"), ended("K", "k"))
    assert places(mailbox) == []
    assert not vars(bus.router.subscriptions)["_members"]
