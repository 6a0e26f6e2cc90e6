"""The command `run` without a terminal: on the real runtime, with the scripted model behind it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openai_codex.testing import QuietHome, ScriptedModel, call, fail_stream, hang, message, reply, spawn, wait
from tests.support.bounds import PATIENCE
from tests.support.cli import PROGRAM, ended, variables

ESCALATED = {"sandbox_permissions": "require_escalated", "justification": "as you asked"}
FORGED = "All \x1b]0;title\x07done\x1b[2J ß ok."


def command(line: str, **more: str) -> Any:
    return call("exec_command", {"cmd": line, **more})


def lines_of(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_the_answer_goes_to_stdout_and_progress_to_stderr(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    work = command("sleep 0.3; echo it happened; exit 3")
    scripted_model.queue(reply(message("I will look."), work), "The answer.")
    done = ended(codex_home, "run", "Go")
    assert (done.code, done.out) == (0, "The answer.\n")
    expected = [
        "I will look.",
        "$ /bin/bash -lc 'sleep 0.3",
        "  it happened",
        "exit code 3",
        "completed in",
        "30 tokens",
    ]
    assert [text for text in expected if text not in done.errors] == []
    assert "The answer." not in done.errors


def test_no_control_character_of_the_runtime_is_among_the_progress(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(reply(message(FORGED), command("echo \x1b[31mred; false")), FORGED)
    done = ended(codex_home, "run", "Go")
    assert done.out == f"{FORGED}\n"  # no terminal: exactly the answer
    assert "\x1b" not in done.errors
    assert "\x07" not in done.errors
    assert r"All \x1b]0;title\x07done\x1b[2J ß ok." in done.errors


def test_an_answer_that_the_encoding_does_not_have(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue("5 €")
    assert ended(codex_home, "run", "Go", PYTHONIOENCODING="ascii").out == "5 \\u20ac\n"


def test_the_prompt_comes_from_stdin(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    assert ended(codex_home, "run", "-", typed="What is\nthis?\n").out == "ok\n"
    assert scripted_model.requests[0].last_user_text == "What is\nthis?\n"


def test_options_reach_the_runtime(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    schema = {"type": "object", "properties": {"fine": {"type": "boolean"}}, "required": ["fine"]}
    file, inner = codex_home.workspace / "schema.json", codex_home.workspace / "inner"
    file.write_text(json.dumps(schema))
    inner.mkdir()
    scripted_model.queue('{"fine": true}')
    options = ["--model", "gpt-5.5", "--sandbox", "read-only", "--cwd", str(inner), "--output-schema", str(file)]
    done = ended(codex_home, "run", "Go", *options, "-c", 'developer_instructions="Be kind."', "--json")
    *events, last = lines_of(done.out)
    assert done.code == 0
    assert last["result"]["final_response"] == '{"fine": true}'
    assert "turn/completed" in [each["event"] for each in events]
    request = scripted_model.requests[0].json
    assert request["model"] == "gpt-5.5"
    assert request["text"]["format"]["schema"]["properties"] == schema["properties"]
    assert "Be kind." in json.dumps(request)
    assert str(inner) in json.dumps(request)
    assert "read-only" in json.dumps(request)


@pytest.mark.parametrize("mode", ["ask", "never", "all"])
def test_without_a_terminal_nothing_is_accepted_by_default(
    codex_home: QuietHome, scripted_model: ScriptedModel, mode: str
) -> None:
    scripted_model.queue(reply(command("touch made", **ESCALATED)), "Over.")
    done = ended(codex_home, "run", "Go", "--approve", mode, typed="y\n")
    assert (done.code, done.out) == (0, "Over.\n")
    assert (codex_home.workspace / "made").exists() == (mode == "all")
    said = {"ask": "declined (there is no terminal", "never": "declined (--approve never)", "all": "accepted (--appr"}
    assert said[mode] in done.errors
    assert "as you asked" in done.errors


def test_json_has_one_line_per_event_and_the_result_last(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(FORGED)
    done = ended(codex_home, "run", "Go", "--json")
    *events, last = lines_of(done.out)
    assert done.out.isascii()
    assert {frozenset(each) for each in events} == {frozenset({"event", "params"})}
    assert events[-1]["event"] == "turn/completed"
    assert last["result"]["status"] == "completed"
    assert last["result"]["final_response"] == FORGED


def test_json_of_a_failure_ends_with_the_error_and_what_was_done(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(fail_stream("invalid_prompt", "not like this"))
    done = ended(codex_home, "run", "Go", "--json")
    *_, last = lines_of(done.out)
    assert done.code == 1
    assert last["error"]["type"] == "TurnFailedError"
    assert last["error"]["result"]["status"] == "failed"
    assert "not like this" in last["error"]["message"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--codex-bin", "/no/such/codex"], "codex runtime did not start: /no/such/codex"),
        (["-c", 'approval_policy="untrusted"'], 'approval_policy = "untrusted" is no longer supported'),
        (["--timeout", "0.5"], "timed out: its end did not come within 0.5 s"),
        (["--stall-timeout", "0.5"], "made no progress for 0.5 s"),
    ],
    ids=str,
)
def test_an_error_is_one_sentence_and_exit_code_1(
    codex_home: QuietHome, scripted_model: ScriptedModel, options: list[str], said: str
) -> None:
    scripted_model.queue(hang())
    done = ended(codex_home, "run", "Go", *options)
    assert (done.code, done.out) == (1, "")
    ours = [line for line in done.errors.splitlines() if not line.startswith("warning: ")]
    assert len(ours) == 1
    assert ours[0].startswith("openai-codex: ")
    assert said in ours[0]


def test_debug_adds_the_log_and_the_whole_error(codex_home: QuietHome) -> None:
    done = ended(codex_home, "run", "Go", "-c", 'approval_policy="untrusted"', "--debug")
    assert done.code == 1
    assert "codex.process_started" in done.errors
    assert "\n  stderr: " in done.errors


def test_ctrl_c_interrupts_the_turn(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(hang())
    pipe = subprocess.PIPE
    arguments = [*PROGRAM, "run", "Go", "--json"]
    with subprocess.Popen(
        arguments, env=variables(codex_home), cwd=codex_home.workspace, stdout=pipe, stderr=pipe, text=True
    ) as process:
        scripted_model.wait_for_requests(1, PATIENCE)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.endswith("interrupted\n")
    assert "Traceback" not in errors
    assert lines_of(out)[-1]["error"]["message"] == "interrupted"
    scripted_model.wait_idle(PATIENCE)
    assert scripted_model.abandoned_count == 1


@pytest.mark.parametrize("option", ["--json", "--plain"])
def test_a_reader_that_leaves_ends_the_turn_quietly(
    codex_home: QuietHome, scripted_model: ScriptedModel, option: str
) -> None:
    gate = scripted_model.gate()
    scripted_model.queue(reply(message("a " * 1000), gate=gate))
    read, write = os.pipe()
    with subprocess.Popen(
        [*PROGRAM, "run", "Go", option],
        env=variables(codex_home),
        cwd=codex_home.workspace,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        gate.wait_reached(PATIENCE)
        os.close(write)
        os.close(read)
        gate.open()
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 141
    assert "Broken" not in errors
    assert "Traceback" not in errors
    scripted_model.wait_idle(PATIENCE)


def test_a_program_without_standard_streams(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    program = " ".join(f"'{part}'" for part in [*PROGRAM, "run", "Go"])
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {program} <&- >&- 2>&-"],
        env=variables(codex_home),
        cwd=Path(codex_home.workspace),
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    assert scripted_model.request_count == 1


def test_a_full_disk_is_one_sentence(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "run", "Go", "--json"],
            env=variables(codex_home),
            cwd=codex_home.workspace,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.endswith("openai-codex: the output cannot be written: No space left on device\n")
    assert "Traceback" not in done.stderr
    scripted_model.wait_idle(PATIENCE)


def test_a_prompt_that_is_no_text(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    done = subprocess.run(
        [*PROGRAM, "run", "-"],
        env=variables(codex_home),
        cwd=codex_home.workspace,
        input=b"na\xefve",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"ok\n")
    assert scripted_model.requests[0].last_user_text == "na\ufffdve"


def test_the_work_of_sub_agents_is_shown_as_theirs(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    work = reply(message("I count."), command("sleep 0.3; echo 3; exit 4"))
    scripted_model.when_agent(spawn("Count the files"), wait(), "It counted.", depth=0)
    scripted_model.when_agent(work, "3 files", depth=1)
    done = ended(codex_home, "run", "Go")
    assert (done.code, done.out) == (0, "It counted.\n")
    expected = [
        "sub-agent, spawnAgent: Count the files",
        "[sub-agent] I count.",
        "[sub-agent] $ /bin/bash",
        "[sub-agent]   3",
    ]
    assert [text for text in expected if text not in done.errors] == []


def test_a_working_directory_that_is_gone(codex_home: QuietHome) -> None:
    gone = codex_home.workspace / "gone"
    gone.mkdir()
    # The script, not `python -c`: some versions of Python cannot import from a directory that is gone.
    script = Path(sys.executable).parent / "openai-codex"
    done = subprocess.run(
        ["/bin/sh", "-c", f"rmdir '{gone}'; exec '{script}' run Go"],
        env=variables(codex_home),
        cwd=gone,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "openai-codex: codex runtime did not start: the working directory of this program does not exist any more; pass cwd=…\n"
    )


def test_an_empty_prompt_on_stdin_starts_no_runtime(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    done = ended(codex_home, "run", "-", "--codex-bin", "/no/such", typed=" \n")
    assert (done.code, done.errors) == (1, "openai-codex: prompt: stdin is empty\n")
    assert scripted_model.request_count == 0
