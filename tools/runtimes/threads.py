"""Steps of threads: stored, listed, read, resumed, forked, closed."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex import Codex, RuntimeStarted, TransportClosedError
from openai_codex.types import ThreadTurnsListParams
from tools.runtimes.steps import PATIENCE, step

if TYPE_CHECKING:
    from openai_codex import Thread
    from openai_codex.testing import OfflineKit


def stored(codex: Codex, text: str = "remember this") -> Thread:
    """Return a thread with one turn."""
    thread = codex.thread_start()
    thread.run(text, timeout=PATIENCE)
    return thread


@step("list of threads")
def listed(_: OfflineKit, codex: Codex) -> None:
    """List threads, page by page."""
    made = {stored(codex).id for _ in range(3)}
    assert {thread.id for thread in codex.threads(page_size=2)} == made


@step("search of threads")
def search(_: OfflineKit, codex: Codex) -> None:
    """Search for a word."""
    made = stored(codex, "the word xylophone")
    stored(codex)
    assert [found.thread.id for found in codex.thread_search("xylophone")] == [made.id]


@step("thread/read")
def read(_: OfflineKit, codex: Codex) -> None:
    """Read a thread."""
    thread = stored(codex)
    found = thread.read().thread
    assert (found.id, found.preview) == (thread.id, "remember this")


@step("turns of a thread")
def turns(_: OfflineKit, codex: Codex) -> None:
    """List the turns of a thread."""
    thread = stored(codex)
    assert len(list(thread.turns())) == 1
    assert len(codex.request(ThreadTurnsListParams(thread_id=thread.id)).data) == 1


@step("items of a thread")
def items(_: OfflineKit, codex: Codex) -> None:
    """List the items of a thread."""
    assert len(list(stored(codex).items())) == 2  # noqa: PLR2004  the input and the answer


@step("name of a thread")
def name(_: OfflineKit, codex: Codex) -> None:
    """Name a thread."""
    thread = stored(codex)
    thread.set_name("a name")
    assert thread.read().thread.name == "a name"


@step("resume in the next client")
def resume(kit: OfflineKit, codex: Codex) -> None:
    """Resume a thread of a client that is gone."""
    thread = stored(codex)
    codex.close()
    with Codex(kit.config) as other:
        other.thread_resume(thread.id).run("go on", timeout=PATIENCE)
    assert "remember this" in str(kit.model.requests[-1].json)


@step("fork")
def fork(kit: OfflineKit, codex: Codex) -> None:
    """Continue a copy of a thread."""
    thread = stored(codex)
    copy = codex.thread_fork(thread.id)
    copy.run("go on", timeout=PATIENCE)
    assert copy.id != thread.id
    assert "remember this" in str(kit.model.requests[-1].json)


@step("fork at a turn")
def fork_at(kit: OfflineKit, codex: Codex) -> None:
    """Continue a copy of a thread that ends with an earlier turn."""
    thread = stored(codex)
    first = next(iter(thread.turns())).id
    thread.run("forget this", timeout=PATIENCE)
    codex.thread_fork(thread.id, last_turn_id=first).run("go on", timeout=PATIENCE)
    assert "forget this" not in str(kit.model.requests[-1].json)


@step("archive and unarchive")
def archive(_: OfflineKit, codex: Codex) -> None:
    """Archive a thread and bring it back."""
    thread = stored(codex)
    codex.thread_archive(thread.id)
    assert list(codex.threads()) == []
    codex.thread_unarchive(thread.id)
    assert codex.thread_resume(thread.id).run("go on", timeout=PATIENCE).final_response == "ok"


@step("delete")
def delete(_: OfflineKit, codex: Codex) -> None:
    """Delete a thread."""
    codex.thread_delete(stored(codex).id)
    assert list(codex.threads()) == []


@step("close")
def close(_: OfflineKit, codex: Codex) -> None:
    """Give threads up, stored and ephemeral."""
    stored(codex).close()
    thread = codex.thread_start(ephemeral=True)
    thread.run("hi", timeout=PATIENCE)
    thread.close()
    assert codex.health().threads == 0


@step("compact")
def compact(_: OfflineKit, codex: Codex) -> None:
    """Compact a thread, and run a turn after that."""
    thread = stored(codex)
    thread.compact()
    assert thread.run("go on", timeout=PATIENCE).final_response == "ok"


@step("restart")
def restart(kit: OfflineKit, _: Codex) -> None:
    """Resume a thread in the runtime that replaces one that was killed."""
    with Codex(kit.home.config(restart=True)) as codex:
        events = codex.events(RuntimeStarted, timeout=PATIENCE)
        thread = stored(codex)
        os.kill(codex.health().pid or 0, signal.SIGKILL)
        with suppress(TransportClosedError):  # it may meet the death or not
            thread.run("lost", timeout=PATIENCE)
        assert thread.run("go on", timeout=PATIENCE).final_response == "ok"
        assert isinstance(next(events).payload, RuntimeStarted)
