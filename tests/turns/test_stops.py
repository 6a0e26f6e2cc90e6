"""How a turn is interrupted, whatever is known of it, and that nothing else of its thread is."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from openai_codex import DecodeError, RequestTimeoutError
from openai_codex import _protocol as protocol
from openai_codex._engine import wire
from openai_codex._engine.actor import Actor
from openai_codex._engine.router import Router
from openai_codex._engine.server_requests import PendingRequests
from openai_codex._engine.subscriptions import EVERYTHING
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.undo import Undo
from openai_codex._engine.workers import Workers
from openai_codex._turns import stops, work_table
from openai_codex._turns.stops import TurnStop
from openai_codex._turns.trees import Trees
from openai_codex._turns.work import Work
from openai_codex._turns.work_table import WorkTable

GARBAGE, NAMELESS = "garbage", "nameless"
UNREADABLE = DecodeError("turn/start", ("not JSON",))
TIMEOUT = RequestTimeoutError("turn/start", 1.0)


def event(method: str, turn_id: str, root: str | None = None) -> dict[str, Any]:
    return {"method": method, "params": {"threadId": "T", "turn": {"id": turn_id, "rootTurnId": root}}}


class World:
    """A thread of a runtime, as far as the engine knows it, and one request that starts a turn in it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.table = WorkTable()
        self.router = Router(8)
        self.router.subscriptions.add(EVERYTHING, self.table)
        self.undone: list[Undo] = []
        self.close_reason = None
        self.trees = Trees()
        self.router.subscriptions.add(EVERYTHING, self.trees)
        self.server_requests = PendingRequests(lambda _: None, Workers(ThreadGroup("stops-test")), lambda _: None)
        self.stop = TurnStop("T")

    def undo(self, undo: Undo) -> None:
        self.undone.append(undo)

    def say(self, *frames: dict[str, Any] | bytes) -> None:
        """Have the runtime say something."""
        lines = [frame if isinstance(frame, bytes) else json.dumps(frame).encode() for frame in frames]
        self.router.dispatch([wire.decode(line) for line in lines]).carry_out(self.server_requests)

    def begin(self, params: Any = None) -> Work:
        """Send the request."""
        self.work = self.table.begin(params or protocol.TurnStartParams(thread_id="T", input=[]), 60.0)
        self.stop.enter(self.table, self.work, self.trees)
        self.reply = self.router.new_reply(self.work.method)
        self.router.register(self.reply, self.stop.subscription)
        self.stop.follow(cast("Actor", self), self.reply)
        return self.work

    def answer(self, turn_id: str) -> None:
        """Have the runtime answer the request."""
        answers: dict[str, dict[str, Any] | bytes] = {
            GARBAGE: b'{"id":%d,"result":{"turn":' % self.reply.request_id,
            NAMELESS: {"id": self.reply.request_id, "result": {}},
        }
        self.say(answers.get(turn_id, {"id": self.reply.request_id, "result": {"turn": {"id": turn_id}}}))

    def leave(self, error: Exception = TIMEOUT) -> None:
        """Leave the call with an error, as the client does."""
        self.work.given_up = self.work.given_up or error is TIMEOUT
        if error is TIMEOUT and not self.reply.is_ready():
            self.router.give_up(self.reply)
        self.table.give_up(self.work, error, self.stop.turn_id)
        assert self.stop.request()
        assert [undo.stop for undo in self.undone] == [self.stop]

    def interrupts(self) -> str | None:
        """Return by which id the turn is interrupted now; ``None`` if it is not."""
        if self.stop.is_over():
            return None
        line = self.stop.line()
        if line is None:
            return None
        request = json.loads(line)
        assert (request["method"], request["params"]["threadId"]) == ("turn/interrupt", "T")
        return cast("str", request["params"]["turnId"])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    clock = SimpleNamespace(monotonic=lambda: world.now)
    monkeypatch.setattr(stops, "time", clock)
    monkeypatch.setattr(work_table, "time", clock)
    return world


