"""Twenty turns at once, of which five go wrong or wait: each of four sources alone says which, why, by whom and how long.

The sources are the log, `Codex.turns`, the journal, and what the command line says of the journal. The other turns work and
stream all the time.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import (
    LATER,
    Codex,
    RunningTurn,
    TransportClosedError,
    TurnFailedError,
    TurnHandle,
    TurnStalledError,
)
from openai_codex._journal.read import Envelope, read
from openai_codex.testing import Answer, Gate, OfflineKit, RecordedRequest, call, fail, hang, message, offline, reply
from openai_codex.types import TurnStatus
from tests.support.bounds import PATIENCE, eventually
from tests.support.cli import ended
from tests.support.fake_agents import COMMAND

PLAIN = [f"plain {number}" for number in range(15)]
ODD = ["stall", "fail", "interrupt", "approve", "kill"]
HELD, STALL = 0.5, 0.5
HERE, OPERATOR = threading.current_thread().name, "operator"

ESCALATED = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "needed"}

Turns = dict[str, TurnHandle]
Facts = Mapping[str, Any]


# What a plain turn does again and again: it streams a text, and then calls a tool.
PIECES = ["one ", "two ", "three ", "four ", "five "]
PLAN = {"plan": [{"step": "go on", "status": "in_progress"}]}


class Script:
    """The model: what it does is the prompt of the turn."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.asked: set[str] = set()
        """The prompts that the model was asked for."""

    def answer(self, request: RecordedRequest) -> Answer:
        prompt = next(each for each in [*PLAIN, *ODD] if f'"{each}"' in str(request.input).replace("'", '"'))
        self.asked.add(prompt)
        if prompt in {"stall", "interrupt", "kill"}:
            return hang()
        if prompt == "fail":
            return fail(400, {"error": {"message": "no such tool", "type": "invalid_request_error"}})
        is_answered = any(str(item.get("type")).endswith("_call_output") for item in request.input)
        if prompt == "approve":
            return reply(message("fine")) if is_answered else reply(call("exec_command", ESCALATED))
        if self.gate.is_open:
            return reply(message("fine"))
        return reply(message(deltas=PIECES), call("update_plan", PLAN), delta_delay=0.05)


@contextmanager
def clients(kit: OfflineKit, journal: Path) -> Generator[tuple[Codex, Codex]]:
    """Two clients with one directory of journals: the runtime of the second one is killed."""
    config = attrs.evolve(kit.config, journal=journal)
    with Codex(config, on_approval=lambda _: LATER) as first, Codex(config) as second:
        yield first, second


class AsAsked(logging.Handler):
    """Takes what `turns` says of a turn at the instant at which somebody has it interrupted."""

    def __init__(self, codex: Codex) -> None:
        super().__init__()
        self.rows: dict[str, RunningTurn] = {}
        self._codex = codex

    def emit(self, record: logging.LogRecord) -> None:
        facts = vars(record)["codex"]
        if facts["event"] == "codex.turn_interrupt_asked":
            self.rows |= {row.turn_id: row for row in self._codex.turns() if row.turn_id == facts["turn_id"]}


def silences(codex: Codex, turns: Turns) -> dict[str, float]:
    names = {turn.id: name for name, turn in turns.items()}
    return {names[row.turn_id]: row.silence for row in codex.turns()}


def plain_ones_are_heard(codex: Codex, turns: Turns) -> bool:
    silent = silences(codex, turns)
    odd = [silent.pop(name) for name in ("stall", "interrupt", "approve")]
    return min(odd) > HELD and min(odd) > max(silent.values())


