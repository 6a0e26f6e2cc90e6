"""An application's logging that raises: no call fails, no thread ends, and each clean-up precedes its announcement."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from openai_codex import AsyncCodex, RuntimeExited, TurnTimeoutError
from openai_codex._async.client import cursor
from openai_codex.testing import FakeAppServer
from openai_codex.types import ModelListParams, ThreadNameUpdatedNotification, UnknownNotification
from tests.support.bounds import PATIENCE, STARTED, eventually

FIELDS = "codex event pid thread_id turn_id request_id method status tool hint seconds generation reason count"

Break = Callable[[], Any]
ROOT = logging.getLogger("openai_codex")


class ShippingError(Exception):
    """The log server is down."""


def fail(*_: object, **__: object) -> Any:
    raise ShippingError


def leave(*_: object, **__: object) -> Any:
    raise SystemExit(3)


@contextmanager
def factory(key: str) -> Iterator[None]:
    """Put a key of the application on every record, as the logging cookbook shows."""
    old = logging.getLogRecordFactory()

    def make(*args: Any, **named: Any) -> logging.LogRecord:
        record = old(*args, **named)
        setattr(record, key, "of the application")
        return record

    logging.setLogRecordFactory(make)
    try:
        yield
    finally:
        logging.setLogRecordFactory(old)


@contextmanager
def failing_factory() -> Iterator[None]:
    old = logging.getLogRecordFactory()
    logging.setLogRecordFactory(fail)
    try:
        yield
    finally:
        logging.setLogRecordFactory(old)


@contextmanager
def handler(emit: Callable[[logging.LogRecord], Any]) -> Iterator[None]:
    handler = logging.Handler()
    handler.emit = emit  # type: ignore[method-assign]  # the shortest handler
    ROOT.addHandler(handler)
    try:
        yield
    finally:
        ROOT.removeHandler(handler)


@contextmanager
def logging_filter(check: Any) -> Iterator[None]:
    parts = [logging.getLogger(name) for name in list(ROOT.manager.loggerDict) if name.startswith("openai_codex")]
    for part in parts:
        part.addFilter(check)
    try:
        yield
    finally:
        for part in parts:
            part.removeFilter(check)


BREAKS = {
    **{f"factory sets {key}": lambda key=key: factory(key) for key in FIELDS.split()},
    "factory raises": failing_factory,
    "filter raises": lambda: logging_filter(fail),
    "handler raises": lambda: handler(fail),
    "handler exits": lambda: handler(leave),
}


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    ROOT.setLevel(logging.DEBUG)
    yield
    ROOT.setLevel(logging.NOTSET)


async def use(server: FakeAppServer) -> None:
    """Do what logs: every event of the package is due at least once."""

    def approve(request: Any) -> bool:
        raise LookupError(request.command)

    over = threading.Event()
    config = server.config(restart=True, handler_timeout=0.2)
    async with AsyncCodex(config, on_approval=approve, on_user_input=lambda _: over.wait(PATIENCE)) as codex:
        thread = await codex.thread_start()
        events = codex.events(ThreadNameUpdatedNotification, limit=1)
        turn = await thread.turn("go")
        approval = server.turn.ask("item/commandExecution/requestApproval", itemId="I", startedAtMs=0, command="true")
        question = server.turn.ask("item/tool/requestUserInput", itemId="I", questions=[], isBlocking=True)
        unknown = server.turn.ask("item/unheardOf")
        assert (await approval.answered(PATIENCE))["result"] == {"decision": "decline"}
        assert "error" in await unknown.answered(PATIENCE)
        assert await question.answered(PATIENCE)
        over.set()
        server.child.write(b"noise\n")
        for name in "ab":
            server.notify("thread/name/updated", {"threadId": thread.id, "threadName": name})
        server.notify("thread/name/updated", {"threadId": 5})
        server.turn.message("ok")
        server.turn.complete()
        assert (await turn.run(timeout=PATIENCE)).final_response == "ok"
        assert isinstance((await events.__anext__()).payload, UnknownNotification)
        late = await thread.turn("again")
        with pytest.raises(TurnTimeoutError):
            await late.run(timeout=0.1)
        assert eventually(lambda: server.requests("turn/interrupt"))
        # The empty id means the thread's turn, and is sent while it has not begun.
        assert {each.params["turnId"] for each in server.requests("turn/interrupt")} <= {"", late.id}
        assert codex.health().requests_in_flight == 0
        deaths = codex.events(RuntimeExited)
        server.child.kill()
        await deaths.__anext__()
        assert (await thread.turn("again")).id
        await codex.request(ModelListParams(), timeout=PATIENCE)
    assert server.starts == 2


@pytest.mark.parametrize("how", BREAKS)
async def test_logging_that_raises_changes_nothing(how: str, caplog: pytest.LogCaptureFixture) -> None:
    with FakeAppServer() as server:
        server.on("model/list", {"data": []})
        with BREAKS[how]():
            await use(server)
    if how.startswith("factory sets"):
        key = how.rpartition(" ")[2]
        assert {vars(record)[key] for record in caplog.records if record.name.startswith("openai_codex")} == {
            "of the application"
        }


async def test_the_clean_up_precedes_its_announcement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log handler may block, end the thread or read the state; by then the runtime has its answer."""
    monkeypatch.setattr(cursor, "ABANDON_PATIENCE", PATIENCE)
    seen: dict[str, bool] = {}
    over = threading.Event()
    with FakeAppServer() as server:

        def look(record: logging.LogRecord) -> None:
            event, request = vars(record)["codex"]["event"], vars(record)["codex"].get("request_id")
            if event in {"codex.handler_failed", "codex.handler_timed_out", "codex.server_request_declined"}:
                seen[event] = request not in [pending.id for pending in codex.pending_requests()]
            if event == "codex.turn_abandoned":
                seen[event] = bool(server.requests("turn/interrupt"))

        def approve(request: Any) -> bool:
            raise LookupError(request.command)

        with handler(look):
            config = server.config(handler_timeout=STARTED)
            async with AsyncCodex(config, on_approval=approve, on_user_input=lambda _: over.wait(PATIENCE)) as codex:
                turn = await (await codex.thread_start()).turn("go")
                asked = "item/commandExecution/requestApproval"
                await server.turn.ask(asked, itemId="I", startedAtMs=0, command="true").answered(PATIENCE)
                await server.turn.ask("item/unheardOf").answered(PATIENCE)
                await server.turn.ask("item/tool/requestUserInput", itemId="I", questions=[], isBlocking=True).answered(
                    PATIENCE
                )
                over.set()
                with pytest.raises(TurnTimeoutError):
                    await turn.run(timeout=0.1)
    assert eventually(lambda: len(seen) == 4)
    assert seen == dict.fromkeys(
        (
            "codex.handler_failed",
            "codex.server_request_declined",
            "codex.handler_timed_out",
            "codex.turn_abandoned",
        ),
        True,
    )
