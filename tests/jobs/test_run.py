"""Jobs in this process: results, failures, budgets, continuation, and the client that stays open between them."""

from __future__ import annotations

import json
import os
import pickle
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    ConfigError,
    Job,
    JobError,
    JobResult,
    LaunchError,
    OutputError,
    RunResult,
    TransportClosedError,
    TurnFailedError,
    TurnTimeoutError,
    run_job,
)
from openai_codex.testing import QuietHome, ScriptedModel, call, fail, hang, reply
from tests.jobs.things import Answer
from tests.support.bounds import PATIENCE, STARTED, eventually
from tests.support.inside import warm_clients
from tests.support.jobs import prompts_of

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")

COMMANDS = {"sandbox": "full-access", "approval_policy": "never"}


def same(result: JobResult) -> JobResult:
    """The result after a journey through JSON."""
    return JobResult.from_dict(json.loads(json.dumps(result.to_dict())))


def test_the_prompts_of_a_job_are_turns_of_one_thread(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue("first", "second")
    result = run_job(codex_config, Job(prompts=["job 1", "job 2"], labels={"a": "b"}, key="k"))
    assert (result.status, result.error, result.stopped, result.attempts) == ("completed", None, None, 1)
    assert [each.final_response for each in result.results] == ["first", "second"]
    assert (result.final_response, result.key, result.job.labels) == ("second", "k", {"a": "b"})
    assert {each.thread_id for each in result.results} == {result.thread_id}
    assert (result.tokens, result.process) == (30, os.getpid())
    assert result.started_at is not None
    assert result.ended_at is not None
    assert result.started_at <= result.ended_at
    assert prompts_of(scripted_model) == {"job 1": 1, "job 2": 1}
    assert same(result) == result == pickle.loads(pickle.dumps(result))  # noqa: S301  our own bytes
    assert "results=2" in repr(result)


def test_jobs_of_one_configuration_share_a_client(codex_config: AppServerConfig) -> None:
    before = len(warm_clients())
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda n: run_job(codex_config, Job(prompts=[f"job {n}"])), range(8)))
    assert [each.status for each in results] == ["completed"] * 8
    assert len(warm_clients()) == before + 1


