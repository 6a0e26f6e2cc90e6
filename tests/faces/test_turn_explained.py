"""Twenty turns at once, of which five go wrong or wait: each of three sources alone says which, why, by whom and how long.

The sources are the log, `Codex.turns`, and the journal.
"""

from __future__ import annotations

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
    TransportClosedError,
    TurnFailedError,
    TurnHandle,
    TurnStalledError,
)
from openai_codex._journal.read import Envelope, read
from openai_codex.testing import Answer, Gate, OfflineKit, RecordedRequest, call, fail, hang, message, offline, reply
from openai_codex.types import TurnStatus
from tests.support.bounds import PATIENCE, eventually

PLAIN = [f"plain {number}" for number in range(15)]
ODD = ["stall", "fail", "interrupt", "approve", "kill"]
HELD, STALL, OPERATOR = 0.5, 0.5, "operator"

ESCALATED = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "needed"}

Turns = dict[str, TurnHandle]
Facts = Mapping[str, Any]


class Script:
    """The model: what it does is the prompt of the turn."""

    def __init__(self) -> None:
        self.gate = Gate()

    def answer(self, request: RecordedRequest) -> Answer:
        prompt = next(each for each in [*PLAIN, *ODD] if f'"{each}"' in str(request.input).replace("'", '"'))
        if prompt in {"stall", "interrupt", "kill"}:
            return hang()
        if prompt == "fail":
            return fail(400, {"error": {"message": "no such tool", "type": "invalid_request_error"}})
        is_answered = any(str(item.get("type")).endswith("_call_output") for item in request.input)
        if prompt == "approve" and not is_answered:
            return reply(call("exec_command", ESCALATED))
        return reply(message("fine"), gate=self.gate)


@contextmanager
def clients(kit: OfflineKit, journal: Path) -> Generator[tuple[Codex, Codex]]:
    """Two clients with one directory of journals: the runtime of the second one is killed."""
    config = attrs.evolve(kit.config, journal=journal)
    with Codex(config, on_approval=lambda _: LATER) as first, Codex(config) as second:
        yield first, second


def check_running(first: Codex, second: Codex, turns: Turns) -> None:
    """What `turns` says while all of them run, except for the one that has failed."""
    rows = {row.turn_id: row for row in first.turns()}
    assert set(rows) == {turns[name].id for name in [*PLAIN, "stall", "interrupt", "approve"]}
    waiting = {row.turn_id: row.waiting_on for row in rows.values() if row.waiting_on != "model"}
    assert waiting == {turns["approve"].id: "approval"}
    assert [row.turn_id for row in second.turns()] == [turns["kill"].id]
    assert all(row.age >= row.silence >= 0 for row in [*rows.values(), *second.turns()])
    assert eventually(lambda: all(row.silence > HELD for row in (*first.turns(), *second.turns())))
    assert {row.last_event for row in first.turns()} <= {"item/completed", "item/started", "thread/status/changed"}


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
    assert (asked["stall"]["by"], asked["stall"]["reason"]) == (threading.current_thread().name, "TurnStalledError")
    assert only["kill"]["event"] == "turn_lost"
    [died] = [facts for facts in source if facts["event"] == "process_exited" and facts.get("exit_code") == -9]
    assert died["pid"]
    [answered] = [facts for facts in source if facts["event"] == "server_request_answered"]
    assert (answered["turn_id"], answered["decision"]) == (turns["approve"].id, "accept")
    assert (answered["by"], answered["caller"]) == ("answer", threading.current_thread().name)
    assert only["approve"]["seconds"] > answered["seconds"] > HELD


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
        assert eventually(lambda: kit.model.active_count == len(PLAIN) + 3)
        assert eventually(first.pending_requests)
        check_running(first, second, turns)

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
    check_explained(in_log(caplog.records), turns)
    check_explained(in_journal(list(read(journal))), turns)
