"""The actor against children that misbehave on purpose."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openai_codex import TransportClosedError
from openai_codex._approvals.kinds import refusal_line
from openai_codex._engine import actor as actor_module
from openai_codex._engine import at_exit
from openai_codex._engine.actor import Actor
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.outbox import Outbox
from openai_codex._engine.reply import Reply
from openai_codex._engine.router import Dispatch, Router
from openai_codex._engine.subscriptions import EVERYTHING
from openai_codex._engine.transport import ChildProcess
from openai_codex._engine.waiting import block_until_ready
from openai_codex._engine.wire import Frame
from openai_codex._notification import Notification
from tests.support.bounds import PATIENCE, eventually
from tests.support.children import child
from tests.support.inside import request

Start = Callable[[str], Actor]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Actor] = []

    def run(program: str) -> Actor:
        actor = Actor(
            ChildProcess(child(program), None, None),
            lambda pending: pending.answer(refusal_line(pending.request)),
            max_in_flight=64,
        )
        started.append(actor)
        actor.start()
        return actor

    yield run
    for actor in started:
        at_exit.stop(actor, timeout=10)
        assert actor.exited.is_ready()
        assert block_until_ready(actor.threads.ended, PATIENCE)
        actor.threads.join()
    assert eventually(lambda: not any(t.name.startswith("codex-") for t in threading.enumerate()))


def wait_ready(actor: Actor) -> None:
    """Wait until the child has set itself up. It says so when it is asked, so not before the mailbox is subscribed."""
    box = Mailbox("ready")
    actor.subscribe(EVERYTHING, box)
    actor.notify("go")
    assert block_until_ready(box, PATIENCE)


def result(reply: Reply, timeout: float = PATIENCE) -> object:
    assert block_until_ready(reply, timeout)
    return reply.result()


def test_noise_on_stdout_is_counted_and_skipped(start: Start) -> None:
    actor = start("""
        os.write(1, b"hello\\n\\n[1]\\n{\\"a\\":\\n\\xff\\xfe\\n")
        while True: reply(read(), {"ok": True})
    """)
    assert result(request(actor, "m", {})) == {"ok": True}
    assert actor.tally.skipped == 4


def test_half_a_line_at_the_end_is_counted(start: Start) -> None:
    actor = start('read(); os.write(1, b"half")')
    reply = request(actor, "m", {})
    with pytest.raises(TransportClosedError):
        result(reply)
    assert actor.tally.skipped == 1


@pytest.mark.parametrize("recycled", [None, "it was replaced"])
def test_a_runtime_that_exits_as_soon_as_it_is_stopped_was_stopped(
    start: Start, monkeypatch: pytest.MonkeyPatch, recycled: str | None
) -> None:
    actor = start("while read(): pass")

    def close_and_wait(outbox: Outbox) -> None:
        monkeypatch.undo()  # the reader closes it, too
        outbox.close()
        assert block_until_ready(actor.exited, PATIENCE), "the child exits when its input ends"

    monkeypatch.setattr(Outbox, "close", close_and_wait)
    for _ in actor.stop(PATIENCE, recycled):
        break
    reason = actor.close_reason
    assert reason is not None
    assert reason.is_intended
    assert (reason.final, reason.recycled) == (recycled is None, recycled is not None)


def test_a_death_tells_everyone_what_is_known(start: Start) -> None:
    actor = start("""
        read(); read()
        print("\\x1b[31mlast words\\x1b[0m", file=sys.stderr, flush=True)
        sys.exit(7)
    """)
    box = Mailbox("everything")
    actor.subscribe(EVERYTHING, box)
    replies = [request(actor, "a", {}), request(actor, "b", {})]
    errors = []
    for reply in replies:
        with pytest.raises(TransportClosedError) as caught:
            result(reply)
        errors.append(caught.value)
    assert [error.waiting_for for error in errors] == ["a", "b"]
    assert errors[0].process.exit_code == 7
    assert errors[0].process.stderr_tail == ("last words",)
    assert "exit code 7" in str(errors[0])
    assert block_until_ready(box, PATIENCE)
    with pytest.raises(TransportClosedError, match="everything"):
        box.take()
    with pytest.raises(TransportClosedError, match="while waiting for c"):
        request(actor, "c", {})
    with pytest.raises(TransportClosedError):
        actor.subscribe(EVERYTHING, Mailbox("later"))


def test_a_kill_names_the_signal(start: Start) -> None:
    actor = start("time.sleep(100)")
    reply = request(actor, "m", {})
    os.kill(actor.pid or 0, signal.SIGKILL)
    with pytest.raises(TransportClosedError, match="killed by SIGKILL"):
        result(reply)


def test_a_full_pipe_blocks_no_caller_and_loses_nothing(start: Start) -> None:
    actor = start("""
        go = sys.stdin.readline()
        send({"method": "gate"})
        for _ in range(20): reply(json.loads(sys.stdin.readline()), json.loads(sys.stdin.readline())["method"])
    """)
    # Two lines per reply: each long request is followed by a short one; together far more than a pipe holds.
    actor.notify("go")
    replies = []
    for _ in range(20):
        replies.append(request(actor, "big", {"text": "x" * 300_000}))
        request(actor, "after", {})
    assert [result(reply) for reply in replies] == ["after"] * 20


@pytest.mark.slow
def test_a_child_that_reads_nothing_can_still_be_stopped(start: Start) -> None:
    actor = start("""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        read(); send({"method": "ready"})
        while True: time.sleep(100)
    """)
    wait_ready(actor)
    reply = request(actor, "big", {"text": "x" * 1_000_000})
    assert not block_until_ready(reply, 0)
    at_exit.stop(actor, timeout=1.0)
    assert actor.transport.process_info().exit_code == -signal.SIGKILL
    with pytest.raises(TransportClosedError, match="the client was closed"):
        result(reply)


def test_a_large_frame_in_small_pieces_arrives_whole(start: Start) -> None:
    actor = start("""
        request = read()
        frame = json.dumps({"id": request["id"], "result": "y" * 8_000_000}).encode() + b"\\n"
        for at in range(0, len(frame), 4096): os.write(1, frame[at:at + 4096])
        read()
    """)
    assert result(request(actor, "m", {})) == "y" * 8_000_000


def test_a_server_request_is_declined_and_an_unknown_one_refused(start: Start) -> None:
    actor = start("""
        first = read()
        send({"id": 0, "method": "item/fileChange/requestApproval", "params": {}})
        send({"id": 1, "method": "brand/new", "params": {}})
        answers = sorted((read(), read()), key=lambda each: each["id"])
        reply(first, answers)
        read()
    """)
    declined, refused = result(request(actor, "m", {}))  # type: ignore[misc]  # the child sends two
    assert declined == {"id": 0, "result": {"decision": "decline"}}
    assert refused["error"]["code"] == -32601


def test_a_late_reply_is_dropped_and_logged(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openai_codex.actor")
    actor = start("""
        first = read(); second = read()
        reply(first, "late"); reply(second, "in time")
        read()
    """)
    late = request(actor, "slow", {})
    assert not block_until_ready(late, 0)
    actor.abandon(late)
    assert result(request(actor, "fast", {})) == "in time"
    assert late.given_up
    assert (actor.tally.late, actor.tally.skipped) == (1, 0)
    assert eventually(lambda: any("late_reply" in each.message for each in caplog.records))
    logged = [vars(each)["codex"] for each in caplog.records if "late_reply" in each.message]
    assert logged == [{"event": "codex.late_reply", "pid": actor.pid, "count": 1}]


@pytest.mark.slow
def test_a_runtime_that_closes_its_output_but_lives_is_ended(start: Start) -> None:
    actor = start("read(); os.close(1); time.sleep(100)")
    reply = request(actor, "m", {})
    with pytest.raises(TransportClosedError):
        result(reply)
    assert block_until_ready(actor.exited, PATIENCE)


def test_an_exit_is_noticed_though_a_descendant_holds_the_output(start: Start) -> None:
    actor = start("""
        import subprocess
        left = subprocess.Popen(["sleep", "100"])
        read(); send({"method": "left", "params": {"pid": left.pid}}); os._exit(3)
    """)
    box = Mailbox("left")
    actor.subscribe(EVERYTHING, box)
    reply = request(actor, "m", {})
    with pytest.raises(TransportClosedError, match="exit code 3"):
        result(reply)
    assert block_until_ready(actor.exited, PATIENCE)
    [event] = box.take()
    assert eventually(lambda: not _runs(event.params["pid"]))


def _runs(pid: int) -> bool:
    """Say whether a process lives; one that was killed and not yet reaped by init does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_one_invalid_frame_does_not_end_the_connection(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = start("""
        read(); send({"method": "odd"})
        while True: reply(read(), "fine")
    """)
    real = Router.dispatch

    def dispatch(router: Router, frames: list[Frame], out: Dispatch) -> Dispatch:
        if any(isinstance(frame, Notification) for frame in frames):
            raise KeyError("a bug")
        return real(router, frames, out)

    monkeypatch.setattr(Router, "dispatch", dispatch)
    actor.notify("go")
    assert eventually(lambda: actor.tally.skipped)  # the odd one is met before anything else is sent
    assert actor.tally.skipped == 1
    assert result(request(actor, "m", {})) == "fine"


def test_a_handler_that_fails_still_answers(start: Start) -> None:
    actor = start("""
        first = read()
        send({"id": 0, "method": "item/fileChange/requestApproval", "params": {}})
        reply(first, read())
        read()
    """)

    def broken(_: object) -> bytes:
        raise ZeroDivisionError

    actor.server_requests.on_request = broken
    assert result(request(actor, "m", {}))["error"]["code"] == -32603  # type: ignore[index]  # the child sends a dict


@pytest.mark.slow
@pytest.mark.parametrize("stubborn", [False, True])
def test_a_connection_without_references_ends(start: Start, stubborn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not stubborn:
        monkeypatch.setattr(actor_module, "_COLLECTED_GRACE", PATIENCE)
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if stubborn else "pass"
    actor = start(f"""
        {ignore}
        read(); send({{"method": "ready"}})
        while True: time.sleep(100)
    """)
    wait_ready(actor)
    actor.let_go()
    assert block_until_ready(actor.exited, PATIENCE)
    assert actor.transport.process_info().exit_code == -(signal.SIGKILL if stubborn else signal.SIGTERM)


def test_stderr_is_drained_and_its_tail_bounded(start: Start) -> None:
    actor = start("""
        for number in range(200_000): sys.stderr.write(f"line {number}\\n")
        sys.stderr.write("z" * 10_000 + "\\n"); sys.stderr.flush()
        reply(read(), "done"); read()
    """)
    assert result(request(actor, "m", {})) == "done"
    at_exit.stop(actor, timeout=10)
    tail = actor.transport.process_info().stderr_tail
    assert len(tail) <= 50
    assert max(map(len, tail)) <= 2_000
