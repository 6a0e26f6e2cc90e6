"""The command `run` on a pseudo-terminal: the display, and the questions."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex.testing import QuietHome, ScriptedModel, call, hang, message, reply
from tests.support.bounds import PATIENCE
from tests.support.cli import terminal

ESCALATED = {"sandbox_permissions": "require_escalated", "justification": "as you asked"}
PATCH = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch\nEOF"


def command(line: str, **more: str) -> Any:
    return call("exec_command", {"cmd": line, **more})


def test_text_commands_changes_tokens_and_time_are_shown(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.queue(
        reply(message("I will look. [bold]"), command("sleep 0.3; echo it happened; exit 3")),
        reply(command(PATCH)),
        reply(message("The \x1b]0;title\x07answer."), gate=gate),
    )
    with terminal(codex_home, "run", "Go", "--approve", "all") as screen:
        gate.wait_reached(PATIENCE)
        screen.wait_for("Ctrl-C interrupts")
        screen.wait_for("30 tokens")
        gate.open()
        assert screen.end() == 0
        expected = ["I will look. [bold]", "$ /bin/bash -lc", "it happened", "exit code 3", "+hello", "completed in"]
        screen.wait_for("completed in")
        assert [text for text in expected if text not in screen.text()] == []
        assert r"The \x1b]0;title\x07answer." in screen.text()
        assert "\x1b]0;" not in screen.raw()
        assert "\x1b[" in screen.raw()  # it was drawn
        assert screen.raw().rstrip().endswith("\x1b[0m") or "\x1b[?25h" in screen.raw()  # the cursor is back


@pytest.mark.parametrize("answer", ["y", "n", "yes", "what?\nno", ""])
@pytest.mark.parametrize("option", [[], ["--plain"]], ids=["live", "plain"])
def test_a_person_is_asked(
    codex_home: QuietHome, scripted_model: ScriptedModel, option: list[str], answer: str
) -> None:
    scripted_model.queue(reply(command("touch made", **ESCALATED)), "Over.")
    with terminal(codex_home, "run", "Go", *option) as screen:
        screen.wait_for("Approve? [y/n]")
        assert "as you asked" in screen.text()
        assert "touch made" in screen.text()
        for line in answer.splitlines():
            screen.type(f"{line}\n")
        if not answer:
            screen.type("\x04")  # the end of the input
        assert screen.end() == 0
        screen.wait_for("Over.")
    assert (codex_home.workspace / "made").exists() == (answer in {"y", "yes"})


def test_what_was_typed_before_the_question_is_no_answer(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.queue(reply(message("Well."), command("touch made", **ESCALATED), gate=gate), "Over.")
    with terminal(codex_home, "run", "Go") as screen:
        gate.wait_reached(PATIENCE)
        screen.type("y\ny\ny\n")
        gate.open()
        screen.wait_for("Approve? [y/n]")
        screen.type("n\n")
        assert screen.end() == 0
    assert not (codex_home.workspace / "made").exists()


def test_two_questions_are_asked_one_after_the_other(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(command("touch one", **ESCALATED), command("touch two", **ESCALATED)), "Over.")
    with terminal(codex_home, "run", "Go") as screen:
        screen.wait_for("Approve? [y/n]")
        screen.type("y\n")
        screen.wait_for("Approve? [y/n]", 2)
        screen.type("n\n")
        assert screen.end() == 0
        screen.wait_for("Over.")
    assert len(list(codex_home.workspace.iterdir())) == 1


def test_without_a_keyboard_nothing_is_accepted(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(command("touch made", **ESCALATED)), "Over.")
    with terminal(codex_home, "run", "Go", stdin=False) as screen:
        assert screen.end() == 0
        screen.wait_for("declined (there is no terminal to ask on")
    assert not (codex_home.workspace / "made").exists()


@pytest.mark.parametrize("during", ["the turn", "a question"])
def test_ctrl_c_gives_the_terminal_back(codex_home: QuietHome, scripted_model: ScriptedModel, during: str) -> None:
    scripted_model.queue(hang() if during == "the turn" else reply(command("touch made", **ESCALATED)))
    with terminal(codex_home, "run", "Go") as screen:
        scripted_model.wait_for_requests(1, PATIENCE)
        screen.wait_for("Ctrl-C interrupts" if during == "the turn" else "Approve? [y/n]")
        screen.type("\x03")
        assert screen.end() == 130
        screen.wait_for("interrupted")
        assert screen.raw().rindex("\x1b[?25h") > screen.raw().rindex("\x1b[?25l")  # the cursor is shown again
    scripted_model.wait_idle(PATIENCE)


def test_a_question_ends_with_its_turn(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(command("touch made", **ESCALATED)))
    with terminal(codex_home, "run", "Go", "--timeout", "8") as screen:
        screen.wait_for("Approve? [y/n]")
        assert screen.end() == 1
        screen.wait_for("timed out")
    assert not (codex_home.workspace / "made").exists()


@pytest.mark.parametrize("why", ["no rich", "a dumb terminal", "--debug"])
def test_it_works_without_the_display(codex_home: QuietHome, scripted_model: ScriptedModel, why: str) -> None:
    hidden = codex_home.path / "hidden"
    hidden.mkdir()
    # Found before the installed one, and not importable: as if it was not installed.
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'rich' else find(name, *more)\n"
    )
    more = {"no rich": {"PYTHONPATH": str(hidden)}, "a dumb terminal": {"TERM": "dumb"}, "--debug": {}}[why]
    scripted_model.queue("The \x1b[2Janswer.")
    options = ["--debug"] if why == "--debug" else []
    with terminal(codex_home, "run", "Go", *options, **more) as screen:
        assert screen.end() == 0
        screen.wait_for("completed in")
        assert r"The \x1b[2Janswer." in screen.text()
        assert "\x1b[" not in screen.raw()
