"""One waiter never costs the others: neither by what it raises, nor by what a signal handler raises meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from openai_codex._async.client import _wait
from openai_codex._async.client._loop import waker_of
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import CloseReason, Reply
from openai_codex._engine.router import Dispatch, Router
from openai_codex._engine.server_requests import PendingRequests
from openai_codex._engine.subscriptions import EVERYTHING, LastingSubscriptions, Topic
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, ThreadWaiter, Waitable, wake_all
from openai_codex._engine.wire import Response, ServerRequest
from openai_codex._engine.workers import Workers
from openai_codex._notification import Notification
from tests.support.bounds import PATIENCE
from tests.support.instants import Instants

EVENT = Notification("m", {})
DEATH = CloseReason("the runtime exited")


class Broken:
    """A waiter with a defect."""

    def wake(self) -> None:
        raise ZeroDivisionError


class Alarm(Exception):  # noqa: N818  it is no error
    """Of a signal handler."""


def strike() -> None:
    raise Alarm


async def waiting(*latches: Latch) -> list[asyncio.Task[bool]]:
    """Return tasks that wait, each for one of these."""
    tasks = [asyncio.create_task(_wait.ready(latch, None)) for latch in latches]
    while not all(latch.waiter_count() for latch in latches):
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize("place", [0, 1, 2])
def test_threads_beside_a_broken_waiter_are_woken(place: int) -> None:
    threads = [ThreadWaiter(), ThreadWaiter()]
    waiters: list[Any] = [*threads]
    waiters.insert(place, Broken())
    with pytest.raises(ZeroDivisionError):
        wake_all(waiters)
    assert [waiter.block(0) for waiter in threads] == [True, True]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_tasks_beside_a_broken_waiter_are_woken(place: int) -> None:
    async def main() -> list[bool]:
        latches = [Latch(), Latch()]
        tasks = await waiting(*latches)
        waiters: list[Any] = [waiter for latch in latches for waiter in latch.trip()]
        waiters.insert(place, Broken())
        with pytest.raises(ZeroDivisionError):
            wake_all(waiters)
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [True, True]


def test_tasks_are_woken_whatever_instant_an_exception_comes_at() -> None:
    async def main(number: int) -> bool:
        latches = [Latch(), Latch(), Latch()]
        tasks = await waiting(*latches)
        waiters = [waiter for latch in latches for waiter in latch.trip()]
        with Instants(number, strike).traced() as instants, contextlib.suppress(Alarm):
            wake_all(waiters)
        done, pending = await asyncio.wait(tasks, timeout=PATIENCE)
        assert (len(done), pending) == (3, set()), instants.where
        return bool(instants.where)

    number = 2  # the first instant is before it has begun
    while asyncio.run(main(number)):
        number += 1
    assert number > 10


def test_what_an_interrupted_wake_up_has_left_does_not_keep_later_ones_back() -> None:
    async def main(number: int) -> bool:
        waker, first = waker_of(asyncio.get_running_loop()), asyncio.get_running_loop().create_future()
        with Instants(number, strike).traced() as instants:
            try:
                waker.add(first)
                (waker.call() or bool)()
            except Alarm:
                pass
        (later,) = latches = [Latch()]
        tasks = await waiting(*latches)
        later.set()
        done, _ = await asyncio.wait(tasks, timeout=PATIENCE)
        assert len(done) == 1, instants.where
        return bool(instants.where)

    number = 1
    while asyncio.run(main(number)):
        number += 1
    assert number > 3


@pytest.mark.parametrize("step", ["_settle", "_expire"])
def test_a_loop_that_is_interrupted_while_it_wakes_goes_on(step: str) -> None:
    """The signal handler of a program raises in the loop, and the program goes on with it."""

    def run(number: int) -> bool:
        loop = asyncio.new_event_loop()
        waker = waker_of(loop)
        futures = [loop.create_future() for _ in range(3)]
        instants = Instants(number, strike)
        real: Callable[..., None] = getattr(waker, step)

        def traced(*args: Any) -> None:
            with instants.traced():
                real(*args)

        setattr(waker, step, traced)

        async def main() -> None:
            for future in futures:
                if step == "_expire":
                    waker.limit(future, 0.0)
                else:
                    waker.add(future)
            (waker.call() or bool)()
            _, pending = await asyncio.wait(futures, timeout=PATIENCE)
            assert not pending, instants.where

        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(main())
        loop.close()
        return bool(instants.where)

    number = 2  # asyncio itself loses a callback that is interrupted before it has begun
    while run(number):
        number += 1
    assert number > 3


def broken(source: Waitable) -> Waitable:
    source.add_waiter(Broken())
    return source


def test_the_end_of_a_connection_reaches_those_behind_a_broken_waiter() -> None:
    router = Router(4)
    replies = [router.new_reply("m") for _ in range(2)]
    boxes = [Mailbox("test"), Mailbox("test")]
    for reply in replies:
        router.register(reply)
    for box in boxes:
        router.subscriptions.add(EVERYTHING, box)
    broken(replies[0])
    broken(boxes[0])
    waiters = [ThreadWaiter(), ThreadWaiter()]
    assert replies[1].add_waiter(waiters[0])
    assert boxes[1].add_waiter(waiters[1])
    with pytest.raises(ZeroDivisionError):
        router.fail_all(DEATH)
    assert [waiter.block(0) for waiter in waiters] == [True, True]


def test_a_client_that_ends_reaches_those_behind_a_broken_waiter() -> None:
    lasting, boxes, waiter = LastingSubscriptions(), [Mailbox("test"), Mailbox("test")], ThreadWaiter()
    for box in boxes:
        lasting.add(Topic(), box)
    broken(boxes[0])
    assert boxes[1].add_waiter(waiter)
    with pytest.raises(ZeroDivisionError):
        lasting.publish(EVENT)
    assert waiter.block(0)
    with pytest.raises(ZeroDivisionError):
        lasting.end(DEATH)
    assert boxes[1].ended.is_ready()


def test_who_is_woken_finds_all_of_the_batch_in_its_place() -> None:
    box, other, reply, found = Mailbox("test"), Mailbox("test"), Reply("m"), list[tuple[bool, bool]]()

    class Looking:
        def wake(self) -> None:
            found.append((other.is_ready(), reply.is_ready()))

    box.add_waiter(Looking())
    batch = Dispatch()
    batch.delivered[box].append(EVENT)
    batch.delivered[other].append(EVENT)
    batch.settled.append((reply, Response(0, {}, None)))
    batch.carry_out(PendingRequests(lambda _: None, Workers(ThreadGroup("waiting-test")), lambda _: None))
    assert found == [(True, True)]


def test_a_server_request_is_handled_though_a_waiter_of_its_batch_is_broken() -> None:
    group = ThreadGroup("waiting-test")
    workers, handled = Workers(group), Latch()
    requests = PendingRequests(lambda _: None, workers, lambda _: handled.set())
    box = Mailbox("test")
    broken(box)
    batch = Dispatch()
    batch.server_requests.append(ServerRequest(1, "item/tool/call", {}))
    batch.delivered[box].append(EVENT)
    with pytest.raises(ZeroDivisionError):
        batch.carry_out(requests)
    waiter = ThreadWaiter()
    assert not handled.add_waiter(waiter) or waiter.block(60)
    workers.close()
