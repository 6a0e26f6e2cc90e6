"""The router is pure: frames in, decisions out."""

from __future__ import annotations

import time

import pytest

from openai_codex import TransportClosedError
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import CloseReason, Reply
from openai_codex._engine.router import Dispatch, Router
from openai_codex._engine.subscriptions import EVERYTHING, PendingSubscription, Topic
from openai_codex._engine.waiting import ThreadWaiter, Waiter
from openai_codex._engine.wire import Frame, Response, ServerRequest, Skipped
from openai_codex._notification import Notification
from tests.engine._routing import ask, completed, delta, everyone


def carry_out(out: Dispatch) -> None:
    """Fill the mailboxes as the actor does."""
    for mailbox, topic in out.bound:
        mailbox.keep(topic.covers)
    for mailbox, events in out.delivered.items():
        mailbox.put(events, last=mailbox in out.ended)


def test_a_response_settles_the_request_with_its_id() -> None:
    router = Router(10)
    first, second = ask(router), ask(router)
    out = router.dispatch([Response(second.request_id, "two"), Response(first.request_id, "one")])
    assert [(reply, response.result) for reply, response in out.settled] == [(second, "two"), (first, "one")]
    assert router.load().in_flight == 0


def test_a_reply_that_comes_alone_is_settled_before_it_is_no_longer_pending() -> None:
    router = Router(10)

    class Watched(Reply):
        def settle(self, outcome: Response | Skipped | CloseReason) -> list[Waiter]:
            assert router.expects(self), "a caller that gives up now would be told that it was never received"
            return super().settle(outcome)

    reply, waiter = Watched("m", router.new_reply("m").request_id), ThreadWaiter()
    router.register(reply)
    reply.add_waiter(waiter)
    assert router.settle_alone([Response(reply.request_id, "one")]) == [waiter]
    assert (reply.result(), router.load().in_flight) == ("one", 0)


def test_what_comes_alone_and_leads_to_more_is_left_to_the_dispatch() -> None:
    router = Router(10)
    first, second = ask(router), ask(router)
    others: list[Frame] = [
        delta("t", "u"),
        ServerRequest(1, "m", {}),
        Skipped("no frame", 1),
        Response("text", 1),
        Response(99, 1),
    ]
    assert [router.settle_alone([frame]) for frame in others] == [None] * len(others)
    assert router.settle_alone([]) is None
    assert router.settle_alone([Response(first.request_id, 1), Response(second.request_id, 1)]) is None
    assert router.load().in_flight == 2
    router.give_up(first)  # its reply is late, which is counted
    assert router.settle_alone([Response(first.request_id, 1)]) is None
    starts = PendingSubscription(Mailbox("the events"), ("turn", "id"), "t")
    fresh = Router(10)
    started = ask(fresh, "turn/start", starts)
    fresh.catch_up()
    assert fresh.settle_alone([Response(started.request_id, {"turn": {"id": "u"}})]) is None


def test_a_reply_without_a_waiter_is_counted_and_dropped() -> None:
    router = Router(10)
    late = ask(router)
    router.forget(late.request_id)
    out = router.dispatch([Response(late.request_id, 1), Response("text", 1), Response(99, 1)])
    assert out.settled == []
    assert (out.late, out.skipped) == (3, [])


def test_a_request_that_was_given_up_is_under_way_until_its_late_reply() -> None:
    router = Router(1)
    late = ask(router)
    router.give_up(late)
    assert not router.has_room(0)
    assert router.dispatch([Response(late.request_id, 1)]).late == 1
    assert router.has_room(0)


def test_a_request_that_was_given_up_takes_up_no_place_after_its_lease_and_is_forgotten_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    router = Router(1)
    late = ask(router)
    router.give_up(late)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 11)
    router.catch_up()
    assert router.has_room(0)
    assert router.expects(late), "its late reply may name a turn"
    monkeypatch.setattr(time, "monotonic", lambda: now + 612)
    router.catch_up()
    assert router.has_room(0)
    assert not router.expects(late)


@pytest.mark.parametrize("reply_comes", [True, False])
def test_requests_in_flight_are_counted_once_whatever_becomes_of_an_overdue_one(
    monkeypatch: pytest.MonkeyPatch, *, reply_comes: bool
) -> None:
    router = Router(10)
    late, waiting = ask(router), ask(router)
    router.give_up(late)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 11)
    router.catch_up()
    assert router.load().in_flight == 1, "the overdue one takes up no place"
    if reply_comes:
        router.dispatch([Response(late.request_id, 1)])
        assert router.load().in_flight == 1
    router.fail_all(CloseReason("the runtime has exited"))
    assert router.load().in_flight == 0
    assert waiting.is_ready()


def test_a_notification_goes_to_every_topic_it_belongs_to() -> None:
    router = Router(10)
    boxes = {
        topic: Mailbox("test")
        for topic in (EVERYTHING, Topic("T"), Topic("T", "U"), Topic("T", "V"), Topic("S"), Topic(login_id="L"))
    }
    for topic, box in boxes.items():
        router.subscriptions.add(topic, box)
    event = delta("T", "U")
    login = Notification("account/login/completed", {"loginId": "L", "success": True})
    unknown = Notification("brand/new", {"threadId": "S", "turnId": "?"})
    out = router.dispatch([event, login, unknown])
    assert out.delivered == {
        boxes[EVERYTHING]: [event, login, unknown],
        boxes[Topic("T")]: [event],
        boxes[Topic("T", "U")]: [event],
        boxes[Topic(login_id="L")]: [login],
        boxes[Topic("S")]: [unknown],
    }
    assert (event.thread_id, event.turn_id) == ("T", "U")


