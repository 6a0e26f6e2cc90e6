# Derived from tests/faces_async/test_running_agents.py by `python -m tools.unasync`; do not edit.
"""Sub-agents of a run that takes several turns: retries, corrections of an answer with a type, and a review beside them."""

from __future__ import annotations

import json
from functools import partial

import attrs
import pytest

from openai_codex import Codex, OutputError, RunResult, TurnFailedError, TurnTimeoutError
from openai_codex._sync import running
from openai_codex._turns.options import AgentsLike
from openai_codex.testing import Gate, RecordedRequest, fail_stream, offline, say, spawn, wait
from openai_codex.types import TurnStatus
from tests.faces_sync._outcome import outcomes
from tests.support.agents import CHILD_USAGE, MODELS, NOTHING, Version, agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import trees_of

versions = pytest.mark.parametrize("version", [1, 2])


@attrs.define
class Verdict:
    """What the parent answers in the end."""

    fine: bool


GOOD, BAD = say(json.dumps({"fine": True})), say(json.dumps({"fine": "perhaps"}))

PASSES = fail_stream("server_is_overloaded")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_FIRST_DELAY", 0.01)


class Parent:
    """Matches the requests of the parent, and notes its turns. Its thread gets the answers once, over all turns."""

    def __init__(self) -> None:
        self.turns: list[str] = []

    def __call__(self, request: RecordedRequest) -> bool:
        turn_id = request.agent.turn_id or ""
        if request.agent.depth == 0 and turn_id not in self.turns:
            self.turns.append(turn_id)
        return request.agent.depth == 0


def statuses(result: RunResult | None) -> list[TurnStatus | None]:
    assert result is not None
    return [each.status for each in result.agents]


def let_go(child: Gate, parent: Gate) -> None:
    """Let the parent go on when its child has asked the model."""
    child.wait_reached(PATIENCE)
    parent.open()


@versions
@pytest.mark.parametrize(("agents", "left"), [(None, 0), ("stop", 0), ("keep", 1)])
def test_the_agents_of_a_failed_attempt_are_stopped_before_the_next_one(
    version: Version, agents: AgentsLike | None, left: int
) -> None:
    parent, live = Parent(), list[int]()

    def second(_: RecordedRequest) -> str:
        live.append(len(trees_of(codex).live(parent.turns[0])))
        return "done"

    with offline(None) as kit:
        child, failure = kit.model.gate(), kit.model.gate()
        kit.model.when(parent, spawn("one"), attrs.evolve(PASSES, gate=failure), second)
        kit.model.when_agent(say("late", gate=child), depth=1)
        with Codex(kit.config) as codex:
            thread = codex.thread_start(model=MODELS[version])
            run = partial(thread.run, "go", retries=1, agents=agents, timeout=PATIENCE)
            result, _ = outcomes([run, partial(let_go, child, failure)])
    assert isinstance(result, RunResult)
    assert (result.attempts, result.final_response, live) == (2, "done", [left])
    assert statuses(result) == [TurnStatus.in_progress if left else TurnStatus.interrupted]


@versions
def test_the_agents_of_all_failed_attempts_are_in_the_error(version: Version) -> None:
    with agents("hangs", version=version, parent="fails") as tree:
        with Codex(tree.config) as codex:
            thread = codex.thread_start(**tree.thread())
            run = partial(thread.run, "go", retries=1, timeout=PATIENCE)
            error, _ = outcomes([run, partial(let_go, tree.gate, tree.parent_gate)])
            tree.model.wait_idle(PATIENCE)
    assert isinstance(error, TurnFailedError)
    assert error.result.attempts == 2
    assert set(statuses(error.result)) == {TurnStatus.interrupted}


@versions
def test_a_typed_answer_of_a_parent_with_agents(version: Version) -> None:
    with offline(None) as kit:
        kit.model.when_agent(spawn("one", "two"), wait(), GOOD, depth=0)
        kit.model.when_agent(say("a part", usage=CHILD_USAGE), depth=1)
        with Codex(kit.config) as codex:
            thread = codex.thread_start(model=MODELS[version])
            result = thread.run("go", output_type=Verdict, timeout=PATIENCE)
    assert result.output == Verdict(fine=True)
    assert [each.last_message for each in result.agents] == ["a part", "a part"]


