"""Command lines are read as the shell reads them, or not at all."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex._approvals.commands import argv_in, script_in, words_of

LETTERS = "ab =-/.:'\"\\$`*?[]{}()<>|&;!#~^%+,@\t\n\r\x00é "
SHELLS = ["/bin/bash", "/bin/sh", "/usr/bin/zsh", "/usr/local/bin/bash", "/opt/homebrew/bin/dash"]
CRAFTED = [
    "find . -delete; touch y",
    "cat a | tee b",
    "cat a > b",
    "cat < a",
    "cat a && b",
    "cat a & b",
    "head -1 $(touch y)",
    "head `touch y`",
    "echo $HOME",
    'echo "$HOME"',
    'echo "`id`"',
    "ls *",
    "ls a?",
    "ls [ab]",
    "ls {a,b}",
    "ls ~",
    "ls ~root/x",
    "a=1 ls",
    "PATH=. ls",
    "ls # all",
    "ls\ntouch y",
    "ls\rtouch y",
    "ls \\\n a",
    "ls a\\ b",
    "(ls)",
    "{ ls; }",
    "! ls",
    "ls !!",
    "=ls",
    "ls =x",
    "ls <(touch y)",
    "cat <<EOF",
    "ls 'a",
    'ls "a',
    "ls 'a\nb'",
    "ls 'a\x1b[2J'",
    "ls\u00a0a",
    "ls\u2028a",
    "",
    " ",
]


@pytest.mark.parametrize("text", CRAFTED, ids=ascii)
def test_what_a_shell_interprets_is_no_list_of_words(text: str) -> None:
    assert words_of(text) is None
    assert argv_in(shlex.join(["/bin/bash", "-lc", text])) is None
    assert argv_in(text) is None


PLAIN = {
    "ls": ("ls",),
    "  git \t status ": ("git", "status"),
    "git log --format='%H %s' -n 3": ("git", "log", "--format=%H %s", "-n", "3"),
    "grep -e 'a|b' \"it's\"": ("grep", "-e", "a|b", "it's"),
    "echo '' a''b": ("echo", "", "ab"),
    "printf '$HOME `id` \\ !'": ("printf", "$HOME `id` \\ !"),
    "cat café naïve/Ünïcode.txt": ("cat", "café", "naïve/Ünïcode.txt"),
    "env -i A=1 ls": ("env", "-i", "A=1", "ls"),
    "'a=b' c": ("a=b", "c"),
}


@pytest.mark.parametrize("text", PLAIN)
def test_plain_words_are_read(text: str) -> None:
    assert words_of(text) == argv_in(text) == PLAIN[text]
    for shell in SHELLS:
        for flag in ("-c", "-lc"):
            line = shlex.join([shell, flag, text])
            assert script_in(line) == text
            assert argv_in(line) == PLAIN[text]


@settings(max_examples=300, deadline=None)
@given(st.text(LETTERS, max_size=12))
def test_the_shell_reads_the_same_words(text: str) -> None:
    words = words_of(text)
    if words is not None:
        # As the arguments of a function, so that nothing else runs.
        script = f"told() {{ printf '%s\\0' \"$@\"; }}; told {text}"
        done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=True, timeout=60)
        assert tuple(done.stdout.decode().split("\0")[:-1]) == words


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=4))
def test_quoted_words_are_read_as_they_were_or_not_at_all(given_words: list[str]) -> None:
    assert argv_in(shlex.join(given_words)) in {tuple(given_words), None}
    assert argv_in(shlex.join(["/bin/sh", "-c", shlex.join(given_words)])) in {tuple(given_words), None}


NO_SHELLS = [
    "/evil/bash -lc ls",
    "./bash -lc ls",
    "bash -lc ls",
    "/bin/../evil/bash -lc ls",
    "/bin/python3 -c ls",
    "/bin/bash -xc ls",
    "/bin/bash ls",
    "/bin/bash -lc ls rest",
    "/bin/bash --rcfile -c ls",
]


@pytest.mark.parametrize("line", NO_SHELLS)
def test_only_a_known_shell_is_unwrapped(line: str) -> None:
    assert script_in(line) is None
    assert argv_in(line) == tuple(line.split())


def test_a_shell_in_a_shell_is_unwrapped_once() -> None:
    assert argv_in("/bin/bash -lc '/bin/bash -lc ls'") == ("/bin/bash", "-lc", "ls")
    assert script_in(None) is argv_in(None) is words_of(None) is None