@pytest.mark.parametrize("reply", [GARBAGE, NAMELESS])
class TestAReplyThatNamesNoTurn:
    def test_the_next_turn_of_the_thread_is_interrupted_and_no_other(self, world: World, reply: str) -> None:
        world.begin()
        world.answer(reply)
        world.leave(UNREADABLE)
        assert world.interrupts() is None, "the empty id could mean any work"
        world.say(event("turn/started", "U"))
        assert world.interrupts() == "U"
        assert not world.stop.is_over()
        world.say(event("turn/completed", "U"), event("turn/started", "V"))
        assert world.stop.is_over()

    @pytest.mark.parametrize("is_read", [False, True])
    def test_a_turn_that_was_announced_before_is_interrupted(self, world: World, reply: str, is_read: bool) -> None:
        world.begin()
        world.say(event("turn/started", "U"))
        world.answer(reply)
        world.leave(UNREADABLE)
        if is_read:
            assert world.interrupts() == "U"
        world.say(event("turn/completed", "U"))
        world.now += 6.0
        assert world.stop.is_over()

    def test_it_ends_soon_if_no_turn_is_announced(self, world: World, reply: str) -> None:
        world.begin()
        world.answer(reply)
        world.leave(UNREADABLE)
        world.now += 4.9
        assert not world.stop.is_over()
        world.now += 0.2
        assert world.stop.is_over()

    def test_a_compaction_that_begins_then_is_not_interrupted(self, world: World, reply: str) -> None:
        world.begin()
        world.answer(reply)
        world.leave(UNREADABLE)
        world.table.begin(protocol.ThreadCompactStartParams(thread_id="T"), 60.0)
        for _ in range(10):
            assert world.interrupts() is None
            world.now += 1.0
        assert world.stop.is_over()


class TestAReplyThatHasNotCome:
    def test_whatever_the_thread_does_is_interrupted_for_a_short_time(self, world: World) -> None:
        world.begin()
        world.leave()
        assert world.interrupts() == ""
        world.now += 4.9
        assert world.interrupts() == ""
        world.now += 0.2
        assert world.interrupts() is None
        assert not world.stop.is_over()

    @pytest.mark.parametrize(
        "params",
        [
            protocol.ThreadCompactStartParams(thread_id="T"),
            protocol.ThreadShellCommandParams(thread_id="T", command="ls"),
            protocol.TurnStartParams(thread_id="T", input=[]),
        ],
        ids=lambda params: params.METHOD,
    )
    def test_other_work_of_the_thread_is_left_alone(self, world: World, params: Any) -> None:
        world.begin()
        world.leave()
        other = world.table.begin(params, 60.0)
        assert world.interrupts() is None
        world.table.discard(other)
        assert world.interrupts() == ""

    def test_the_work_of_another_thread_makes_no_difference(self, world: World) -> None:
        world.begin()
        world.leave()
        world.table.begin(protocol.ThreadCompactStartParams(thread_id="another"), 60.0)
        assert world.interrupts() == ""

    def test_work_that_is_to_be_stopped_as_well_makes_no_difference(self, world: World) -> None:
        world.begin()
        world.leave()
        world.table.begin(protocol.TurnStartParams(thread_id="T", input=[]), 60.0).given_up = True
        assert world.interrupts() == ""

    @pytest.mark.parametrize("leaves_first", [False, True])
    def test_a_turn_that_is_announced_is_the_one(self, world: World, leaves_first: bool) -> None:
        world.begin()
        if leaves_first:
            world.leave()
        world.say(event("turn/started", "U"))
        if not leaves_first:
            world.leave()
        world.now += 9.0
        assert world.interrupts() == "U"
        world.say(event("turn/completed", "U"))
        assert world.stop.is_over(), "its reply may never come"

    def test_the_turn_of_another_request_is_not_the_one(self, world: World) -> None:
        world.begin()
        other = world.table.begin(protocol.TurnStartParams(thread_id="T", input=[]), 60.0)
        world.say(event("turn/started", "V"))
        world.leave()
        assert world.interrupts() is None, "it may be the turn of either"
        world.table.name(other, "V")
        assert world.interrupts() is None, "it is the turn of the other"
        world.say(event("turn/completed", "V"), event("turn/started", "U"))
        assert world.interrupts() == "U"

    def test_a_turn_that_ran_before_is_not_the_one(self, world: World) -> None:
        world.say(event("turn/started", "a turn for a goal"))
        world.begin()
        world.leave()
        assert world.interrupts() is None

    def test_a_late_reply_names_it(self, world: World) -> None:
        world.begin()
        world.leave()
        world.now += 30.0
        assert world.interrupts() is None
        world.answer("U")
        assert world.interrupts() == ""
        world.say(event("turn/started", "U"))
        assert world.interrupts() in {"U", ""}
        world.say(event("turn/completed", "U"))
        assert world.stop.is_over()

    @pytest.mark.parametrize("events", [[], ["turn/started"], ["turn/started", "turn/completed"]])
    @pytest.mark.parametrize("reply_first", [True, False])
    def test_a_reply_that_was_received_and_not_settled_when_its_caller_left(
        self, world: World, events: list[str], reply_first: bool
    ) -> None:
        world.begin()
        reply = [{"id": world.reply.request_id, "result": {"turn": {"id": "U"}}}]
        said = [event(method, "U") for method in events]
        lines = [json.dumps(frame).encode() for frame in (reply + said if reply_first else said + reply)]
        dispatch = world.router.dispatch([wire.decode(line) for line in lines])
        assert not world.router.expects(world.reply)
        world.leave()
        dispatch.carry_out(world.server_requests)
        if "turn/completed" in events:
            assert world.stop.is_over()
        else:
            assert world.interrupts() == ("U" if events else "")
            world.say(event("turn/completed", "U"))
        assert world.stop.is_over()
        assert not world.table.has(world.work)

    def test_it_is_over_when_no_reply_is_expected_any_longer(self, world: World) -> None:
        world.begin()
        world.leave()
        world.router.forget(world.reply.request_id)
        assert world.stop.is_over()