def test_events_without_a_subscription_are_not_kept() -> None:
    out = Router(10).dispatch([delta("T", "U"), Notification("x", {})])
    assert out.delivered == {}


def test_a_turn_ends_its_subscriptions() -> None:
    router = Router(10)
    box = Mailbox("test")
    router.subscriptions.add(Topic("T", "U"), box)
    end = completed("T", "U")
    out = router.dispatch([delta("T", "other"), end, delta("T", "U")])
    assert out.delivered == {box: [end]}
    assert out.ended == {box}


def test_a_coming_turn_misses_nothing_before_during_and_after_its_reply() -> None:
    router = Router(10)
    box = Mailbox("test")
    reply = ask(router, coming=PendingSubscription(box, ("turn", "id"), "T"))
    before, other, after = delta("T", "U", "before"), delta("T", "other"), delta("T", "U", "after")
    carry_out(router.dispatch([before, other]))
    during = [delta("T", "other"), delta("T", "U", "during")]
    out = router.dispatch([*during, Response(reply.request_id, {"turn": {"id": "U"}}), after, delta("T", "other")])
    assert out.delivered == {box: [during[1], after]}
    assert not out.ended
    carry_out(out)
    assert box.take() == [before, during[1], after]


def test_a_coming_turn_that_ends_before_its_reply_is_ended_by_the_reply() -> None:
    router = Router(10)
    box = Mailbox("test")
    reply = ask(router, coming=PendingSubscription(box, ("turn", "id"), "T"))
    end = completed("T", "U")
    carry_out(router.dispatch([end, completed("T", "other")]))
    assert not box.ended.is_ready()
    out = router.dispatch([Response(reply.request_id, {"turn": {"id": "U"}})])
    assert out.ended == {box}
    carry_out(out)
    assert box.take() == [end]
    assert box.is_over()
    assert everyone(router) == (0, set())


def test_a_coming_login_is_bound_to_its_id_and_ends_with_its_completion() -> None:
    router = Router(10)
    box, early = Mailbox("test"), Mailbox("early")
    reply = ask(router, coming=PendingSubscription(box, ("loginId",)))
    ours, theirs = (Notification("account/login/completed", {"loginId": id, "success": True}) for id in ("L", "M"))
    assert router.dispatch([theirs, Response(reply.request_id, {"loginId": "L"})]).delivered == {box: []}
    out = router.dispatch([theirs, ours])
    assert (out.delivered, out.ended) == ({box: [ours]}, {box})
    second = ask(router, coming=PendingSubscription(early, ("loginId",)))
    out = router.dispatch([ours, Response(second.request_id, {"loginId": "L"})])
    assert (out.delivered, out.ended) == ({early: [ours]}, {early})


def test_a_refused_or_abandoned_coming_turn_collects_no_more() -> None:
    router = Router(10)
    refused, abandoned = Mailbox("test"), Mailbox("test")
    no = ask(router, coming=PendingSubscription(refused, ("turn", "id"), "T"))
    gone = ask(router, coming=PendingSubscription(abandoned, ("turn", "id"), "T"))
    router.dispatch([Response(no.request_id, error={"code": 1, "message": "no"})])
    router.forget(gone.request_id)
    assert router.dispatch([delta("T", "U")]).delivered == {}
    assert everyone(router) == (0, set())


def test_server_requests_and_skipped_lines_are_handed_on() -> None:
    call, skipped = ServerRequest(0, "item/tool/call", {}), Skipped("not JSON", 3)
    out = Router(10).dispatch([call, skipped])
    assert (out.server_requests, out.skipped) == ([call], [skipped])


def test_there_is_room_for_as_many_requests_as_the_cap_says() -> None:
    router = Router(2)
    first, _ = ask(router), ask(router)
    assert router.has_room(1)
    assert not router.has_room(0)
    router.dispatch([Response(first.request_id, None)])
    assert router.has_room(0)


def test_the_load_counts_those_who_wait_for_a_reply_or_for_events() -> None:
    router, mailbox = Router(10), Mailbox("events")
    reply = ask(router)
    router.subscriptions.add(EVERYTHING, mailbox)
    waiters = [ThreadWaiter() for _ in range(3)]
    assert [source.add_waiter(waiter) for source, waiter in zip((reply, mailbox, mailbox), waiters, strict=True)]
    assert router.load().waiters == 3
    mailbox.discard_waiter(waiters[1])
    assert router.load().waiters == 2


def test_at_the_end_everyone_is_handed_over_once() -> None:
    router = Router(10)
    reply, box = ask(router), Mailbox("test")
    router.subscriptions.add(Topic("T"), box)
    router.subscriptions.add(EVERYTHING, box)
    assert everyone(router) == (1, {box})
    router.fail_all(CloseReason("over", final=True))
    assert everyone(router) == (0, set())
    assert reply.is_ready()
    with pytest.raises(TransportClosedError, match="over"):
        box.take()
