"""Signal handlers and finalizers that run at any instant of a call of the sync client: they raise, or call the client."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from openai_codex import Codex, CodexError, Restart, RunningTurn, Thread, TurnTimeoutError
from openai_codex.testing import FakeAppServer
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE, SOON, STARTED, eventually, nothing_left, within
from tests.support.inside import actor_of, is_draining, recycle_soon
from tests.support.instants import Instants

# An exception in a generator that is being closed, or in a finalizer, reaches nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


Work = Callable[[Codex, Thread], object]


class Struck(BaseException):
    """What the signal handler raises: like KeyboardInterrupt, it is no Exception."""


def strike() -> None:
    raise Struck


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", {"data": []})
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        yield server
    gc.collect()  # here, where warnings about what was interrupted are expected


def run(_: Codex, thread: Thread) -> None:
    thread.run("go", timeout=0.02)


def turn(_: Codex, thread: Thread) -> None:
    thread.turn("go")  # once the program has the handle, the turn is its own


def request(codex: Codex, _: Thread) -> None:
    codex.models()


def events(codex: Codex, _: Thread) -> None:
    with codex.events():
        pass


WORK: list[Work] = [run, turn, request, events]


def acted(instants: Instants, work: Callable[[], object]) -> Instants:
    """Do the work, which may end in any way."""
    try:
        with instants.traced():
            work()
    except (Struck, CodexError):
        instants.was_struck = True
    return instants


def chosen(work: Callable[[], object], count: int) -> list[int]:
    """Return the numbers of so many instants of the work, at random but each time the same; all if there are fewer."""
    acted(Instants(0, strike), work)  # what the first call loads is not there again
    total = acted(Instants(0, strike), work).count
    return sorted(random.Random(total).sample(range(1, total + 1), min(count, total)))


def is_quiet(codex: Codex, server: FakeAppServer) -> bool:
    load = actor_of(codex).load()
    return load.in_flight == load.waiters == 0 and (not server.request_count("turn/start") or server.turn.is_over)


@pytest.mark.parametrize("work", WORK)
def test_an_exception_leaves_no_turn_no_request_and_no_waiter(server: FakeAppServer, work: Work) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        numbers = chosen(lambda: work(codex, thread), 500)
        if server.request_count("turn/start"):
            server.turn.complete()
        for number in numbers:
            instants = acted(Instants(number, strike), lambda: work(codex, thread))
            if not instants.was_struck and server.request_count("turn/start"):
                server.turn.complete()
            assert eventually(lambda: is_quiet(codex, server), PATIENCE), instants.where
        with pytest.raises(TurnTimeoutError) as caught:
            thread.run("go", timeout=STARTED)
        assert caught.value.turn_id is not None, "it was refused, or waited for work that there is no more"


def test_an_exception_while_a_client_starts_leaves_no_runtime(server: FakeAppServer) -> None:
    def start() -> None:
        Codex(server.config()).close()

    for number in chosen(start, 60):
        with nothing_left():
            acted(Instants(number, strike), start)


CALLS: dict[str, Work] = {
    "health": lambda codex, _: codex.health(),
    "pending requests": lambda codex, _: codex.pending_requests(),
    "request": lambda codex, _: codex.models(),
    "long request": lambda codex, _: codex.request(ModelListParams(cursor="x" * 100_000)),
    "turn": lambda _, thread: thread.turn("y").interrupt(),
    "events": lambda codex, _: codex.events().close(),
    "close of a thread": lambda codex, thread: codex.thread(thread.id).close(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("work", [turn, request, events])
def test_the_client_can_be_called(server: FakeAppServer, work: Work, call: str) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        for number in chosen(lambda: work(codex, thread), 40):
            with within(SOON):
                acted(Instants(number, lambda: CALLS[call](codex, thread)), lambda: work(codex, thread))
        codex.models()


@pytest.mark.parametrize("work", [run, turn, request])
def test_the_client_can_be_closed(server: FakeAppServer, work: Work) -> None:
    def whole() -> None:
        with Codex(server.config()) as codex:
            work(codex, codex.thread_start())

    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        numbers = chosen(lambda: work(codex, thread), 25)
    for number in numbers:
        with within(SOON), nothing_left(), Codex(server.config()) as codex:
            acted(Instants(number, codex.close), partial(work, codex, codex.thread_start()))


def test_health_tells_of_a_running_turn(server: FakeAppServer) -> None:
    seen: list[RunningTurn] = []

    def follow() -> None:
        turn = thread.turn("go")
        server.turn.item_started({"type": "sleep", "id": "nap", "durationMs": 1})
        for event in turn.stream():
            if event.method == "item/started":
                server.turn.complete()

    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        for number in chosen(follow, 300):
            acted(Instants(number, lambda: seen.extend(codex.health().turns)), follow)
        assert {(each.thread_id, each.waiting_on) for each in seen} == {(thread.id, "model"), (thread.id, "tool")}
        assert codex.health().turns == ()


# ------------------------------------------------------------------------------------------- a runtime that is replaced

GROWN = Restart(limit=None, initial_delay=0, max_threads=1, drain_timeout=0.2)


def start(codex: Codex, _: Thread) -> None:
    codex.thread_start()  # its handle is dropped, so the next start replaces the runtime


def test_an_exception_while_a_runtime_is_replaced_keeps_no_other_work_waiting(server: FakeAppServer) -> None:
    with Codex(server.config(restart=GROWN)) as codex:
        thread = codex.thread("stored")
        for number in chosen(partial(start, codex, thread), 80):
            acted(Instants(number, strike), partial(start, codex, thread))
            recycle_soon(codex)
            with within(SOON):
                start(codex, thread)
            assert not is_draining(codex)
        assert codex.health().recycled > 0


@pytest.mark.parametrize("call", CALLS)
def test_the_client_can_be_called_while_a_runtime_is_replaced(server: FakeAppServer, call: str) -> None:
    with Codex(server.config(restart=GROWN)) as codex:
        thread = codex.thread("stored")
        for number in chosen(partial(start, codex, thread), 20):
            recycle_soon(codex)
            with within(SOON):
                acted(Instants(number, lambda: CALLS[call](codex, thread)), partial(start, codex, thread))
            assert not is_draining(codex)
        assert codex.health().recycled > 0
