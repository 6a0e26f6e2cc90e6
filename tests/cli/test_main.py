"""The command line as a whole: help, version, usage, exit codes; and that nothing else needs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from openai_codex import __version__
from openai_codex._cli.main import COMMANDS
from openai_codex.testing import QuietHome
from tests.support.bounds import PATIENCE
from tests.support.cli import ended, variables

NAMES = [command.name for command in COMMANDS]


@pytest.mark.parametrize("program", [["-m", "openai_codex"], [str(Path(sys.executable).parent / "openai-codex")]])
def test_both_ways_to_start_it(program: list[str]) -> None:
    command = [sys.executable, *program] if program[0] == "-m" else program
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.startswith(f"openai-codex {__version__} (runtime ")


# Sends Ctrl-C when a module is looked for, or when the interpreter is about to end.
_AT_IMPORT = """
import atexit, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, *_):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from openai_codex._cli import start
sys.argv = ["openai-codex", "--version"]
sys.exit(start())
"""


@pytest.mark.parametrize("name", ["openai_codex._cli.main", "openai_codex._cli.run", "argparse", "orjson", "attrs"])
def test_ctrl_c_while_modules_are_loaded_is_130(name: str) -> None:
    program = [sys.executable, "-c", _AT_IMPORT.format(name=name)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_ctrl_c_at_the_end_changes_no_exit_code() -> None:
    end = "import signal, sys, openai_codex._cli as m; sys.argv[1:] = ['--help']\n"
    end += "try: m.start()\nexcept SystemExit: pass\n"
    end = f"{end}sys.argv[1:] = ['jobs', '/no/such']; code = m.start(); signal.raise_signal(signal.SIGINT); sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", end], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_the_script_is_not_called_codex() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    scripts = re.findall(r"^\[project\.scripts\]\n(?:#.*\n)*((?:[\w-]+ = .*\n)+)", text, re.MULTILINE)
    assert scripts == ['openai-codex = "openai_codex._cli:start"\n']


def test_the_help_names_each_command_and_exit_code() -> None:
    shown = ended(None, "--help")
    assert shown.code == 0
    assert [name for name in [*NAMES, "130", "OPENAI_CODEX_BIN"] if name not in shown.out] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_is_a_manual(name: str) -> None:
    shown = ended(None, name, "--help")
    assert shown.code == 0
    runtime = () if name in {"trace", "jobs"} else ("--codex-bin", "--config")  # it starts none
    assert [text for text in ("exit codes:", "--json", *runtime) if text not in shown.out] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["run"], "required: prompt"),
        (["run", " "], "expected a text, got an empty one"),
        (["run", "Hi", "--timeout", "soon"], "expected a number of seconds above 0, got 'soon'"),
        (["run", "Hi", "--stall-timeout", "-1"], "expected a number of seconds above 0"),
        (["run", "Hi", "--sandbox", "none"], "invalid choice: 'none'"),
        (["run", "Hi", "--approve", "some"], "invalid choice: 'some'"),
        (["run", "Hi", "--cwd", "/no/such"], "'/no/such' is not a directory"),
        (["run", "Hi", "--output-schema", "/no/such"], "'/no/such' cannot be read: No such file or directory\n"),
        (["run", "Hi", "--output-schema", "/"], "'/' cannot be read: Is a directory\n"),
        (["run", "Hi", "--output-schema", "/dev/null"], "'/dev/null' has no JSON that can be read: Expecting value"),
        (["run", "Hi", "--json", "--plain"], "not allowed with"),
        (["trace"], "required: FILE"),
        (["trace", "run.jsonl"], "required: ACTION"),
        (["trace", "run.jsonl", "dance"], "invalid choice: 'dance'"),
        (["trace", "run.jsonl", "grep", "--method", "("], "'(' is no regular expression"),
        (["trace", "run.jsonl", "grep", "--from", "noon"], "expected seconds since the beginning of the journal"),
        (["jobs"], "required: PATH"),
        (["jobs", "state", "--status", "lost"], "invalid choice: 'lost'"),
        (["doctor", "--config", "s3cret-word"], "expected KEY=VALUE"),
    ],
    ids=str,
)
def test_wrong_arguments_are_exit_code_2(arguments: list[str], said: str) -> None:
    done = ended(None, *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.errors
    assert "s3cret-word" not in done.errors


@pytest.mark.parametrize("name", NAMES)
def test_a_help_text_that_nobody_reads_is_no_traceback(name: str) -> None:
    program = (
        "import os, sys\nread, write = os.pipe(); os.close(read); os.dup2(write, 1)\n"
        f"from openai_codex._cli.main import main; sys.exit(main([{name!r}, '--help']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=variables(None),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in {0, 141}  # where Python does not buffer, argparse ignores the error
    assert done.stderr == ""


def test_a_client_loads_nothing_of_the_command_line(codex_home: QuietHome) -> None:
    program = (
        "import logging, sys, openai_codex\n"
        # The first record imports structlog, which itself imports rich where it is installed.
        "logging.getLogger('openai_codex').setLevel('ERROR')\n"
        f"with openai_codex.Codex(openai_codex.CodexConfig(cwd={str(codex_home.workspace)!r}, env={codex_home.env!r})) as c:\n"
        "    print(c.thread_start(ephemeral=True).run('Hi').final_response)\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    answer, loaded = done.stdout.splitlines()
    assert answer == "ok"
    names = loaded.split()
    assert "openai_codex._sync.thread" in names
    assert [name for name in names if name.startswith(("openai_codex._cli", "openai_codex.testing", "rich"))] == []
    assert {"argparse", "pygments", "openai_codex.__main__"} & set(names) == set()
