"""The command: rounds of kills at random, each on a new state, and the count of what the model was asked."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from openai_codex._jobs.state import reading
from openai_codex.testing import OfflineKit, ScriptedModel, offline, say
from tools.fleet.victims import below, kill, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("runtime", "worker", "pool")
EXECUTORS = ("threads", "processes", "dask")

# How long a round may take, in seconds; how long the model takes for an answer, and how long nothing is killed.
PATIENCE, ANSWER, PAUSES = 120.0, 0.2, (0.3, 1.5)
# How long processes may take to end after that.
GRACE = 20.0


@attrs.define
class Round:
    """One round.

    Attributes:
        number: Which one.
        jobs: How many jobs there are.
        kills: How many processes are killed.
        executor: Where the jobs run: on ``threads``, in ``processes`` or on ``dask``. Threads have no workers to kill.
        killed: What was killed.
        problems: What should not be.
    """

    number: int
    jobs: int
    kills: int
    executor: str
    killed: Counter[str] = attrs.Factory(Counter)
    problems: list[str] = attrs.Factory(list)
    seen: set[int] = attrs.Factory(set)
    log: str = ""

    def run(self, chance: random.Random) -> None:
        """Kill, start again, and look."""
        with offline(lambda _request: say("done", delay=ANSWER)) as kit, tempfile.TemporaryDirectory() as directory:
            state = str(Path(directory) / "state.sqlite")
            self.log = str(Path(directory) / "log")
            try:
                self._carry_out(kit, state, chance)
                self._look_for_processes()
            finally:
                for pid in self.seen:
                    if kind_of(pid) != "other":  # the number may be that of another process by now
                        kill(pid)
            self._look(kit.model, state)
            if self.problems:
                print(Path(self.log).read_text(encoding="utf-8"))

    def _carry_out(self, kit: OfflineKit, state: str, chance: random.Random) -> None:
        config = {"env": kit.home.env, "cwd": str(kit.home.workspace)}
        given = json.dumps({"config": config, "state": state, "jobs": self.jobs, "executor": self.executor})
        deadline = time.monotonic() + PATIENCE
        program, kind = self._start(given), self._kind(chance)
        while time.monotonic() < deadline:
            pause = chance.uniform(*PAUSES) if self.killed.total() < self.kills else 0.2
            time.sleep(pause)
            victims = below(program.pid)
            self.seen |= {pid for pid, kind in victims.items() if kind in {"runtime", "worker"}}
            if program.poll() is not None:
                self.problems += [f"exit code {program.returncode}"] * bool(program.returncode)
                return
            if self.killed.total() >= self.kills or not self._kill(program, victims, kind):
                continue
            if kind == "pool":
                program = self._start(given)
            kind = self._kind(chance)
        kill(program.pid)
        self.problems.append("it has not ended in time")

    def _kind(self, chance: random.Random) -> str:
        return chance.choice([kind for kind in KINDS if kind != "worker" or self.executor != "threads"])

    def _look_for_processes(self) -> None:
        """Look whether the workers and runtimes of all pools end, those of killed ones included."""
        deadline = time.monotonic() + GRACE
        while (left := [pid for pid in self.seen if kind_of(pid) != "other"]) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.problems += [f"{kind_of(pid)} {pid} is left" for pid in left]

    def _start(self, given: str) -> subprocess.Popen[bytes]:
        with Path(self.log).open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "tools.fleet.program", given], stderr=log)

    def _kill(self, program: subprocess.Popen[bytes], victims: dict[int, str], kind: str) -> bool:
        """Kill one process of a kind; return whether there was one."""
        if kind == "pool":
            program.kill()
            program.wait()
            self.killed[kind] += 1
            return True
        # A cluster does not start if a worker of it dies meanwhile.
        has_begun = "runtime" in victims.values()
        for pid, its in victims.items():
            if its == kind and has_begun:
                kill(pid)
                self.killed[kind] += 1
                return True
        return False

    def _look(self, model: ScriptedModel, state: str) -> None:
        expected = {f"job {number} {part}": 1 for number in range(self.jobs) for part in "ab"}
        found = prompts_of(model)
        self.problems += [f"{text!r} was sent {found.get(text, 0)} times" for text in expected if found.get(text) != 1]
        if not Path(state).exists():  # the problem is another one
            return
        reader = reading(state)
        self.problems += [f"{row.key} is {row.status}" for row in reader.jobs() if row.status != "completed"]
        reader.close()


def prompts_of(model: ScriptedModel) -> dict[str, int]:
    """Return how often each prompt of a job is in the histories of the threads that the model was asked about."""
    found: dict[tuple[str, str | None], int] = {}
    for request in model.requests:
        texts = request.user_texts
        for text in {text for text in texts if text.startswith("job ")}:
            key = text, request.thread_id
            found[key] = max(found.get(key, 0), texts.count(text))
    total: Counter[str] = Counter()
    for (text, _), count in found.items():
        total[text] += count
    return dict(total)


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code: 1 if something was lost or sent twice."""
    parser = argparse.ArgumentParser("python -m tools.fleet", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=12, help="jobs of two turns in each (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=4, help="processes killed in each (default: %(default)s)")
    parser.add_argument("--executor", choices=EXECUTORS, help="where the jobs run (default: by turns)")
    seed = random.randrange(10**6)  # noqa: S311  not for cryptography
    parser.add_argument("--seed", type=int, default=seed, help="seed of all random choices (default: random)")
    options = parser.parse_args(arguments)
    executors = EXECUTORS if options.executor is None else (options.executor,)
    chance, failed = random.Random(options.seed), 0  # noqa: S311  as above
    print(f"{options.rounds} rounds, seed {options.seed}", flush=True)
    for number in range(options.rounds):
        one = Round(number, options.jobs, options.kills, executors[number % len(executors)])
        began = time.monotonic()
        one.run(chance)
        failed += bool(one.problems)
        killed = ", ".join(f"{count} {kind}" for kind, count in sorted(one.killed.items())) or "nothing"
        seconds = time.monotonic() - began
        print(
            f"{number:3} {one.executor}: killed {killed}; {seconds:.1f} s; {one.problems or 'all done once'}",
            flush=True,
        )
    print("FAILED" if failed else "PASSED")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
