"""Budgets of jobs: when a job is stopped because of its tokens, and what the program says to that."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from openai_codex import AppServerConfig, ConfigError, Job, JobError, run_job
from openai_codex._jobs.budgets import Watch
from openai_codex.testing import ScriptedModel, Usage, call, hang, reply, say
from tests.jobs import things
from tests.jobs.test_run import same
from tests.support.jobs import prompts_of
from tests.support.repositories import COMMANDS

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")


def answer_heavily(model: ScriptedModel) -> None:
    """Answer a job by a call of a command that costs much, and by nothing more, until its turn is interrupted."""
    command = call("exec_command", {"cmd": "sleep 60", "yield_time_ms": 250})
    model.when("job 1", reply(command, usage=Usage(input_tokens=5_000)), hang())
    model.when(re.compile("turn_aborted"), "done")


def test_a_job_over_its_budget_is_interrupted(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    answer_heavily(scripted_model)
    result = run_job(codex_config, Job(prompts=["job 1", "job 2"], thread=COMMANDS, max_tokens=1_000))
    assert (result.status, result.stopped, result.tokens, result.error) == (
        "stopped",
        "max_tokens",
        5_005,
        None,
    )
    assert [each.status for each in result.results] == ["interrupted"]
    assert prompts_of(scripted_model) == {"job 1": 1}
    assert same(result) == result


def test_a_budget_that_only_the_last_answer_exceeds_stops_nothing(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(say("done", usage=Usage(input_tokens=5_000)))
    result = run_job(codex_config, Job(prompts=["job 1"], max_tokens=1_000))
    assert (result.status, result.stopped, result.final_response) == ("completed", None, "done")


def test_no_turn_follows_one_that_has_used_the_budget(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(say("first", usage=Usage(input_tokens=5_000)))
    result = run_job(codex_config, Job(prompts=["job 1", "job 2"], max_tokens=1_000))
    assert (result.status, result.stopped, len(result.results)) == ("stopped", "max_tokens", 1)


def test_a_callback_may_allow_more(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    answer_heavily(scripted_model)
    job = Job(prompts=["job 1"], thread=COMMANDS, max_tokens=1_000, on_budget="tests.jobs.things:more")
    result = run_job(codex_config, job)
    assert (result.status, result.final_response) == ("completed", "done")
    assert prompts_of(scripted_model) == {"job 1": 1}


@pytest.mark.parametrize(("name", "status"), [("no_more", "stopped"), ("breaks", "failed")])
def test_a_callback_may_refuse_or_break(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, name: str, status: str
) -> None:
    answer_heavily(scripted_model)
    job = Job(prompts=["job 1"], thread=COMMANDS, max_tokens=1_000, on_budget=f"tests.jobs.things:{name}")
    result = run_job(codex_config, job)
    assert result.status == status
    assert result.error is None or "no budget" in str(result.error)


def test_a_callback_that_returns_no_limit_is_the_error(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    answer_heavily(scripted_model)
    job = Job(prompts=["job 1"], thread=COMMANDS, max_tokens=1_000, on_budget="tests.jobs.things:no_number")
    error = run_job(codex_config, job).error
    assert isinstance(error, JobError)
    assert error.kind == "callback"
    assert str(error) == "on_budget has returned no limit: expected a whole number, at least 1, got 'more', or None"


def test_a_limit_that_is_exceeded_stops_the_job(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    answer_heavily(scripted_model)
    things.ASKED.clear()
    job = Job(prompts=["job 1"], thread=COMMANDS, max_tokens=1_000, on_budget="tests.jobs.things:too_few")
    result = run_job(codex_config, job)
    assert (result.status, result.stopped) == ("stopped", "max_tokens")
    assert len(things.ASKED) == 1


@pytest.mark.parametrize("name", ["later", "takes_nothing"])
def test_a_callback_that_cannot_decide_is_refused(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, name: str
) -> None:
    job = Job(prompts=["job 1"], max_tokens=1_000, on_budget=f"tests.jobs.things:{name}")
    with pytest.raises(ConfigError, match="on_budget"):
        run_job(codex_config, job)
    assert scripted_model.request_count == 0


def test_a_job_that_is_cancelled_stays_so_whatever_its_budget_is() -> None:
    watch = Watch()
    watch.stop("max_tokens")
    watch.stop("cancelled")
    watch.go_on(10)
    assert (watch.stopped, watch.over.is_ready()) == ("cancelled", True)
    other = Watch()
    other.stop("max_tokens")
    assert (other.stopped, other.over.is_ready()) == ("max_tokens", True)
    other.go_on(10)
    assert (other.stopped, other.over.is_ready()) == (None, False)


class Halts:
    """The threads of a client that are halted; something may happen before and after each halt."""

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None

    def halt(self, thread_id: str, holder: object) -> None:
        assert isinstance(holder, Watch)
        self.before()
        self.threads.add(thread_id)
        self.after()

    def release(self, thread_id: str, holder: object) -> None:
        assert isinstance(holder, Watch)
        self.threads.discard(thread_id)


@pytest.mark.parametrize("order", list(itertools.permutations(["follow", "stop", "leave"])))
def test_a_thread_is_halted_only_while_its_job_runs(order: tuple[str, ...]) -> None:
    halts, watch = Halts(), Watch()
    steps: dict[str, Callable[[], object]] = {
        "follow": lambda: watch.follow(SimpleNamespace(work=SimpleNamespace(halts=halts)), "T"),
        "stop": lambda: watch.stop("cancelled"),
        "leave": watch.leave,
    }
    halted = []
    for step in order:
        steps[step]()
        halted.append("T" in halts.threads)
    begun = order.index("follow") < order.index("stop")
    was_left = order.index("leave") < order.index("stop") and order.index("follow") < order.index("leave")
    assert any(halted) == (begun and not was_left)
    watch.leave()
    assert halts.threads == set()
    assert watch.stopped == "cancelled"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_job_that_ends_while_it_is_stopped_leaves_no_thread_halted(when: str) -> None:
    halts, watch = Halts(), Watch()
    watch.follow(SimpleNamespace(work=SimpleNamespace(halts=halts)), "T")
    setattr(halts, when, watch.leave)
    watch.stop("cancelled")
    assert halts.threads == set()


def test_a_job_that_may_use_more_runs_on_unless_it_was_cancelled() -> None:
    halts, watch = Halts(), Watch()
    watch.follow(SimpleNamespace(work=SimpleNamespace(halts=halts)), "T")
    watch.stop("max_tokens")
    watch.go_on(1_000)
    assert (halts.threads, watch.stopped, watch.over.is_ready()) == (set(), None, False)
    watch.stop("cancelled")
    watch.go_on(1_000)
    assert (halts.threads, watch.stopped, watch.over.is_ready()) == ({"T"}, "cancelled", True)
