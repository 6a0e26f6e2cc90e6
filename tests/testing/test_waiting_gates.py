"""Turns that are held, hung and run side by side, decided by gates and never by sleeping."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from openai_codex.testing import say
from tests.support.bounds import PATIENCE

if TYPE_CHECKING:
    from .conftest import Kit


def start(kit: Kit, text: str) -> str:
    """Start a turn on a new thread; its thread."""
    thread = kit.client.thread()
    kit.client.request("turn/start", threadId=thread, input=[{"type": "text", "text": text}])
    return thread


def interrupt(kit: Kit, thread: str) -> str:
    """Interrupt the turn of a thread; the status it ends with."""
    # Not a request that is waited for: now and then the runtime ends the turn before it answers.
    kit.client.send("turn/interrupt", threadId=thread, turnId="")
    return str(kit.client.event("turn/completed", threadId=thread)["turn"]["status"])


def test_a_gate_holds_a_reply_between_two_deltas(kit: Kit) -> None:
    gate = kit.model.gate()
    kit.model.say("Hello big world", gate=gate, hold_after=2)
    thread = start(kit, "Hi")
    gate.wait_reached()
    kit.client.event("item/agentMessage/delta", delta=" big")
    # The turn is alive and silent: other requests are answered, and no third delta has come before their answers.
    kit.client.request("thread/loaded/list")
    assert kit.client.deltas() == ["Hello", " big"]
    gate.open()
    kit.client.event("turn/completed", threadId=thread)
    assert kit.client.deltas() == ["Hello", " big", " world"]


def test_a_held_turn_can_be_interrupted(kit: Kit) -> None:
    gate = kit.model.gate()
    kit.model.say("Hello world", gate=gate, hold_after=1)
    thread = start(kit, "Hi")
    gate.wait_reached()
    assert interrupt(kit, thread) == "interrupted"
    kit.model.wait_idle()
    assert kit.model.abandoned_count == 1


def test_a_hanging_model_can_be_interrupted(kit: Kit) -> None:
    kit.model.hang()
    thread = start(kit, "Hi")
    kit.model.wait_for_requests(1)
    assert interrupt(kit, thread) == "interrupted"
    kit.model.wait_idle()


def test_a_delayed_reply_comes_late(kit: Kit) -> None:
    kit.model.say("a b c", delay=0.2, delta_delay=0.05)
    started = time.monotonic()
    kit.client.turn(kit.client.thread(), "Hi")
    assert time.monotonic() - started >= 0.35


def test_a_hundred_turns_at_once(kit: Kit) -> None:
    gate = kit.model.gate()
    kit.model.when(
        re.compile(r"^number \d+$"),
        lambda request: say(f"answer to {request.last_user_text}", gate=gate, hold_after=1),
    )
    threads = {start(kit, f"number {number}"): f"answer to number {number}" for number in range(100)}
    gate.wait_reached(PATIENCE, count=100)
    assert kit.model.active_count == 100
    gate.open()
    open_turns = set(threads)
    while open_turns:
        frame = kit.client.until(lambda frame: frame.get("method") == "turn/completed")
        open_turns.remove(frame["params"]["threadId"])
    said = [frame["params"] for frame in kit.client.seen if frame.get("method") == "item/completed"]
    assert {
        each["threadId"]: each["item"]["text"] for each in said if each["item"]["type"] == "agentMessage"
    } == threads
