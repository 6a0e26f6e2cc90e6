"""Every example runs as it stands, on the real runtime with the scripted model behind it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from openai_codex.testing import (
    QuietHome,
    RecordedRequest,
    ScriptedModel,
    call,
    fail_stream,
    hang,
    message,
    reply,
    temporary_home,
)
from tests.support.bounds import PATIENCE, eventually
from tests.support.remote import TOKEN, listening

EXAMPLES = Path(__file__).parents[2] / "examples"
NUMBERED = sorted(EXAMPLES.glob("[0-9]*.py"))
# A web server defines an application, and does nothing by itself.
SCRIPTED = [path for path in NUMBERED if path.stem != "23_web_server"]
REPORT = {"summary": "all fine", "findings": [{"file": "a.py", "line": 3, "advice": "less"}]}


def tell_outputs(request: RecordedRequest) -> str:
    """Say what the tools have answered."""
    return "\n".join(map(str, request.function_outputs.values()))


def repeat_first(request: RecordedRequest) -> str:
    """Say what the user said first in the thread: its history has come back."""
    first = next(text for text in request.user_texts if not text.startswith("<"))  # the runtime's own are in tags
    return f"First: {first}"


ESCALATED = {"sandbox_permissions": "require_escalated", "justification": "as you asked:"}
COMMANDS = [reply(call("exec_command", {"cmd": line, **ESCALATED})) for line in ("touch made", "rm other")]
LISTED = [reply(call("exec_command", {"cmd": line, **ESCALATED})) for line in ("git --version", "rm other")]
ORDERS = [
    call("stock", {"fruit": "pear"}),
    call("order", {"fruit": "pear", "amount": 1000}),
    call("order", {"fruit": "pear"}),
]

# What the model has to say for an example, what is typed in, and what the example has to print.
SCRIPTS = {
    "01_quickstart": [("What is in this directory?", "Nothing at all.")],
    "02_streaming_text": [("Tell me a short story.", "Once upon a time.")],
    "03_concurrent_turns": [(re.compile("squared"), "a square")],
    "04_steer_and_interrupt": [("Now a very long one.", hang())],
    "05_resume_and_fork": [("Which number was it?", "It was 7."), ("Double it.", "That is 14.")],
    "06_images": [(lambda request: "Are these two the same?" in request.user_texts, "They are.")],
    "07_structured_output": [("Review this directory.", json.dumps(REPORT))],
    "08_errors_and_retry": [("Fix the tests.", fail_stream("server_is_overloaded"), "Fixed.")],
    "10_approvals": [(re.compile("Make a file"), *COMMANDS, tell_outputs)],
    "11_tools": [(re.compile("out of something"), reply(*ORDERS), tell_outputs)],
    "12_supervised_worker": [("Write the report.", "All is tidy.")],
    "13_allow_list": [(re.compile("Which version of git"), *LISTED, tell_outputs)],
    "16_chat_per_user": [("Who am I?", repeat_first), ("And I?", repeat_first)],
    "17_pool": [(re.compile("Review server"), "No findings."), (re.compile("Review parser"), "Too long.")],
    "18_dask": [(re.compile("Review server"), "No findings."), (re.compile("Review parser"), "Too long.")],
    "19_remote": [("Remember the number 7.", "Remembered."), ("Which number was it?", repeat_first)],
    "20_journal_and_replay": [("Say hello.", "Hello.")],
}
TYPED = {"10_approvals": "y\nn\n"}
PRINTED = {
    "01_quickstart": ["Nothing at all.", "AgentMessageThreadItem", "tokens: 15"],
    "02_streaming_text": ["Once upon a time.", "[AgentMessageThreadItem] ok", "completed"],
    "03_concurrent_turns": ["What is 9 squared? → a square"],
    "04_steer_and_interrupt": ["interrupted"],
    "05_resume_and_fork": ["It was 7.", "That is 14.", "completed"],
    "06_images": ["They are."],
    "07_structured_output": ["all fine", "a.py:3: less"],
    "08_errors_and_retry": ["completed Fixed."],
    "09_login": ["account: ApiKeyAccount"],
    "10_approvals": ["as you asked:", "touch made", "exited with code 0", "rm other", "rejected by user"],
    "12_supervised_worker": ["exited: 1", "started: 2", "All is tidy.", "1 restart(s), 1 thread(s)"],
    "11_tools": ['{"pear":0}', "at most 100 at a time", "10 on their way", "{'apple': 12, 'pear': 10}"],
    "13_allow_list": ["completed 0", "git --version", "declined", "rm other", "rejected by user"],
    "14_json_logs": ['"logger": "example", "message": "the program', '"event": "codex.turn_completed"'],
    "15_health_endpoint": ["200 running 0 restarts"],
    "16_chat_per_user": ["{'ann': 'ok', 'bob': 'ok'}", "{'ann': 'First: I am Ann.', 'bob': 'First: I am Bob.'}"],
    "17_pool": ["parser completed Too long.", "server completed No findings.", "known: ['parser', 'writer', 'server']"],
    "18_dask": ["parser completed Too long.\nwriter completed ok\nserver completed No findings.\n"],
    "19_remote": ["Remembered.", "First: Remember the number 7."],
    "20_journal_and_replay": ["recorded: Hello.\nreplayed: Hello.\n"],
    "21_tracing": ["invoke_agent codex, below request: 10 input tokens", "request, below nothing: None"],
    "22_testing_your_app": ["2 passed"],
}


def run(path: Path, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=cwd,
        env={**os.environ, **env},
        input=TYPED.get(path.stem, ""),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@contextmanager
def served(example: str, home: QuietHome) -> Iterator[HTTPConnection]:
    """Serve the application of an example on a free port, and stop the server as its operator would."""
    options = ("--app-dir", str(EXAMPLES), "--no-access-log", "--port", "0")
    command = [sys.executable, "-m", "uvicorn", *options, f"{example}:app"]
    env = {**os.environ, **home.env, "PYTHONDONTWRITEBYTECODE": "1"}
    server = subprocess.Popen(command, cwd=home.workspace, env=env, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        address = next(found for line in server.stderr if (found := re.search(r"http://127.0.0.1:(\d+)", line)))
        connection = HTTPConnection("127.0.0.1", int(address[1]), timeout=PATIENCE)
        with closing(connection):
            yield connection
        server.terminate()
        assert server.wait(PATIENCE) == -signal.SIGTERM, "it raises the signal again after a clean stop"
    finally:
        server.kill()
        server.communicate()


def test_a_web_server_streams_the_text_of_a_turn() -> None:
    with ScriptedModel() as model, temporary_home(model.url) as home, served("23_web_server", home) as connection:
        model.when("well?", "You said: well?")
        connection.request("GET", "/ask?question=well%3F")
        *events, end, nothing = connection.getresponse().read().decode().split("\n\n")
    assert "".join(json.loads(event.removeprefix("data: ")) for event in events) == "You said: well?"
    assert (end, nothing) == ("event: done\ndata: completed", "")


def test_a_reader_who_leaves_a_web_server_ends_the_turn() -> None:
    with ScriptedModel() as model, temporary_home(model.url) as home, served("23_web_server", home) as connection:
        model.when("A story", reply(message("Once"), call("exec_command", {"cmd": "true"})), hang())
        connection.request("GET", "/ask?question=A%20story")
        with connection.getresponse() as response:
            assert response.readline() == b'data: "Once"\n'
            assert eventually(lambda: model.active_count == 1 and len(model.requests) == 2)
            connection.close()
        assert eventually(lambda: model.active_count == 0)


@pytest.mark.parametrize("path", SCRIPTED, ids=lambda path: path.stem)
def test_an_example_runs(path: Path) -> None:
    with ScriptedModel() as model, temporary_home(model.url, provider={"requires_openai_auth": True}) as home:
        for asked, *answers in SCRIPTS.get(path.stem, []):
            model.when(asked, *answers)
        env = {**home.env, "EXAMPLE_API_KEY": "sk-example", "PYTHONDONTWRITEBYTECODE": "1"}
        with ExitStack() as stack:
            if path.stem == "19_remote":
                endpoint = stack.enter_context(listening(home.config()))
                env |= {"CODEX_ENDPOINT": endpoint, "CODEX_TOKEN": TOKEN}
            printed = run(path, home.workspace, env)
    assert [text for text in PRINTED[path.stem] if text not in printed] == []


def test_a_login_that_is_not_finished_is_cancelled() -> None:
    with ScriptedModel() as model, temporary_home(model.url, provider={"requires_openai_auth": True}) as home:
        printed = run(EXAMPLES / "09_login.py", home.workspace, {**home.env, "EXAMPLE_PATIENCE": "0.2"})
    assert "giving up: canceled" in printed
    assert "account: None" in printed


def test_the_demo_does_the_main_job_offline(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "CODEX_HOME": str(tmp_path / "none"), "CODEX_API_KEY": ""}
    printed = run(EXAMPLES / "demo.py", EXAMPLES.parent, env)
    assert "No Codex login found" in printed
    assert "final response: Hello from the real Codex runtime" in printed
    assert "tokens: 15" in printed


def test_examples_are_short_and_numbered_through() -> None:
    assert [path.stem[:2] for path in NUMBERED] == [f"{number:02}" for number in range(1, len(NUMBERED) + 1)]
    assert {
        path.name: n for path in [*NUMBERED, EXAMPLES / "demo.py"] if (n := len(path.read_text().splitlines())) >= 40
    } == {}
    assert {path.stem for path in SCRIPTED} == set(PRINTED)
