"""Who takes an event: found by what it is about, remembered, and found anew when somebody comes or goes."""

from __future__ import annotations

import gc

from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.router import RESOLVED, Router
from openai_codex._engine.subscriptions import EVERYTHING, LastingSubscriptions, PendingSubscription, Topic
from openai_codex._notification import ALIKE, Notification
from openai_codex._protocol.methods import ENDS
from tests.engine._routing import ask, completed, delta, everyone


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


def test_mailboxes_without_references_are_forgotten_without_an_event() -> None:
    router, kept = Router(10), Mailbox("kept")
    router.subscriptions.add(Topic("kept"), kept)
    for number in range(1000):
        router.subscriptions.add(Topic(f"T{number}", "U"), Mailbox("dropped"))
    assert everyone(router) == (0, {kept})
    tables = router.subscriptions._subscribed_now, router.subscriptions._topics  # noqa: SLF001  they must not grow
    assert [len(table) < 200 for table in tables] == [True, True]


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