class TestAReplyThatNamesTheTurn:
    def test_before_the_turn_has_begun_the_empty_id_is_used(self, world: World) -> None:
        world.begin()
        world.answer("U")
        world.leave()
        assert world.interrupts() == ""
        world.say(event("turn/started", "U"))
        assert world.interrupts() == "U"
        world.say(event("turn/completed", "U"))
        assert world.stop.is_over()

    def test_beside_other_work_only_its_id_is_used(self, world: World) -> None:
        world.begin()
        world.answer("U")
        world.leave()
        world.table.begin(protocol.ThreadCompactStartParams(thread_id="T"), 60.0)
        assert world.interrupts() == "U"

    def test_a_turn_that_was_announced_before_the_reply_is_interrupted_by_its_id(self, world: World) -> None:
        world.begin()
        world.say(event("turn/started", "U"))
        world.answer("U")
        world.table.name(world.work, "U")
        world.leave()
        assert world.interrupts() == "U"

    @pytest.mark.parametrize("announced_first", [False, True])
    def test_a_review_is_interrupted_by_the_id_that_was_announced(self, world: World, announced_first: bool) -> None:
        world.begin(protocol.ReviewStartParams(thread_id="T", target=protocol.UncommittedChangesReviewTarget()))
        said = [lambda: world.answer("R"), lambda: world.say(event("turn/started", "C", root="R"))]
        for say in reversed(said) if announced_first else said:
            say()
        world.table.name(world.work, "R")
        world.leave()
        assert world.interrupts() == "C"
        world.say(event("turn/completed", "R"))
        assert world.stop.is_over()


def test_a_turn_that_was_never_asked_for_needs_no_stop(world: World) -> None:
    assert not world.stop.request()
    assert world.undone == []


def test_a_turn_that_was_refused_needs_no_stop(world: World) -> None:
    world.begin()
    world.say({"id": world.reply.request_id, "error": {"code": -32600, "message": "no"}})
    assert world.stop.is_over()
    assert not world.stop.request()


def test_a_stop_is_asked_for_once_and_again_after_it_was_given_up(world: World) -> None:
    world.begin()
    world.leave()
    assert world.stop.request()
    assert len(world.undone) == 1
    world.undone[0].done.set()
    assert world.stop.request()
    assert len(world.undone) == 2
