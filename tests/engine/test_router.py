"""The router is pure: frames in, decisions out."""

from __future__ import annotations

import gc
import time

import pytest

from openai_codex import TransportClosedError
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import CloseReason, Reply
from openai_codex._engine.router import RESOLVED, Dispatch, Router
from openai_codex._engine.subscriptions import EVERYTHING, LastingSubscriptions, PendingSubscription, Topic
from openai_codex._engine.waiting import ThreadWaiter
from openai_codex._engine.wire import Response, ServerRequest, Skipped
from openai_codex._notification import ALIKE, Notification
from openai_codex._protocol.methods import ENDS


def delta(thread: str, turn: str, text: str = "x") -> Notification:
    params = {"threadId": thread, "turnId": turn, "itemId": "i", "delta": text}
    return Notification("item/agentMessage/delta", params)


def completed(thread: str, turn: str) -> Notification:
    return Notification(
        "turn/completed", {"threadId": thread, "turn": {"id": turn, "items": [], "status": "completed"}}
    )


def ask(router: Router, method: str = "m", coming: PendingSubscription | None = None) -> Reply:
    reply = router.new_reply(method)
    router.register(reply, coming)
    return reply


def everyone(router: Router) -> tuple[int, set[Mailbox]]:
    """Return how many replies are pending, and the mailboxes that are subscribed."""
    router.catch_up()
    return router.load().in_flight, set(router.subscriptions.mailboxes())


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
    assert router.expects(late.request_id), "its late reply may name a turn"
    monkeypatch.setattr(time, "monotonic", lambda: now + 612)
    router.catch_up()
    assert router.has_room(0)
    assert not router.expects(late.request_id)


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


def test_a_turn_has_begun_only_if_its_own_start_was_collected() -> None:
    router = Router(10)
    first, second = Mailbox("test"), Mailbox("test")
    replies = [ask(router, coming=PendingSubscription(box, ("turn", "id"), "T")) for box in (first, second)]
    carry_out(router.dispatch([Notification("turn/started", {"threadId": "T", "turn": {"id": "U"}})]))
    carry_out(
        router.dispatch([Response(r.request_id, {"turn": {"id": i}}) for r, i in zip(replies, "UV", strict=True)])
    )
    assert (first.begun, second.begun) == (True, False)


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


def test_a_mailbox_without_references_is_forgotten() -> None:
    router = Router(10)
    kept, dropped = Mailbox("kept"), Mailbox("dropped")
    router.subscriptions.add(Topic("T"), kept)
    router.subscriptions.add(Topic("T"), dropped)
    del dropped
    gc.collect()
    event = delta("T", "U")
    assert router.dispatch([event]).delivered == {kept: [event]}
    assert everyone(router) == (0, {kept})


def test_a_mailbox_for_some_methods_gets_no_others() -> None:
    router = Router(10)
    box = Mailbox("test", frozenset({"a"}))
    router.subscriptions.add(EVERYTHING, box)
    wanted = Notification("a", {})
    assert router.dispatch([Notification("b", {}), wanted]).delivered == {box: [wanted]}
    assert router.dispatch([Notification("b", {})]).delivered == {}


def test_who_takes_an_event_is_found_anew_when_somebody_comes_or_goes() -> None:
    router = Router(10)
    turn, thread, everything = Mailbox("turn"), Mailbox("thread"), Mailbox("everything")
    topics = {Topic("T", "U"): turn, Topic("T"): thread, EVERYTHING: everything}

    def subscribers() -> list[Mailbox]:
        return list(router.dispatch([delta("T", "U")]).delivered)

    assert subscribers() == []
    for count, (topic, mailbox) in enumerate(topics.items(), start=1):
        router.subscriptions.add(topic, mailbox)
        assert set(subscribers()) == set([*topics.values()][:count])
    for topic, mailbox in topics.items():
        router.subscriptions.remove(topic, mailbox)
        assert mailbox not in subscribers()
    assert subscribers() == []


def test_events_after_the_end_of_a_turn_are_dropped() -> None:
    router = Router(10)
    box = Mailbox("turn")
    router.subscriptions.add(Topic("T", "U"), box)
    events = [delta("T", "U"), completed("T", "U")]
    assert router.dispatch(events).delivered == {box: events}
    assert router.dispatch([delta("T", "U")]).delivered == {}


def test_a_turn_that_is_awaited_collects_what_was_cached_for_others() -> None:
    router = Router(10)
    thread, turn = Mailbox("thread"), Mailbox("turn")
    router.subscriptions.add(Topic("T"), thread)
    first, second, third = delta("T", "U"), delta("T", "U"), delta("T", "U")
    assert router.dispatch([first]).delivered == {thread: [first]}
    reply = ask(router, coming=PendingSubscription(turn, ("turn", "id"), "T"))
    assert router.dispatch([second]).delivered == {thread: [second], turn: [second]}
    router.forget(reply.request_id)
    assert router.dispatch([third]).delivered == {thread: [third]}


def test_the_cache_of_subscribers_is_bounded() -> None:
    router = Router(10)
    box = Mailbox("everything")
    router.subscriptions.add(EVERYTHING, box)
    for number in range(10_000):
        router.dispatch([delta(f"T{number % 7}", f"U{number}")])
    assert sum(map(len, router.subscriptions.cache.values())) <= 4096


def test_no_method_that_ends_something_is_cached() -> None:
    assert (ENDS | {RESOLVED}) & ALIKE == set()


def test_ids_of_any_shape_find_their_way() -> None:
    router = Router(10)
    everything = Mailbox("everything")
    router.subscriptions.add(EVERYTHING, everything)
    odd = [
        Notification("item/agentMessage/delta", {"threadId": thread_id, "turnId": turn_id})
        for thread_id in ("T", None, 1, [1], {})
        for turn_id in ("U", None, 1, [1], {})
    ]
    assert router.dispatch(odd * 2).delivered == {everything: odd * 2}


def test_an_end_without_a_thread_ends_nothing() -> None:
    router = Router(10)
    thread, everything = Mailbox("thread"), Mailbox("everything")
    router.subscriptions.add(EVERYTHING, everything)
    router.subscriptions.add(Topic("T"), thread)
    odd = [Notification("turn/completed", {"threadId": id, "turn": {"id": "U"}}) for id in (None, 5, [])]
    logout = Notification("account/login/completed", {"loginId": None})
    assert router.dispatch([*odd, logout]).ended == set()
    after = delta("T", "U")
    assert router.dispatch([after]).delivered == {everything: [after], thread: [after]}


def test_what_the_collector_removes_meanwhile_breaks_no_walk_over_a_table() -> None:
    subscriptions = LastingSubscriptions()
    kept = [Mailbox(str(number)) for number in range(200)]
    for mailbox in kept:
        subscriptions.add(EVERYTHING, mailbox)
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        while kept:
            cycle: list[object] = [kept.pop()]
            cycle.append(cycle)  # only the collector frees it
            del cycle
            assert len(subscriptions.alive()) >= len(kept)
    finally:
        gc.set_threshold(*before)
