"""Many programs that start at once in a Codex home which no runtime has been in before."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from openai_codex import AppServerConfig, Codex, LaunchError
from openai_codex._engine.transport import HomeLock
from openai_codex.testing import QuietHome
from tests.support.bounds import STARTED
from tests.support.children import ECHO, EXITS, MUTE, child

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
    (codex_home.path / "state_1.sqlite").touch()  # the first database of several: the first holder goes on alone
    assert not second.try_acquire()
    first.release()
    (codex_home.path / "state_1.sqlite").unlink()
    assert second.try_acquire()
    second.release()
    assert sorted(entry.name for entry in codex_home.path.iterdir()) == before


def test_starts_in_a_warm_home_share_the_lock(codex_home: QuietHome) -> None:
    (codex_home.path / "state_1.sqlite").touch()
    first, second, repeated = (HomeLock(codex_home.config()) for _ in range(3))
    assert first.try_acquire()
    assert second.try_acquire()
    assert not repeated.try_acquire(alone=True)
    first.release()
    assert not repeated.try_acquire(alone=True)
    assert second.try_acquire(alone=True)  # it may change how it holds the lock
    assert second.is_alone
    assert not first.try_acquire()
    second.release()


@pytest.mark.parametrize("relative", [False, True])
def test_the_lock_belongs_to_the_directory_of_the_databases(tmp_path: Path, *, relative: bool) -> None:
    apart = "new/databases" if relative else str(tmp_path / "new" / "databases")

    def config(home: str) -> AppServerConfig:
        (tmp_path / home).mkdir()
        env = {"CODEX_HOME": str(tmp_path / home), "CODEX_SQLITE_HOME": apart}
        return AppServerConfig(env=env, cwd=tmp_path)

    first, second = HomeLock(config("one")), HomeLock(config("two"))
    assert first.try_acquire()
    assert not second.try_acquire()
    (tmp_path / "new" / "databases" / "state_1.sqlite").touch()
    assert not first.is_cold()
    first.release()


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


# A runtime whose first start in a home takes a while after its first database is there, and that exits, as its peers do,
# if another one is at work meanwhile. `HOLDER` is one that was started by something that takes no lock.
SLOW_FIRST_START = """#!/bin/sh
cd "$CODEX_HOME"; printf x >> starts
if [ ! -f complete ]; then
  mkdir -p at-work; : > at-work/$$; : > state_1.sqlite
  sleep 0.2
  if [ "$(ls at-work | wc -l)" -gt 1 ]; then rm -f at-work/$$; exit 1; fi
  rm -f at-work/$$; : > complete
fi
exec {echo}
"""
HOLDER = 'cd "$CODEX_HOME" && mkdir -p at-work && : > at-work/1 && : > state_1.sqlite && echo ready && read go; rm -f at-work/1'


@pytest.fixture
def slow_first_start(tmp_path: Path) -> AppServerConfig:
    binary, home = tmp_path / "codex", tmp_path / "home"
    binary.write_text(SLOW_FIRST_START.format(echo=shlex.join(ECHO)))
    binary.chmod(0o700)
    home.mkdir()
    return AppServerConfig(codex_bin=str(binary), env={"CODEX_HOME": str(home)})


def test_a_start_waits_for_one_that_is_half_way(slow_first_start: AppServerConfig) -> None:
    home = Path((slow_first_start.env or {})["CODEX_HOME"])
    with ThreadPoolExecutor() as pool:
        first = pool.submit(Codex, slow_first_start)
        while not any(home.glob("*.sqlite")):
            assert not first.done() or any(home.glob("*.sqlite"))
        with Codex(slow_first_start) as second, first.result() as codex:
            assert second.health().alive
            assert codex.health().alive


def test_a_start_is_repeated_until_a_holder_without_lock_is_done(slow_first_start: AppServerConfig) -> None:
    env = {**os.environ, **(slow_first_start.env or {})}
    holder = subprocess.Popen(["/bin/sh", "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline()
    with ThreadPoolExecutor() as pool, holder:
        starting = pool.submit(Codex, slow_first_start)
        starts = Path(env["CODEX_HOME"]) / "starts"
        while not starts.exists() or len(starts.read_text()) < 3:
            assert not starting.done(), starting.result()
        holder.stdin.close()
        with starting.result() as codex:
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
        (True, MUTE, STARTED, 1, "no reply to initialize"),
        (False, MUTE, STARTED, 1, "no reply to initialize"),
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
    assert not HomeLock(config).is_usable()
