"""Each recipe runs in the library that it is for, on the real runtime with a scripted model. See `make recipes`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, Codex, Job, JobResult
from openai_codex.testing import OfflineKit, RecordedRequest, hang, message, offline, reply

sys.path.insert(0, str(Path(__file__).parent))

PATIENCE = 60.0

SHORT = tempfile.gettempdir()
"""A short path, for sockets; before the kit has it changed."""


def answer(request: RecordedRequest) -> Any:
    """Repeat what was said last."""
    return reply(message(f"You said: {request.user_texts[-1]}"))


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OfflineKit]:
    with offline(answer, parent=tmp_path) as kit:
        for name, value in kit.home.env.items():
            monkeypatch.setenv(name, value)
        yield kit


def test_celery(kit: OfflineKit, monkeypatch: pytest.MonkeyPatch) -> None:
    import celery_task
    from celery.contrib.testing.worker import start_worker

    # With the home of this test in it: `run_job` keeps a client for each configuration, also beyond a test.
    monkeypatch.setattr(celery_task, "CONFIG", kit.home.config(restart=True))
    with start_worker(celery_task.app, pool="threads", concurrency=2, perform_ping_check=False):
        tasks = [celery_task.submit(f"number {number}", str(kit.home.workspace)) for number in range(4)]
        results = [JobResult.from_dict(task.get(timeout=PATIENCE)) for task in tasks]
    assert [result.final_response for result in results] == [f"You said: number {number}" for number in range(4)]


def test_prefect(kit: OfflineKit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    import prefect_flow
    from prefect.testing.utilities import prefect_test_harness

    monkeypatch.setattr(prefect_flow, "CONFIG", kit.home.config(restart=True))  # see above
    with prefect_test_harness(server_startup_timeout=int(2 * PATIENCE)):
        said = prefect_flow.review([str(kit.home.workspace)] * 3)
    assert said == ["You said: Review this directory."] * 3


def test_ray(kit: OfflineKit, tmp_path: Path) -> None:
    import ray
    import ray_actor

    variables = {**kit.home.env, "PYTHONPATH": sys.path[0]}
    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": variables}, _temp_dir=SHORT)
    try:
        jobs = [Job(prompts=[f"number {number}"], cwd=str(kit.home.workspace)) for number in range(4)]
        results = list(ray_actor.carry_out_all(jobs))
    finally:
        ray.shutdown()
    assert [result.final_response for result in results] == [f"You said: number {number}" for number in range(4)]
    assert len({result.process for result in results}) == 2


def test_temporal(kit: OfflineKit) -> None:
    import temporal_activity
    from temporalio.testing import ActivityEnvironment

    beats: list[Any] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)

    async def attempts() -> tuple[Any, Any]:
        async with temporal_activity.codex:
            first = await environment.run(temporal_activity.ask, "one")
            environment.info = environment.default_info()
            object.__setattr__(environment.info, "heartbeat_details", beats[-1])
            return first, await environment.run(temporal_activity.ask, "two")

    assert asyncio.run(attempts()) == ("You said: one", "You said: Go on. You were asked: two")
    assert len(beats) > 4
    assert len(set(beats)) == 1, "both attempts used one thread"


def test_a_cancelled_temporal_activity_interrupts_its_turn(kit: OfflineKit) -> None:
    import temporal_activity
    from temporalio.testing import ActivityEnvironment

    kit.model.when("wait", hang())
    environment = ActivityEnvironment()

    async def cancelled() -> None:
        async with temporal_activity.AsyncCodex() as temporal_activity.codex:
            task = asyncio.ensure_future(environment.run(temporal_activity.ask, "wait"))
            while not kit.model.active_count:
                await asyncio.sleep(0.01)
            environment.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, PATIENCE)
            while kit.model.active_count:
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(cancelled(), PATIENCE))


def test_chat(kit: OfflineKit, tmp_path: Path) -> None:
    from chat_per_user import Chats

    for _ in range(2):  # the program is started again
        with Codex(AppServerConfig()) as codex, ThreadPoolExecutor(4) as pool:
            chats = Chats(codex, tmp_path / "chats.db")
            users = ["ann", "bob"] * 2
            said = list(pool.map(chats.say, users, ["hello"] * 4))
            assert said == ["You said: hello"] * 4
    last = kit.model.requests[-1]
    assert last.user_texts.count("hello") == 4, "both programs continued one thread of each user"
