"""Many programs that start at once in a Codex home which no runtime has been in before."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from openai_codex import AppServerConfig, Codex, LaunchError
from openai_codex._engine.transport import HomeLock
from openai_codex.testing import QuietHome
from tests.support.children import EXITS, MUTE, child

pytestmark = pytest.mark.slow

# Waits for the word to go, so that all start at the same moment.
PROGRAM = """
import sys
from openai_codex import AppServerConfig, Codex
import json
settings = json.loads(sys.argv[1])
sys.stdin.readline()
with Codex(AppServerConfig(**settings)) as codex:
    print(codex.thread_start(ephemeral=True).run("Hi").final_response)
"""


@pytest.mark.parametrize("count", [4, 8, 16])
def test_all_of_them_come_up(codex_home: QuietHome, count: int) -> None:
    config = codex_home.config()
    settings = {"env": dict(config.env or {}), "cwd": config.cwd, "strict_config": True, "start_timeout": 90}
    command = [sys.executable, "-c", PROGRAM, json.dumps(settings)]
    programs = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\\n")
        program.stdin.flush()
    ends = [program.communicate(timeout=110) for program in programs]
    assert [out.strip() for out, _ in ends] == ["ok"] * count, "\\n".join(err for _, err in ends)


def test_a_home_is_cold_until_a_runtime_has_come_up(codex_home: QuietHome) -> None:
    config = codex_home.config()
    assert HomeLock(config).is_cold()
    with Codex(config):
        assert not HomeLock(config).is_cold()


def test_the_lock_has_one_holder_and_leaves_nothing(codex_home: QuietHome) -> None:
    before = sorted(entry.name for entry in codex_home.path.iterdir())
    first, second = HomeLock(codex_home.config()), HomeLock(codex_home.config())
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()
    assert sorted(entry.name for entry in codex_home.path.iterdir()) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are a thing of POSIX")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # the test kit has threads
def test_a_fork_does_not_keep_the_lock(codex_home: QuietHome) -> None:
    holder, next_one = HomeLock(codex_home.config()), HomeLock(codex_home.config())
    assert holder.try_acquire()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)  # lives until the parent says so
        os._exit(0)
    try:
        assert not next_one.try_acquire()
        holder.release()
        assert next_one.try_acquire()
        next_one.release()
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(pid, 0)


def test_a_start_waits_no_longer_than_its_deadline(codex_home: QuietHome) -> None:
    holder = HomeLock(codex_home.config())
    assert holder.try_acquire()
    try:
        with pytest.raises(LaunchError, match=r"others have been starting in it for 0\.3 s"):
            Codex(attrs.evolve(codex_home.config(), start_timeout=0.3))
    finally:
        holder.release()
    with Codex(codex_home.config()) as codex:
        assert codex.health().alive


def test_a_start_that_fails_for_good_is_not_hidden(codex_home: QuietHome) -> None:
    with Codex(codex_home.config()):
        pass
    (codex_home.path / "config.toml").write_text("nonsense = 1\\n")
    with pytest.raises(LaunchError, match="exit code 1"):
        Codex(codex_home.config())


REFUSES = child('send({"id": read()["id"], "error": {"code": -32600, "message": "too old"}}); read()')


@pytest.mark.parametrize(
    ("warm", "program", "patience", "starts", "told"),
    [
        (True, MUTE, 0.5, 1, "no reply to initialize"),
        (False, MUTE, 0.5, 1, "no reply to initialize"),
        (True, REFUSES, 20, 1, "too old"),
        (False, REFUSES, 20, 1, "too old"),
        (True, EXITS, 20, 2, "exit code 3"),  # another may have been at the databases; the second has the home alone
        (False, EXITS, 20, 1, "exit code 3"),  # as had the only one here
    ],
    ids=["mute", "mute, cold", "refuses", "refuses, cold", "exits", "exits, cold"],
)
def test_only_a_start_that_exits_beside_others_is_tried_again(
    tmp_path: Path, *, warm: bool, program: tuple[str, ...], patience: float, starts: int, told: str
) -> None:
    binary, home = tmp_path / "codex", tmp_path / "home"
    binary.write_text(f"#!/bin/sh\necho >> {shlex.quote(f'{binary}.starts')}\nexec {shlex.join(program)}\n")
    binary.chmod(0o700)
    home.mkdir()
    if warm:
        (home / "state_1.sqlite").touch()
    with pytest.raises(LaunchError, match=told):
        Codex(AppServerConfig(codex_bin=str(binary), env={"CODEX_HOME": str(home)}, start_timeout=patience))
    assert Path(f"{binary}.starts").read_text() == starts * "\n"


def test_a_command_of_the_user_takes_no_lock(tmp_path: Path) -> None:
    config = AppServerConfig(launch_args_override=("codex", "app-server"), env={"CODEX_HOME": str(tmp_path)})
    assert not HomeLock(config).is_cold()
    assert not HomeLock(config).is_free()