def check_running(first: Codex, second: Codex, turns: Turns) -> None:
    """What `turns` says while all of them run, except for the one that has failed."""
    rows = {row.turn_id: row for row in first.turns()}
    assert set(rows) == {turns[name].id for name in [*PLAIN, "stall", "interrupt", "approve"]}
    assert {rows[turns[name].id].waiting_on for name in PLAIN} <= {"model", "tool"}
    assert {rows[turns[name].id].waiting_on for name in ("stall", "interrupt")} == {"model"}
    [asking] = [row for row in rows.values() if row.request_id is not None]
    [asked] = first.pending_requests()
    assert (asking.turn_id, asking.waiting_on, asking.request_id) == (turns["approve"].id, "approval", asked.id)
    assert (asking.request_method, asking.request_thread_id) == (COMMAND, turns["approve"].thread_id)
    assert [row.turn_id for row in second.turns()] == [turns["kill"].id]
    assert all(row.age >= row.silence >= 0 for row in [*rows.values(), *second.turns()])
    assert {row.interrupt_by for row in [*rows.values(), *second.turns()]} == {None}
    assert eventually(lambda: plain_ones_are_heard(first, turns))
    assert eventually(lambda: "item/agentMessage/delta" in {row.last_event for row in first.turns()})


def check_interrupted(rows: dict[str, RunningTurn], turns: Turns) -> None:
    """What `turns` says of those that are being interrupted."""
    by = {turns["interrupt"].id: (OPERATOR, "interrupt"), turns["stall"].id: (HERE, "TurnStalledError")}
    assert {turn_id: (row.interrupt_by, row.interrupt_reason) for turn_id, row in rows.items()} == by
    assert all(row.age > HELD and (row.interrupt_age or 0.0) < row.age for row in rows.values())


def check_explained(source: list[Facts], turns: Turns) -> None:
    """What the log says, and the journal: facts with the name of an event, in their order."""
    ids = {turn.id: name for name, turn in turns.items()}
    ends: dict[str, list[Facts]] = {name: [] for name in turns}
    for facts in source:
        is_end = facts["event"].startswith("turn_") and facts["event"] not in {"turn_started", "turn_interrupt_asked"}
        if is_end and facts.get("turn_id") in ids:
            ends[ids[facts["turn_id"]]].append(facts)
    assert {name: len(found) for name, found in ends.items()} == dict.fromkeys(turns, 1), "each turn has one end"
    only = {name: found[0] for name, found in ends.items()}
    assert {only[name]["event"] for name in [*PLAIN, "approve"]} == {"turn_completed"}
    assert all(facts["seconds"] > 0 for facts in only.values())
    assert (only["stall"]["event"], only["stall"]["reason"]) == ("turn_abandoned", "TurnStalledError")
    assert only["fail"]["event"] == "turn_failed"
    assert "no such tool" in only["fail"]["reason"]
    assert only["interrupt"]["event"] == "turn_interrupted"
    asked = {ids[facts["turn_id"]]: facts for facts in source if facts["event"] == "turn_interrupt_asked"}
    assert asked.keys() == {"interrupt", "stall"}
    assert (asked["interrupt"]["by"], asked["interrupt"]["reason"]) == (OPERATOR, "interrupt")
    assert (asked["stall"]["by"], asked["stall"]["reason"]) == (HERE, "TurnStalledError")
    assert only["kill"]["event"] == "turn_lost"
    [died] = [facts for facts in source if facts["event"] == "process_exited" and facts.get("exit_code") == -9]
    assert died["pid"]
    [answered] = [facts for facts in source if facts["event"] == "server_request_answered"]
    assert (answered["turn_id"], answered["decision"]) == (turns["approve"].id, "accept")
    assert (answered["by"], answered["caller"]) == ("answer", HERE)
    assert only["approve"]["seconds"] > answered["seconds"] > HELD


