# Derived from tests/faces_async/client/test_launch_planted.py by `python -m tools.unasync`; do not edit.
"""Secrets of each kind pass through a client and the real runtime, and are in no text that either leaves anywhere."""

from __future__ import annotations

import logging
import traceback
import urllib.parse
from pathlib import Path

import attrs
import pytest

from openai_codex import Codex, CodexError, JsonRpcError, TurnFailedError, tool
from openai_codex.testing import ScriptedModel, call, fail, reply, say, temporary_home
from openai_codex.types import CommandExecParams
from tests.support.bounds import PATIENCE, PROC, eventually
from tests.support.inside import actor_of
from tests.support.issuer import ANSWERS, login_service


def planted(kind: str) -> str:
    return f"pl4nt3d-{kind}-0123456789abcdef"


def family(pid: int) -> list[int]:
    """Return a process and its descendants, as far as they are there."""
    found = [pid]
    for each in found:
        for children in PROC.glob(f"{each}/task/*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def process_list(pid: int) -> str:
    """Return what everybody on the machine can read of them."""
    lines: list[str] = []
    for each in family(pid):
        try:
            lines.append((PROC / str(each) / "cmdline").read_text(errors="replace").replace("\0", " "))
        except OSError:
            continue
    return "\n".join(lines)


def log_in(codex: Codex, secrets: dict[str, str]) -> list[object]:
    """Log in in each way, and note what is secret in it. Returns the handles."""
    browser = codex.login_chatgpt()
    secrets["login url"] = browser.auth_url
    secrets["state"] = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.auth_url).query)["state"][0]
    browser.cancel()
    device = codex.login_chatgpt_device_code()
    assert device.user_code == secrets["device code"]
    device.cancel()
    codex.login_api_key(secrets["key"])
    return [browser, device]


def left_by(errors: list[CodexError], journal: Path, caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Return the texts that are left when a client is closed."""
    return {
        "exception": "\n".join("".join(traceback.format_exception(each)) for each in errors),
        "report": "\n".join(each.report() for each in errors),
        "journal": journal.read_text(),
        "log": "\n".join(f"{each.getMessage()} {vars(each).get('codex')}" for each in caplog.records),
    }


def test_planted_secrets_appear_nowhere(
    scripted_model: ScriptedModel, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {kind: planted(kind) for kind in ("key", "bearer", "env", "argument")} | {"device code": "PL4N-T3D9"}
    code = {**ANSWERS["/api/accounts/deviceauth/usercode"], "user_code": secrets["device code"]}
    monkeypatch.setitem(ANSWERS, "/api/accounts/deviceauth/usercode", code)
    got: list[str] = []
    places: dict[str, str] = {}
    flag = tmp_path / "flag"

    @tool
    def fetch(api_token: str) -> str:
        """Fetch a page."""
        got.append(api_token)
        return f"fetched with {api_token}"

    said = "I have read {key}, {bearer}, {env} and {argument}.".format(**secrets)
    command = f'echo "$SERVICE_TOKEN"; touch "{flag}.begun"; until [ -e "{flag}" ]; do sleep 0.05; done; echo {secrets["env"][:8]}'
    path = tmp_path / "run.jsonl"
    with (
        login_service() as issuer,
        temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home,
        caplog.at_level(logging.DEBUG, "openai_codex"),
    ):
        base = home.config(config_overrides=(f'chatgpt_base_url="{issuer.url}/backend-api"',))
        env = {**(base.env or {}), **issuer.env, "SERVICE_TOKEN": secrets["env"]}
        config = attrs.evolve(base, env=env, journal=path)
        with Codex(config) as codex:
            shown = [config, codex, *log_in(codex, secrets)]
            headers = {"Authorization": f"Bearer {secrets['bearer']}"}
            docs = {"url": "http://127.0.0.1:9/mcp", "http_headers": headers, "startup_timeout_sec": 1}
            thread = codex.thread_start(
                tools=[fetch],
                config={"mcp_servers": {"docs": docs}},
                approval_policy="never",
                sandbox="danger-full-access",
            )
            scripted_model.queue(
                reply(call("fetch", {"api_token": secrets["argument"]})),
                reply(call("exec_command", {"cmd": command})),
                say(said),
                fail(400, "no access for {key}, {bearer} and {env}".format(**secrets)),
            )
            turn = thread.turn("go")
            assert eventually(Path(f"{flag}.begun").exists)
            pid = actor_of(codex).pid
            assert pid is not None
            places["process list"] = process_list(pid)
            flag.touch()
            result = turn.run(timeout=PATIENCE)
            assert result.final_response == said
            with pytest.raises(TurnFailedError) as failed:
                thread.run("fail", timeout=PATIENCE)
            params = CommandExecParams(command=[], env={"API_TOKEN": secrets["env"]})
            with pytest.raises(JsonRpcError) as refused:
                codex.request(params, timeout=PATIENCE)
            shown += [thread, turn, codex.health(), failed.value, refused.value]
            places["repr"] = "\n".join(map(repr, shown))
        with pytest.raises(CodexError) as closed:
            codex.models()
    places |= left_by([each.value for each in (failed, refused, closed)], path, caplog)
    # They have passed, and each place has something to show.
    assert got == [secrets["argument"]]
    assert scripted_model.requests[-1].headers["authorization"] == f"Bearer {secrets['key']}"
    assert said in str(scripted_model.requests[-1].body)
    assert "app-server" in places["process list"]
    assert "sleep" in places["process list"]
    assert "no access for ***, *** and ***" in places["exception"]
    assert "no access for ***, *** and ***" in places["log"]
    for place in ("journal", "report"):
        assert "I have read ***" in places[place], place
    assert all(places.values())
    assert [(kind, place) for kind, secret in secrets.items() for place, text in places.items() if secret in text] == []
