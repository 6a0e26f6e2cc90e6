"""Waiting from threads and from event loops, at the example of gates."""

from __future__ import annotations

import asyncio
import threading

import pytest

from openai_codex.testing import Gate, WaitTimeoutError


def test_a_wait_that_times_out_reports_the_progress() -> None:
    with pytest.raises(WaitTimeoutError, match=r"expected 2 arrival\(s\) at the gate within 0.01 s, got 0"):
        Gate().wait_reached(0.01, count=2)


async def both_sides() -> list[str]:
    gate, order = Gate(), list[str]()

    async def replying() -> None:
        order.append("arrives")
        await gate.hold()
        order.append("goes on")

    task = asyncio.ensure_future(replying())
    await gate.reached()
    order.append("seen")
    gate.open()
    await task
    return order


def test_an_event_loop_can_wait_for_both_sides() -> None:
    assert asyncio.run(both_sides()) == ["arrives", "seen", "goes on"]


def test_a_thread_can_wait_while_a_loop_is_held() -> None:
    gate = Gate()
    holding = threading.Thread(target=lambda: asyncio.run(gate.hold()))
    holding.start()
    try:
        gate.wait_reached()
        assert (gate.arrivals, gate.is_open) == (1, False)
    finally:
        gate.open()
        holding.join(5)
    assert not holding.is_alive()


def test_an_open_gate_holds_no_reply() -> None:
    gate = Gate()
    gate.open()
    asyncio.run(asyncio.wait_for(gate.hold(), 5))
    assert repr(gate) == "Gate(open, arrivals=1)"


def test_an_async_wait_can_time_out() -> None:
    with pytest.raises(WaitTimeoutError):
        asyncio.run(Gate().reached(0.01))
