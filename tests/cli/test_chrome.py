"""A timeline for Perfetto: what the trace format of Chrome asks for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.journals import HOSTILE, write_turns


def test_each_turn_item_and_request_has_a_beginning_and_an_end(tmp_path: Path) -> None:
    path, out = write_turns(tmp_path / "run.jsonl", 20).path, tmp_path / "run.json"
    assert ended(None, "trace", str(path), "timeline", "--chrome", str(out)).code == 0
    events = json.loads(out.read_bytes())
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
