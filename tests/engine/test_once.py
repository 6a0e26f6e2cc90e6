"""Of any number of callers exactly one is the first."""

from __future__ import annotations

import threading

from openai_codex._engine.once import Once
from tests.support.bounds import PATIENCE
from tests.support.instants import Instants


def test_only_the_first_caller_takes_it() -> None:
    once = Once()
    assert not once.is_taken()
    assert [once.take() for _ in range(3)] == [True, False, False]
    assert once.is_taken()


def test_what_is_given_back_is_taken_once_more() -> None:
    once = Once()
    assert once.take()
    once.give_back()
    assert not once.is_taken()
    assert [once.take(), once.take()] == [True, False]


def test_of_many_threads_one_takes_it() -> None:
    for _ in range(50):
        once, start, taken = Once(), threading.Barrier(8), []

        def race(once: Once = once, start: threading.Barrier = start, taken: list[bool] = taken) -> None:
            start.wait(PATIENCE)
            taken.append(once.take())

        threads = [threading.Thread(target=race) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert sorted(taken) == [False] * 7 + [True]


def test_a_signal_handler_that_takes_it_at_any_instant_shares_it_with_nobody() -> None:
    number, more = 0, True
    while more:
        number += 1
        once = Once()
        taken: list[bool] = []
        with Instants(number, lambda once=once, taken=taken: taken.append(once.take())).traced() as instants:
            own = once.take()
        more = bool(instants.where)
        assert [own, *taken].count(True) == 1
    assert number > 1
