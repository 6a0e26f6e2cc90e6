"""All operations: how often each is done, in relation to the others."""

from __future__ import annotations

from tools.soak import asks, clients, stops, threads, turns
from tools.soak.worker import Operation

OPERATIONS = (
    Operation("run", 12, turns.run),
    Operation("run, model fails", 4, turns.run_badly),
    Operation("stream", 8, turns.stream),
    Operation("text", 5, turns.read_text),
    Operation("items", 3, turns.read_items),
    Operation("leave a stream and return", 4, turns.leave_and_return),
    Operation("leave a flood unread", 1, turns.leave_unread),
    Operation("drop a turn", 2, turns.forget),
    Operation("steer", 3, turns.steer),
    Operation("interrupt", 6, stops.interrupt),
    Operation("interrupt from aside", 3, stops.interrupt_from_aside),
    Operation("interrupt late", 3, stops.interrupt_late),
    Operation("leave by exception", 3, stops.leave_by_exception),
    Operation("cancel", 6, stops.cancel, faces=("async",)),
    Operation("time out", 6, stops.time_out),
    Operation("stall", 2, stops.stall),
    Operation("hurry", 4, stops.hurry),
    Operation("approve", 6, asks.answer),
    Operation("approve later", 4, asks.park),
    Operation("approve too late", 3, asks.answer_too_late),
    Operation("never approve", 1, asks.never_answer),
    Operation("fork", 3, threads.fork),
    Operation("unsubscribe, resume", 3, threads.unsubscribe),
    Operation("resume in the next client", 4, threads.inherit),
    Operation("read a thread", 3, threads.look),
    Operation("kill", 2, clients.kill),
    Operation("reopen", 1, clients.reopen),
    Operation("another client", 1, clients.visit),
    Operation("another client, dropped", 1, clients.drop),
    Operation("leave a command running", 1, clients.background),
    Operation("subscribe, read nothing", 2, clients.subscribe),
    Operation("subscribe, read slowly", 2, clients.listen),
    Operation("60 requests at once", 1, clients.burst),
)
"""What workers choose from."""