@versions
def test_agents_that_end_during_the_next_attempt_have_ended_in_the_result(version: Version) -> None:
    parent = Parent()
    with offline(None) as kit:
        child, first, second = kit.model.gate(), kit.model.gate(), kit.model.gate()
        kit.model.when(parent, spawn("one"), attrs.evolve(BAD, gate=first), attrs.evolve(GOOD, gate=second))
        kit.model.when_agent(say("a part", gate=child, usage=CHILD_USAGE), depth=1)
        with Codex(kit.config) as codex:

            def steps() -> None:
                let_go(child, first)
                second.wait_reached(PATIENCE)
                child.open()
                assert eventually(lambda: trees_of(codex).is_quiet(parent.turns[0]))
                second.open()

            thread = codex.thread_start(model=MODELS[version])
            run = partial(thread.run, "go", output_type=Verdict, output_retries=1, timeout=PATIENCE)
            result, _ = outcomes([run, steps])
    assert isinstance(result, RunResult)
    assert (result.attempts, result.output, statuses(result)) == (2, Verdict(fine=True), [TurnStatus.completed])
    assert result.total_usage is not None
    assert result.turn_usage is not None
    assert result.total_usage.total_tokens - result.turn_usage.total_tokens == CHILD_USAGE.total_tokens


@versions
@pytest.mark.parametrize(("agents", "end"), [(None, TurnStatus.in_progress), ("stop", TurnStatus.interrupted)])
def test_an_answer_that_never_fits_leaves_the_agents_of_all_attempts_to_the_caller(
    version: Version, agents: AgentsLike | None, end: TurnStatus
) -> None:
    with offline(None) as kit:
        child, first = kit.model.gate(), kit.model.gate()
        kit.model.when(Parent(), spawn("one"), attrs.evolve(BAD, gate=first), BAD)
        kit.model.when_agent(say("late", gate=child), depth=1)
        with Codex(kit.config) as codex:
            thread = codex.thread_start(model=MODELS[version])
            run = partial(thread.run, "go", output_type=Verdict, output_retries=1, agents=agents, timeout=PATIENCE)
            error, _ = outcomes([run, partial(let_go, child, first)])
    assert isinstance(error, OutputError)
    assert error.result is not None
    assert (error.result.attempts, statuses(error.result)) == (2, [end])


@versions
def test_giving_up_the_second_attempt_stops_the_agents_of_the_first(version: Version) -> None:
    with offline(None) as kit:
        child, first = kit.model.gate(), kit.model.gate()
        last = say("never", gate=kit.model.gate())
        kit.model.when(Parent(), spawn("one"), attrs.evolve(BAD, gate=first), last)
        kit.model.when_agent(say("late", gate=child), depth=1)
        with Codex(kit.config) as codex:
            thread = codex.thread_start(model=MODELS[version])
            run = partial(thread.run, "go", output_type=Verdict, output_retries=1, stall_timeout=6)
            error, _ = outcomes([run, partial(let_go, child, first)])
            kit.model.wait_idle(PATIENCE)
    assert isinstance(error, TurnTimeoutError)
    assert statuses(error.result) == [TurnStatus.interrupted]


@versions
def test_a_review_beside_the_agents_of_an_earlier_turn(version: Version) -> None:
    """The runtime gives a review no tools for agents, so it has none of its own."""
    with agents("hangs", version=version, parent="leaves") as tree:
        tree.parent_gate.open()
        with Codex(tree.config) as codex:
            thread = codex.thread_start(**tree.thread())
            turn = thread.turn("go")
            assert (turn.run(timeout=PATIENCE)).status == TurnStatus.completed
            tree.gate.wait_reached(PATIENCE)
            tree.model.when_agent(say("fine", usage=NOTHING), task="all of it")
            review = codex.review(thread.id, "all of it")
            result = review.run(agents="stop", timeout=PATIENCE)
            assert (result.status, result.agents) == (TurnStatus.completed, ())
            assert trees_of(codex).is_quiet(review.id)
            assert [each.is_running for each in turn.agents()] == [True]
            turn.interrupt(timeout=PATIENCE)
            tree.model.wait_idle(PATIENCE)