def check_summary(journal: Path, turns: Turns) -> None:
    """What the command line says of the journal: to programs, and to people."""
    names = {turn.id: name for name, turn in turns.items()}
    told = ended(None, "trace", str(journal), "summary", "--json")
    assert told.code == 0
    found = json.loads(told.out)
    assert found["turns"]["count"] == len(turns)
    assert found["turns"]["by_status"] == {"completed": len(PLAIN) + 1, "failed": 1, "interrupted": 2, "lost": 1}
    odd = {names[each["turn_id"]]: each for each in found["not_completed"]}
    assert {name: each["status"] for name, each in odd.items()} == {
        "stall": "interrupted",
        "fail": "failed",
        "interrupt": "interrupted",
        "kill": "lost",
    }
    why = {"stall": [HERE, "TurnStalledError"], "fail": ["no such tool"], "interrupt": [OPERATOR], "kill": ["SIGKILL"]}
    for name, texts in why.items():
        assert [text for text in texts if text not in odd[name]["why"]] == [], odd[name]["why"]
        assert odd[name]["seconds"] is None or odd[name]["seconds"] > 0
    assert odd["kill"]["waiting_on"] == "model"
    [wait] = [each for each in found["longest_waits"] if each["turn_id"] == turns["approve"].id]
    assert (wait["kind"], wait["decision"], wait["by"]) == ("approval", "accept", f"answer ({HERE})")
    assert wait["seconds"] > HELD
    # Not in "silences", the longest ones of all turns: on a busy machine those that work may be silent for longer.
    assert min(odd[name]["silence"] for name in ("stall", "interrupt")) > HELD
    assert found["silences"]
    told = ended(None, "trace", str(journal), "summary")
    assert told.code == 0
    for name, texts in why.items():
        [line, *_] = [each for each in told.out.splitlines() if turns[name].id in each and repr(name) in each]
        assert [text for text in texts if text not in line] == []
    assert f"accept by answer ({HERE}), turn {turns['approve'].id}" in told.out


def in_log(records: list[logging.LogRecord]) -> list[Facts]:
    facts = [vars(record)["codex"] for record in records if record.name.startswith("openai_codex")]
    return [{**each, "event": each["event"].removeprefix("codex.")} for each in facts]


def in_journal(envelopes: list[Envelope]) -> list[Facts]:
    return [{"pid": each.pid, **each.frame} for each in sorted(envelopes, key=lambda each: each.t) if each.event]


def test_twenty_turns_are_explained_by_each_source_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openai_codex")
    script, journal = Script(), tmp_path / "runs"
    journal.mkdir()
    with offline(script.answer, parent=tmp_path) as kit, clients(kit, journal) as (first, second):
        turns: Turns = {}
        for name in [*PLAIN, *ODD]:
            turns[name] = (second if name == "kill" else first).thread_start(ephemeral=True).turn(name)
        with pytest.raises(TurnFailedError):
            turns["fail"].run(timeout=PATIENCE)
        assert eventually(lambda: script.asked == {*PLAIN, *ODD})
        assert eventually(first.pending_requests)
        check_running(first, second, turns)
        logging.getLogger("openai_codex.turn").addHandler(as_asked := AsAsked(first))

        operator = threading.Thread(target=turns["interrupt"].interrupt, name=OPERATOR)
        operator.start()
        operator.join(PATIENCE)
        assert turns["interrupt"].run(timeout=PATIENCE).status == TurnStatus.interrupted
        with pytest.raises(TurnStalledError):
            turns["stall"].run(timeout=PATIENCE, stall_timeout=STALL)
        os.kill(second.health().pid or 0, signal.SIGKILL)
        with pytest.raises(TransportClosedError):
            turns["kill"].run(timeout=PATIENCE)
        [asked] = first.pending_requests()
        assert first.answer(asked.id, answer=True)
        script.gate.open()
        for name in [*PLAIN, "approve"]:
            assert turns[name].run(timeout=PATIENCE).final_response == "fine"
        assert first.turns() == second.turns() == ()
        logging.getLogger("openai_codex.turn").removeHandler(as_asked)
    check_interrupted(as_asked.rows, turns)
    check_explained(in_log(caplog.records), turns)
    check_explained(in_journal(list(read(journal))), turns)
    check_summary(journal, turns)
