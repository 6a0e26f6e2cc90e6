"""The journal of a client: every frame in order, what happens to the runtime, and no secret."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    CodexError,
    ConfigError,
    Journal,
    LaunchError,
    TransportClosedError,
    TurnFailedError,
    TurnStalledError,
    tool,
)
from openai_codex._async.client._wait import ready
from openai_codex._journal.read import Envelope, headers, read
from openai_codex._protocol.methods import SCHEMA_HASH
from openai_codex.testing import FakeAppServer, Gate, ScriptedModel, call, fail, hang, reply, say
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import actor_of

SECRET = "s3cr3t-0f-th1s-t3st-4711"  # noqa: S105  planted


def methods(envelopes: list[Envelope], direction: str) -> list[str]:
    return [str(each.method) for each in envelopes if each.dir == direction and each.method]


def names_in(directory: Path) -> list[str]:
    return [each.name for each in directory.iterdir()]


def events(envelopes: list[Envelope]) -> list[str]:
    return [str(each.event) for each in envelopes if each.dir == "!"]


async def test_every_frame_is_in_the_journal_in_order(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    scripted_model.queue(say("The answer."))
    seen: list[str] = []
    async with AsyncCodex(attrs.evolve(codex_config, journal=path)) as codex:
        all_events = codex.events(timeout=PATIENCE)
        thread = await codex.thread_start()
        result = await thread.run("The question.")
        async for event in all_events:
            seen.append(event.method)
            if event.method == "turn/completed":
                break
    [header] = headers(path)
    assert (header.pid, header.schema, header.part, header.content) == (os.getpid(), SCHEMA_HASH, 0, "keep")
    # By their times: a busy program may note what it has sent after the answer to it.
    envelopes = sorted(read(path), key=lambda each: each.t)
    assert [each.header for each in envelopes if each.dir != "!" or each.gen] == [header] * (len(envelopes) - 1)
    sent, received = methods(envelopes, ">"), methods(envelopes, "<")
    assert sent[:2] == ["initialize", "initialized"]
    assert [name for name in sent if name in {"thread/start", "turn/start"}] == ["thread/start", "turn/start"]
    assert [name for name in received if name in set(seen)][-len(seen) :] == seen
    asked = [each.frame["id"] for each in envelopes if each.dir == ">" and "id" in each.frame]
    assert [each.frame["id"] for each in envelopes if each.dir == "<" and "result" in each.frame] == asked
    for request_id in asked:
        assert [each.dir for each in envelopes if each.frame.get("id") == request_id and each.dir != "!"][:2] == [
            ">",
            "<",
        ]
    ends = ["connection_closed", "process_exited", "client_closed"]
    assert events(envelopes) == ["process_started", "runtime_ready", "turn_completed", *ends]
    text = path.read_text()
    assert "The question." in text
    assert (result.final_response or "none") in text


async def test_each_turn_has_one_end_and_who_asked_for_it(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    scripted_model.queue(hang(), fail(400), hang(), hang())
    before = scripted_model.request_count
    async with AsyncCodex(attrs.evolve(codex_config, journal=path)) as codex:
        thread = await codex.thread_start()
        turns = [await thread.turn("one")]
        assert eventually(lambda: scripted_model.request_count > before)
        await turns[0].interrupt(timeout=PATIENCE)
        with pytest.raises(TurnFailedError):
            await thread.run("two", timeout=PATIENCE)
        with pytest.raises(TurnStalledError):
            await thread.run("three", stall_timeout=0.5)
        turns.append(await thread.turn("four"))
        os.kill(actor_of(codex).pid or 0, signal.SIGKILL)
        with pytest.raises(TransportClosedError):
            await turns[1].run(timeout=PATIENCE)
    found = [each.frame for each in read(path) if (each.event or "").startswith("turn_")]
    assert [each["event"] for each in found] == [
        "turn_interrupt_asked",
        "turn_interrupted",
        "turn_failed",
        "turn_interrupt_asked",
        "turn_abandoned",
        "turn_lost",
    ]
    asked, interrupted, failed, left, stalled, lost = found
    assert asked["turn_id"] == interrupted["turn_id"] == turns[0].id
    assert asked["by"] == left["by"] != ""
    assert (asked["reason"], left["reason"]) == ("interrupt", "TurnStalledError")
    assert failed["reason"]
    assert stalled["reason"] == "TurnStalledError"
    assert lost["turn_id"] == turns[1].id
    assert all(each["seconds"] >= 0 for each in (interrupted, failed, stalled, lost))


async def test_a_death_and_a_restart_are_in_the_journal(codex_config: AppServerConfig, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    async with AsyncCodex(attrs.evolve(codex_config, journal=path, restart=True)) as codex:
        actor = actor_of(codex)
        assert actor.pid is not None
        os.kill(actor.pid, signal.SIGKILL)
        assert await ready(actor.exited, PATIENCE)
        await codex.models()
    envelopes = list(read(path))
    [exited, _] = [each for each in envelopes if each.event == "process_exited"]
    assert (exited.gen, exited.pid, exited.frame["exit_code"], exited.frame["signal"]) == (1, actor.pid, -9, "SIGKILL")
    [restarted] = [each for each in envelopes if each.event == "runtime_restarted"]
    assert restarted.gen == 2
    assert {each.gen for each in envelopes if each.method == "initialize"} == {1, 2}


async def test_a_start_that_fails_is_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with pytest.raises(LaunchError):
        async with AsyncCodex(AppServerConfig(codex_bin="/bin/false", journal=path)):
            pass
    assert eventually(lambda: "start_failed" in events(list(read(path))))


async def test_no_secret_that_passes_is_in_a_journal_or_report(tmp_path: Path) -> None:
    secrets = {name: f"{SECRET}-{name}" for name in ("env", "key", "code", "url", "argument", "stderr", "answer")}
    reports: list[str] = []
    with FakeAppServer() as server:
        config = server.config(env={"SERVICE_TOKEN": secrets["env"]}, journal=tmp_path / "run.jsonl")
        async with AsyncCodex(config) as codex:
            server.on("account/login/start", {"type": "apiKey"})
            await codex.login_api_key(secrets["key"])
            url = f"https://auth.example/authorize?state={secrets['url']}"
            server.on("account/login/start", {"type": "chatgpt", "loginId": "l", "authUrl": url})
            await codex.login_chatgpt()
            code: dict[str, Any] = {
                "verificationUrl": f"https://auth.example/{secrets['url']}",
                "userCode": secrets["code"],
            }
            server.on("account/login/start", {"type": "chatgptDeviceCode", "loginId": "m", **code})
            await codex.login_chatgpt_device_code()
            thread = await codex.thread_start()
            turn = await thread.turn("go")
            arguments = {"access_token": secrets["argument"], "header": f"Bearer {secrets['argument']}"}
            server.turn.ask("item/tool/call", callId="c", tool="fetch", arguments=arguments, namespace=None)
            server.turn.delta(f"the token is {secrets['argument']}, the key {secrets['key']}")
            server.child.write_stderr(f"panicked at {secrets['env']}\n".encode())
            server.turn.fail(f"no access for {secrets['key']}")
            with pytest.raises(TurnFailedError) as failed:
                await turn.run(timeout=PATIENCE)
            server.child.exit(3)
            assert await ready(actor_of(codex).exited, PATIENCE)
            with pytest.raises(TransportClosedError) as closed:
                await codex.request(ModelListParams(), timeout=PATIENCE)
            reports += [error.report() for error in (failed.value, closed.value)]
    text = (tmp_path / "run.jsonl").read_text()
    for secret in secrets.values():
        assert secret not in text
        assert [report for report in reports if secret in report] == []
    assert "fetch" in text
    # A piece of a text that could be the start of a secret is written with the next one.
    streamed = [each for each in read(tmp_path / "run.jsonl") if each.method == "item/agentMessage/delta"]
    assert "".join(each.frame["params"]["delta"] for each in streamed) == "the token is ***, the key ***"
    assert "panicked at ***" in text
    assert "the token is ***" in reports[0]
    assert "panicked at ***" in reports[1]


async def test_a_token_in_a_tools_argument_is_in_no_journal(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    path, got = tmp_path / "run.jsonl", []

    @tool
    def fetch(api_token: str, page: str) -> str:
        """Fetch a page."""
        got.append(api_token)
        return f"{page} fetched with {api_token}"

    scripted_model.queue(reply(call("fetch", {"api_token": SECRET, "page": "page-one"})), say("Done."))
    async with AsyncCodex(attrs.evolve(codex_config, journal=path)) as codex:
        thread = await codex.thread_start(tools=[fetch])
        await thread.run("go")
    assert got == [SECRET]
    text = path.read_text()
    assert SECRET not in text
    assert "page-one fetched with ***" in text


@pytest.mark.parametrize("content", ["hash", "cut"])
async def test_contents_can_be_hashed_or_cut(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path, content: Any
) -> None:
    path = tmp_path / "run.jsonl"
    question, answer = f"{'question ' * 8}end-of-question", f"{'answer ' * 8}end-of-answer"
    scripted_model.queue(say(answer))
    journal = Journal(path, content=content, redact=["modelProvider"])
    async with AsyncCodex(attrs.evolve(codex_config, journal=journal)) as codex:
        thread = await codex.thread_start()
        assert (await thread.run(question)).final_response == answer
    text = path.read_text()
    assert "end-of-question" not in text
    assert "end-of-answer" not in text
    assert thread.id in text
    assert '"modelProvider":"***"' in text
    [header] = headers(path)
    assert (header.content, header.redact) == (content, ("modelProvider",))
    [sent] = [each.frame for each in read(path) if each.method == "turn/start"]
    shown = sent["params"]["input"][0]["text"]
    assert shown.startswith("hash:" if content == "hash" else question[:32])
    # The runtime repeats the prompt as an item.
    assert text.count(shown) > 1


async def test_the_variable_names_the_journal_and_the_argument_is_stronger(
    codex_config: AppServerConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_CODEX_JOURNAL", str(tmp_path / "directory") + os.sep)
    async with AsyncCodex(attrs.evolve(codex_config)) as codex:
        await codex.models()
    [file] = names_in(tmp_path / "directory")
    assert events(list(read(tmp_path / "directory")))[-1] == "client_closed"
    async with AsyncCodex(attrs.evolve(codex_config, journal=tmp_path / "own.jsonl")) as codex:
        await codex.models()
    assert names_in(tmp_path / "directory") == [file]
    assert events(list(read(tmp_path / "own.jsonl")))[-1] == "client_closed"


async def test_a_journal_that_cannot_be_written_is_refused_at_the_start(
    codex_config: AppServerConfig, tmp_path: Path
) -> None:
    config = attrs.evolve(codex_config, journal=tmp_path / "missing" / "run.jsonl")
    with pytest.raises(ConfigError, match=r"journal: .*run\.jsonl cannot be written: No such file"):
        async with AsyncCodex(config):
            pass


async def test_the_variable_may_name_the_home_and_errors_name_the_variable(
    codex_config: AppServerConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OPENAI_CODEX_JOURNAL", "~/run.jsonl")
    async with AsyncCodex(attrs.evolve(codex_config)) as codex:
        await codex.models()
    assert events(list(read(tmp_path / "run.jsonl")))[-1] == "client_closed"
    monkeypatch.setenv("OPENAI_CODEX_JOURNAL", "~/missing/run.jsonl")
    with pytest.raises(ConfigError, match=r"run\.jsonl cannot be written: No such file") as caught:
        async with AsyncCodex(attrs.evolve(codex_config)):
            pass
    assert caught.value.what == "OPENAI_CODEX_JOURNAL"
    monkeypatch.setenv("OPENAI_CODEX_JOURNAL", "~/other.jsonl")
    config = attrs.evolve(codex_config, journal=tmp_path / "missing" / "run.jsonl")
    with pytest.raises(ConfigError, match=r"^journal: "):
        async with AsyncCodex(config):
            pass


@pytest.mark.parametrize("variable", ["OPENAI_CODEX_JOURNAL", "OPENAI_CODEX_BIN"])
@pytest.mark.parametrize("value", [" ", "\t", "~nobody-of-this-name/run", "run\udcff"])
async def test_a_variable_that_names_no_path_is_refused_by_its_name(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        AppServerConfig()
    assert caught.value.what == variable
    monkeypatch.setenv(variable, "")  # as if it was not set
    assert AppServerConfig().journal is None


async def test_the_variable_of_the_binary_may_name_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OPENAI_CODEX_BIN", "~/bin/codex")
    assert AppServerConfig().codex_bin == str(tmp_path / "bin" / "codex")


async def test_clients_in_one_directory_have_a_file_each(codex_config: AppServerConfig, tmp_path: Path) -> None:
    config = attrs.evolve(codex_config, journal=tmp_path)
    async with AsyncCodex(config) as first, AsyncCodex(config) as second:
        await first.models()
        await second.models()
    assert len(names_in(tmp_path)) == 2
    clients = {header.client for header in headers(tmp_path)}
    assert len(clients) == 2
    closed = [each.header.client for each in read(tmp_path) if each.event == "client_closed" and each.header]
    assert set(closed) == clients


async def test_an_error_reports_the_frames_of_its_turn_alone(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(say("Of another turn."))
    async with AsyncCodex(codex_config) as codex:
        other = await codex.thread_start()
        await other.run("Another question.")
        scripted_model.queue(say("The answer.", gate=Gate()))
        thread = await codex.thread_start()
        turn = await thread.turn("The question.")
        with pytest.raises(CodexError) as caught:
            await turn.run(timeout=0.2)
    report = caught.value.report()
    assert turn.id in report
    assert "The question." in report
    assert "Another question." not in report
    assert report.startswith("# Report of a TurnTimeoutError\n")
    assert "The question." not in caught.value.report("hash")
    with pytest.raises(ConfigError, match=r"^content: "):
        caught.value.report("none")  # type: ignore[arg-type]  # on purpose
