"""A timeline for Perfetto: what the trace format of Chrome asks for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from openai_codex.testing import offline
from tests.support.cli import ended
from tests.support.journals import HOSTILE, Written, run_exercise, write_turns

Events = list[dict[str, Any]]

# Of each kind of event, by its phase: what it has to have, and what it may have.
FORMAT = {
    "M": ({"name", "ph", "pid", "tid", "args"}, set[str]()),
    "b": ({"name", "ph", "cat", "pid", "tid", "ts", "id2"}, {"args"}),
    "e": ({"name", "ph", "cat", "pid", "tid", "ts", "id2"}, set[str]()),
    "i": ({"name", "ph", "cat", "pid", "tid", "ts", "s"}, {"args"}),
}


def exported(path: Path, out: Path) -> Events:
    """Export a journal. Returns the events, which keep the rules of the format."""
    assert ended(None, "trace", str(path), "timeline", "--chrome", str(out)).code == 0
    events: Events = json.loads(out.read_bytes(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    check(events)
    return events


def check(events: Events) -> None:
    opened: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    used, named, last = set[tuple[Any, ...]](), set[tuple[Any, ...]](), 0.0
    for each in events:
        needed, allowed = FORMAT[each["ph"]]
        assert needed <= each.keys() <= needed | allowed, each
        assert (type(each["pid"]), type(each["tid"]), type(each["name"])) == (int, int, str)
        assert isinstance(each.get("args", {}), dict)
        if each["ph"] == "M":
            assert list(each["args"]) == ["name"]
            assert isinstance(each["args"]["name"], str)
            assert not used, "names come first"
            place = (each["name"], each["pid"], each["tid"])
            assert place not in named, "each has one name"
            named.add(place)
            continue
        assert isinstance(each["ts"], (int, float))
        assert each["ts"] >= last, "in the order of their times"
        last = each["ts"]
        used.add((each["pid"], each["tid"]))
        if each["ph"] == "i":
            assert each["s"] in {"g", "p", "t"}
            continue
        # An asynchronous event is known by its category and its id, here within a process. Those that share both nest.
        key = (each["pid"], each["cat"], each["id2"]["local"])
        assert list(each["id2"]) == ["local"]
        assert int(each["id2"]["local"], 16) > 0
        stack = opened.setdefault(key, [])
        if each["ph"] == "b":
            assert not stack, "one of an id at a time"
            stack.append(each)
        else:
            begun = stack.pop()
            assert [begun[name] for name in ("name", "tid")] == [each[name] for name in ("name", "tid")]
            assert begun["ts"] <= each["ts"]
    assert [key for key, stack in opened.items() if stack] == [], "each has an end"
    assert {pid for pid, _ in used} <= {pid for name, pid, _ in named if name == "process_name"}
    assert {place for place in used if place[1]} <= {place[1:] for place in named if place[0] == "thread_name"}


def test_the_export_of_a_real_run_keeps_the_rules_of_the_format(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with offline() as kit:
        run_exercise(kit.config, kit.model, path)
    events = exported(path, tmp_path / "run.json")
    assert sum(each["ph"] == "b" and each["cat"] == "turn" for each in events) == 9


@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_journal_of_any_size_keeps_the_rules_of_the_format(tmp_path: Path, count: int) -> None:
    events = exported(write_turns(tmp_path / "run.jsonl", count).path, tmp_path / "run.json")
    assert sum(each["ph"] == "b" and each["cat"] == "turn" for each in events) == count


def test_two_clients_with_equal_ids_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    for client, pid in (("c1", 9), ("c2", 10)):
        journal = Written(path, client)
        turn = {"turn": {"id": "U", "status": "inProgress"}}
        params = {"threadId": "T", "input": [{"type": "text", "text": f"of {client}"}]}
        journal.frame(1.0, ">", {"id": 1, "method": "turn/start", "params": params}, pid=pid)
        journal.frame(1.1, "<", {"id": 1, "result": turn}, pid=pid)
        completed = {"threadId": "T", "turn": {"id": "U", "status": "completed"}}
        journal.frame(2.0, "<", {"method": "turn/completed", "params": completed}, pid=pid)
    events = exported(path, tmp_path / "run.json")
    turns = {each["name"]: (each["pid"], each["tid"]) for each in events if each["ph"] == "b"}
    assert turns == {"1 of c1": (1, 1), "2 of c2": (2, 2)}
    names = [(each["pid"], each["tid"]) for each in events if each["name"] == "thread_name"]
    assert names == [(1, 1), (2, 2)]


def test_each_turn_item_and_request_has_a_beginning_and_an_end(tmp_path: Path) -> None:
    path, out = write_turns(tmp_path / "run.jsonl", 20).path, tmp_path / "run.json"
    events = exported(path, out)
    assert Counter(each["cat"] for each in events if each["ph"] == "b") == {"turn": 20, "item": 40, "request": 7}
    keys = {"name", "ph", "pid", "tid"}
    assert [each for each in events if not keys <= each.keys() or not isinstance(each["pid"], int)] == []
    ends = {
        (each["cat"], each["id2"]["local"], each["pid"], each["name"]): each["ts"]
        for each in events
        if each["ph"] == "e"
    }
    begins = {
        (each["cat"], each["id2"]["local"], each["pid"], each["name"]): each for each in events if each["ph"] == "b"
    }
    assert ends.keys() == begins.keys()
    assert len(begins) == 67
    assert [key for key, each in begins.items() if not 0 <= each["ts"] <= ends[key]] == []
    names = {(each["name"], each["pid"], each["tid"]): each["args"]["name"] for each in events if each["ph"] == "M"}
    assert names["process_name", 1, 0] == "runtime 1 of client c1, pid 9"
    [(key, turn)] = [(key, each) for key, each in begins.items() if key[3] == f"07 6 {' '.join(HOSTILE.split())}"]
    parts = [each["name"] for each in begins.values() if each["name"].startswith("07.")]
    assert parts == ["07.1 commandExecution", "07.2 approval", "07.3 agentMessage"]
    assert names["thread_name", 1, turn["tid"]] == "thread-c1-6"
    assert turn["ts"] == pytest.approx(3.2e6)
    assert ends[key] - turn["ts"] == pytest.approx(3.6e6)
    assert (turn["args"]["status"], turn["args"]["error"]) == ("failed", "other")
    assert {each["s"] for each in events if each["ph"] == "i"} == {"p"}
