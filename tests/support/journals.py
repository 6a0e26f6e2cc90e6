"""Journals of the real runtime: one of a busy client, and made ones of any size."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import orjson

from openai_codex import ApprovalDecision, AppServerConfig, Codex, CodexError, Thread, TurnHandle, tool
from openai_codex.testing import ScriptedModel, call, fail_stream, message, reply
from tests.support.bounds import PATIENCE

ESCALATED = {"sandbox_permissions": "require_escalated", "justification": "as you asked"}


def header_of(client: str) -> Callable[[int], bytes]:
    """Return what makes the header of each file of a client."""
    return lambda part: b'{"journal":1,"client":"%s","part":%d}\n' % (client.encode(), part)


@attrs.define
class Exercise:
    """What a journal was made of: the ids of the turns by what became of them."""

    path: Path
    turns: dict[str, str] = attrs.field(factory=dict)
    threads: dict[str, str] = attrs.field(factory=dict)


def run_exercise(config: AppServerConfig, model: ScriptedModel, path: Path, plain: int = 3) -> Exercise:
    """Run concurrent turns: some plain, a stalled, a failed, an interrupted one, one that waits on an approval, one with
    a tool; then kill the runtime, which the stalled one does not survive."""

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"sunny in {city}"

    def decide(_request: Any) -> ApprovalDecision:
        return ApprovalDecision.decline()

    stalled = model.gate()
    interrupted = model.gate()
    model.when("stall", reply(message("never"), gate=stalled))
    model.when("fail", fail_stream("invalid_prompt", "not <b>like</b> this"))
    model.when("interrupt", reply(message("never"), gate=interrupted))
    model.when("approve", reply(call("exec_command", {"cmd": "touch x", **ESCALATED})), "Declined.")
    model.when("tool", reply(call("weather", {"city": "Oslo"})), "Sunny.")
    model.when("command", reply(message("I look."), call("exec_command", {"cmd": "sleep 0.3; exit 3"})), "Done.")
    model.when(re.compile("plain"), "Fine.")
    done = Exercise(path)
    with Codex(attrs.evolve(config, journal=str(path)), on_approval=decide) as codex:
        handles: dict[str, tuple[Thread, TurnHandle]] = {}
        names = ["stall", "fail", "interrupt", "approve", "tool", "command", *(f"plain {n}" for n in range(plain))]
        for name in names:
            settings: dict[str, Any] = {"approval_policy": "on-request"} if name == "approve" else {}
            thread = codex.thread_start(**settings, tools=[weather] if name == "tool" else None)
            turn = thread.turn(name)
            handles[name] = thread, turn
            done.turns[name], done.threads[name] = turn.id, thread.id
        interrupted.wait_reached(PATIENCE)
        handles["interrupt"][1].interrupt()
        for name in names[1:]:
            try:
                handles[name][1].run(timeout=PATIENCE)
            except CodexError:
                continue
        stalled.wait_reached(PATIENCE)
        pid = codex.health().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(CodexError):
            handles["stall"][1].run(timeout=PATIENCE)
    return done


HOSTILE = "</script><script>alert(1)</script> & \"quoted\" 'text' \u2028 \x1b[2J https://example.com/?a=1"
"""A text that must be shown as it is, wherever it is shown."""


class Written:
    """A journal written by hand: each line at a time in seconds."""

    def __init__(self, path: Path, client: str = "c1") -> None:
        self.path = path
        self.client = client
        number = path.stem.rpartition(".")[2]
        part = int(number) if number.isdecimal() else 0
        self.line(
            {
                "journal": 1,
                "client": client,
                "part": part,
                "pid": 7,
                "at": 1e9,
                "t": 0.0,
                "sdk": "0.163.0",
                "runtime": "0.163.0",
            }
        )

    def line(self, value: Any) -> None:
        self.raw(orjson.dumps(value) + b"\n")

    def raw(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)

    def frame(self, at: float, direction: str, frame: Any, gen: int = 1, pid: int | None = 9, **more: Any) -> None:
        self.line({"t": at, "at": 1e9 + at, "dir": direction, "gen": gen, "pid": pid, "frame": frame, **more})

    def event(self, at: float, event: str, **facts: Any) -> None:
        self.frame(at, "!", {"event": event, **facts})

    def notify(self, at: float, method: str, thread_id: str, turn_id: str = "", /, **params: Any) -> None:
        ids = {"threadId": thread_id, "turnId": turn_id} if turn_id else {"threadId": thread_id}
        self.frame(at, "<", {"method": method, "params": {**ids, **params}})

    def start(self, at: float, number: int, prompt: str = "") -> tuple[str, str]:
        """Write the beginning of a turn in a thread of its own. Returns the ids."""
        thread, turn = f"thread-{self.client}-{number}", f"turn-{self.client}-{number}"
        params = {"threadId": thread, "input": [{"type": "text", "text": prompt}]}
        self.frame(at, ">", {"id": number, "method": "turn/start", "params": params})
        self.frame(at + 0.01, "<", {"id": number, "result": {"turn": {"id": turn, "status": "inProgress"}}})
        self.notify(at + 0.02, "turn/started", thread, turn={"id": turn, "rootTurnId": turn})
        return thread, turn

    def item(self, began: float, ended: float | None, ids: tuple[str, str], item: dict[str, Any]) -> None:
        self.notify(began, "item/started", *ids, item=item)
        if ended is not None:
            self.notify(ended, "item/completed", *ids, item={**item, "status": "completed"})

    def end(self, at: float, ids: tuple[str, str], status: str = "completed", error: Any = None) -> None:
        self.notify(at, "turn/completed", ids[0], turn={"id": ids[1], "status": status, "error": error})


def write_turns(path: Path, count: int, text: str = HOSTILE) -> Written:
    """Write a journal of so many turns, eight of them at once: some with commands and approvals, some that fail."""
    journal = Written(path)
    journal.event(0.0, "process_started", client=journal.client)
    journal.event(0.1, "runtime_ready", version="0.163.0")
    for number in range(count):
        began = 0.2 + number * 0.5
        ids = journal.start(began, number, f"{number} {text}")
        item = {"id": f"i{number}", "type": "commandExecution", "command": f"make {text}"}
        journal.item(began + 0.5, began + 2.0, ids, item)
        if number % 3 == 0:
            params = {"threadId": ids[0], "turnId": ids[1], "itemId": f"i{number}", "reason": text}
            method = "item/commandExecution/requestApproval"
            journal.frame(began + 0.6, "<", {"id": number, "method": method, "params": params})
            journal.frame(began + 1.4, ">", {"id": number, "result": {"decision": "accept"}})
        journal.item(began + 2.1, began + 3.5, ids, {"id": f"m{number}", "type": "agentMessage", "text": text})
        if number % 7 == 6:
            journal.end(began + 3.6, ids, "failed", {"message": text, "codexErrorInfo": "other"})
        elif number % 10 != 9:
            journal.end(began + 3.8, ids)
    return journal