def test_an_answer_is_an_instance_of_its_type(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue("thinking", '{"number": 7}')
    job = Job(prompts=["job 1", "job 2"], output_type=Answer)
    result = run_job(codex_config, job)
    assert result.output == Answer(7)
    assert result.results[0].output is None
    assert same(result) == result
    again = run_job(codex_config, job, thread_id=result.thread_id)
    assert again.output == Answer(7)
    assert scripted_model.request_count == 2, "the stored answer was decoded; nothing was sent"


def test_an_answer_that_does_not_fit_is_the_error(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue('{"number": "x"}')
    result = run_job(codex_config, Job(prompts=["job 1"], output_type=Answer))
    assert result.status == "failed"
    assert isinstance(result.error, OutputError)
    assert same(result).error == JobErrorLike("OutputError", str(result.error))


@attrs.frozen(eq=False)
class JobErrorLike:
    """Equal to an error of a job with this kind and reason."""

    kind: str
    reason: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobError) and (other.kind, other.reason) == (self.kind, self.reason)

    __hash__ = None  # type: ignore[assignment]  # it is only compared


def test_tools_are_found_by_their_paths(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(call("weather", {"city": "Rome"})), reply(call("plain_tool", {"word": "x"})), "done")
    job = Job(prompts=["job 1"], tools=["tests.jobs.things:weather", "tests.jobs.things:plain_tool"])
    assert run_job(codex_config, job).final_response == "done"
    assert list(scripted_model.requests[-1].function_outputs.values()) == ["Rain in Rome.", "x"]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"tools": ["tests.jobs.things:missing"]}, "tools[0]"),
        ({"output_type": "tests.jobs.no_such:Answer"}, "output_type"),
        ({"max_tokens": 1, "on_budget": "tests.jobs.things:missing"}, "on_budget"),
    ],
)
def test_what_cannot_be_imported_is_refused(codex_config: AppServerConfig, fields: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run_job(codex_config, Job(prompts=["job 1"], **fields))
    assert caught.value.what == what


@pytest.mark.parametrize(("config", "job"), [("x", Job(prompts=["a"])), (None, "job"), (None, {"prompts": ["a"]})])
def test_wrong_arguments_are_refused(config: Any, job: Any) -> None:
    with pytest.raises(ConfigError, match="expected a"):
        run_job(config, job)


@pytest.mark.parametrize("bad", [3, "", b"x"])
def test_a_wrong_thread_is_refused(bad: Any) -> None:
    with pytest.raises(ConfigError, match="thread_id"):
        run_job(None, Job(prompts=["a"]), thread_id=bad)


def test_a_failed_turn_is_the_error_and_is_continued_in_its_thread(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue("first", fail(400, {"error": {"message": "no"}}), "second")
    job = Job(prompts=["job 1", "job 2"])
    failed = run_job(codex_config, job)
    assert (failed.status, len(failed.results)) == ("failed", 1)
    assert isinstance(failed.error, TurnFailedError)
    assert same(failed).error == JobErrorLike("TurnFailedError", str(failed.error))
    again = run_job(codex_config, job, thread_id=failed.thread_id)
    assert [each.final_response for each in again.results] == ["first", "second"]
    assert again.results[1].attempts == 2
    assert prompts_of(scripted_model) == {"job 1": 1, "job 2": 1}


def test_a_thread_without_a_turn_has_nothing_to_continue(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    assert run_job(codex_config, Job(prompts=["job 0"])).status == "completed"
    empty = warm_clients()[-1].thread_start()
    result = run_job(codex_config, Job(prompts=["job 1"]), thread_id=empty.id)
    assert (result.status, result.thread_id == empty.id) == ("completed", False)
    assert prompts_of(scripted_model) == {"job 0": 1, "job 1": 1}


def test_a_failure_that_passes_is_retried(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(fail(500), "done")
    result = run_job(codex_config, Job(prompts=["job 1"], retries=1))
    assert (result.final_response, result.results[0].attempts) == ("done", 2)
    assert prompts_of(scripted_model) == {"job 1": 1}


def test_a_job_that_takes_too_long_is_an_error(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(hang())
    result = run_job(codex_config, Job(prompts=["job 1"], timeout=STARTED))
    assert isinstance(result.error, TurnTimeoutError)


def test_a_dead_runtime_is_an_error_and_the_next_job_gets_another(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue("first", hang(), "second")
    job, found = Job(prompts=["job 1", "job 2"]), list[JobResult]()
    thread = threading.Thread(target=lambda: found.append(run_job(codex_config, job)))
    thread.start()
    scripted_model.wait_for_requests(2, PATIENCE)
    os.kill(warm_clients()[-1].health().pid, signal.SIGKILL)
    thread.join(PATIENCE)
    assert isinstance(found[0].error, TransportClosedError)
    again = run_job(codex_config, job, thread_id=found[0].thread_id)
    assert [each.final_response for each in again.results] == ["first", "second"]
    assert prompts_of(scripted_model) == {"job 1": 1, "job 2": 1}


def test_a_runtime_that_died_between_jobs_is_replaced(codex_config: AppServerConfig) -> None:
    assert run_job(codex_config, Job(prompts=["job 1"])).status == "completed"
    client = warm_clients()[-1]
    os.kill(client.health().pid, signal.SIGKILL)
    assert eventually(lambda: not client.health().alive)
    assert run_job(codex_config, Job(prompts=["job 2"])).status == "completed"


def test_a_runtime_that_does_not_start_is_an_error() -> None:
    config = AppServerConfig(launch_args_override=["false"])
    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda _: run_job(config, Job(prompts=["job 1"])), range(3)))
    assert all(isinstance(each.error, LaunchError) for each in results)


def in_child(config: AppServerConfig, results: Any) -> None:
    results.put(run_job(config, Job(prompts=["job child"])))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # that is what is tested
def test_a_forked_child_makes_its_own_client(codex_config: AppServerConfig) -> None:
    assert run_job(codex_config, Job(prompts=["job parent"])).status == "completed"
    context = get_context("fork")
    results: Any = context.Queue()
    child = context.Process(target=in_child, args=(codex_config, results))
    child.start()
    result = results.get(timeout=PATIENCE)
    child.join(PATIENCE)
    assert (result.status, result.process) == ("completed", child.pid)
    assert run_job(codex_config, Job(prompts=["job parent again"])).status == "completed"


def test_json_that_is_no_result_is_refused() -> None:
    result = JobResult(job=Job(prompts=["a"]), status="completed", results=(RunResult("U", "completed"),))  # type: ignore[arg-type]  # as JSON has it
    values = result.to_dict()
    assert JobResult.from_dict(values).results[0].id == "U"
    for bad in ({}, {**values, "results": [3]}, {**values, "nope": 1}, {**values, "job": {}}, 3):
        with pytest.raises(ConfigError):
            JobResult.from_dict(bad)  # type: ignore[arg-type]  # on purpose


def test_an_output_whose_class_is_gone_stays_as_json() -> None:
    job = Job(prompts=["a"], output_type="tests.jobs.things:Gone")
    result = JobResult(job=job, status="completed", results=(RunResult("U", "completed", output={"number": 1}),))  # type: ignore[arg-type]  # as above
    assert JobResult.from_dict(result.to_dict()).output == {"number": 1}


def test_a_file_of_a_thread_without_a_line_is_one_without_a_turn(
    codex_home: QuietHome, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    thread_id = "01a21828-6467-7a40-9130-444cb249c3d3"
    directory = codex_home.path / "sessions" / "2026" / "11" / "26"
    directory.mkdir(parents=True)
    (directory / f"rollout-2026-11-26T14-00-30-{thread_id}.jsonl").touch()
    result = run_job(codex_config, Job(prompts=["job 0"]), thread_id=thread_id)
    assert (result.status, result.thread_id == thread_id) == ("completed", False)
    assert prompts_of(scripted_model) == {"job 0": 1}
