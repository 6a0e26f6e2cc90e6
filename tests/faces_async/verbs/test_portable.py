"""Threads are exported from one home and imported into another, on the real runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openai_codex import (
    AsyncCodex,
    ConfigError,
    FolderStore,
    InternalRpcError,
    InvalidRequestError,
    ThreadConflictError,
    ThreadDataError,
    ThreadNotFoundError,
    ThreadTransferError,
)
from openai_codex._portable.package import Package, read_package
from openai_codex._portable.rollouts import Rollout
from openai_codex.testing import OfflineKit, ScriptedModel, hang, offline
from openai_codex.types import ThreadRevertParams

HISTORY = ["one", "answer 1", "two", "answer 2"]


def told(model: ScriptedModel) -> list[str]:
    """Return the texts of the conversation that the model got with its newest request, without those of the runtime."""
    inputs: list[dict[str, Any]] = model.requests[-1].json["input"]
    texts = [part["text"] for each in inputs if each["type"] == "message" for part in each["content"]]
    return [text for text in texts if not text.startswith("<") and "\n" not in text]


def files(kit: OfflineKit) -> dict[str, bytes]:
    """Return the rollout files of a home, and all that is beside them."""
    root = Path(kit.home.path)
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else b""
        for part in ("sessions", "archived_sessions")
        for path in (root / part).rglob("*")
    }


async def two_turns(codex: AsyncCodex, kit: OfflineKit) -> str:
    """Make a thread with two turns."""
    thread = await codex.thread_start()
    for number, text in enumerate(("one", "two"), 1):
        kit.model.say(f"answer {number}")
        await thread.run(text)
    return thread.id


async def test_a_thread_goes_on_in_another_home_with_its_whole_history() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            await codex.thread(thread_id).set_name("my thread")
            data = await codex.thread_export(thread_id)
        async with AsyncCodex(there.config) as codex:
            thread = await codex.thread_import(data)
            there.model.say("answer 3")
            result = await thread.run("three")
            name = (await thread.read()).thread.name
        assert thread.id == thread_id
        assert result.final_response == "answer 3"
        assert told(there.model) == [*HISTORY, "three"]
        assert name == "my thread"


async def test_it_comes_back_with_what_was_added_there() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            data = await codex.thread_export(thread_id)
        async with AsyncCodex(there.config) as codex:
            there.model.say("answer 3")
            await (await codex.thread_import(data)).run("three")
            data = await codex.thread_export(thread_id)
        async with AsyncCodex(here.config) as codex:
            await codex.thread_resume(thread_id)  # adds settings to the file, and nothing to the history
        async with AsyncCodex(here.config) as codex:
            thread = await codex.thread_import(data)
            here.model.say("answer 4")
            await thread.run("four")
            turns = [turn.id async for turn in thread.turns()]
        assert told(here.model) == [*HISTORY, "three", "answer 3", "four"]
        assert len(turns) == 4


async def test_a_fork_comes_with_what_it_shares_with_its_parents() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            first = await two_turns(codex, here)
            second = await codex.thread_fork(first)
            here.model.say("answer 3")
            await second.run("three")
            third = await codex.thread_fork(second.id)
            here.model.say("answer 4")
            here.model.say("of the parent")
            await third.run("four")
            await second.run("later, in the parent")
            data = await codex.thread_export(third.id)
        async with AsyncCodex(there.config) as codex:
            thread = await codex.thread_import(data)
            there.model.say("answer 5")
            there.model.say("answer 6")
            await thread.run("five")
            assert told(there.model) == [*HISTORY, "three", "answer 3", "four", "answer 4", "five"]
            await (await codex.thread_resume(first)).run("in the first")
            assert told(there.model) == [*HISTORY, "in the first"]
        assert b"later, in the parent" not in b"".join(each.data for each in read_package(data).rollouts)
        assert len(read_package(data).rollouts) == 3


async def test_a_parent_that_has_grown_in_the_other_home_is_left_alone() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            parent = await two_turns(codex, here)
            data = await codex.thread_export(parent)
            fork = await codex.thread_fork(parent)
            here.model.say("answer 3")
            await fork.run("three")
            forked = await codex.thread_export(fork.id)
        async with AsyncCodex(there.config) as codex:
            there.model.say("grown")
            await (await codex.thread_import(data)).run("more")
            thread = await codex.thread_import(forked)
            there.model.say("answer 4")
            await thread.run("four")
            assert told(there.model) == [*HISTORY, "three", "answer 3", "four"]
            turns = [turn.id async for turn in codex.thread(parent).turns()]
        assert len(turns) == 3


async def test_a_reverted_thread_comes_without_what_was_reverted() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            before = await codex.thread_export(thread_id)
            here.model.say("wrong")
            here.model.say("answer 3")
            wrong = await codex.thread(thread_id).run("reverted")
            await codex.request(ThreadRevertParams(thread_id=thread_id, before_turn_id=wrong.id))
            await codex.thread(thread_id).run("three")
            data = await codex.thread_export(thread_id)
        async with AsyncCodex(there.config) as codex:
            thread = await codex.thread_import(data)
            there.model.say("answer 4")
            await thread.run("four")
            assert told(there.model) == [*HISTORY, "three", "answer 3", "four"]
            held = files(there)
            with pytest.raises(ThreadConflictError, match="reverted here"):
                await codex.thread_import(before)
        assert files(there) == held


async def test_a_thread_that_was_reverted_elsewhere_has_to_be_deleted_here_first() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            here.model.say("wrong")
            wrong = await codex.thread(thread_id).run("reverted")
            before = await codex.thread_export(thread_id)
            await codex.request(ThreadRevertParams(thread_id=thread_id, before_turn_id=wrong.id))
            here.model.say("answer 3")
            await codex.thread(thread_id).run("three")
            data = await codex.thread_export(thread_id)
        async with AsyncCodex(there.config) as codex:
            await codex.thread_import(before)
        held = files(there)
        async with AsyncCodex(there.config) as codex:
            with pytest.raises(ThreadConflictError, match="delete it here before"):
                await codex.thread_import(data)
            assert files(there) == held
            await codex.thread_delete(thread_id)
            thread = await codex.thread_import(data)
            there.model.say("answer 4")
            await thread.run("four")
            assert told(there.model) == [*HISTORY, "three", "answer 3", "four"]


async def test_to_import_the_same_again_changes_nothing() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            data = await codex.thread_export(thread_id)
            held = files(here)
            assert (await codex.thread_import(data)).id == thread_id
            assert files(here) == held
        async with AsyncCodex(there.config) as codex:
            await codex.thread_import(data)
            held = files(there)
            assert (await codex.thread_import(data)).id == thread_id
            assert files(there) == held
        async with AsyncCodex(there.config) as codex:  # its resume has added settings to the file
            assert (await codex.thread_import(data)).id == thread_id
            assert len(files(there)) == len(held)


async def test_newer_and_other_turns_are_kept() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            data = await codex.thread_export(thread_id)
            here.model.say("answer 3")
            await codex.thread(thread_id).run("here")
            newer = await codex.thread_export(thread_id)
            held = files(here)
            with pytest.raises(ThreadConflictError, match="newer turns here") as caught:
                await codex.thread_import(data)
            assert caught.value.thread_id == thread_id
            assert files(here) == held
        async with AsyncCodex(there.config) as codex:
            thread = await codex.thread_import(data)
            held = files(there)
            with pytest.raises(ThreadConflictError, match="older here, and a runtime has it open"):
                await codex.thread_import(newer)
            assert files(there) == held
            there.model.say("other answer")
            await thread.run("there")
            held = files(there)
            with pytest.raises(ThreadConflictError, match="other turns here"):
                await codex.thread_import(newer)
            assert files(there) == held


async def test_an_older_thread_that_another_process_has_open_is_kept() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            data = await codex.thread_export(thread_id)
            here.model.say("answer 3")
            await codex.thread(thread_id).run("here")
            newer = await codex.thread_export(thread_id)
        async with AsyncCodex(there.config) as codex, AsyncCodex(there.config) as other:
            await codex.thread_import(data)
            held = files(there)
            with pytest.raises(ThreadConflictError, match="a runtime has it open"):
                await other.thread_import(newer)
            assert files(there) == held


async def test_what_cannot_be_exported_says_why() -> None:
    with offline() as kit:
        async with AsyncCodex(kit.config) as codex:
            ephemeral = await codex.thread_start(ephemeral=True)
            with pytest.raises(ThreadTransferError, match="it is ephemeral"):
                await codex.thread_export(ephemeral.id)
            empty = await codex.thread_start()
            with pytest.raises(ThreadTransferError, match="cannot be read"):
                await codex.thread_export(empty.id)
            kit.model.queue(hang())
            turn = await empty.turn("one")
            await kit.model.received(1)
            with pytest.raises(ThreadTransferError, match="running a turn"):
                await codex.thread_export(empty.id)
            await turn.interrupt()
            with pytest.raises((ThreadNotFoundError, InvalidRequestError)):
                await codex.thread_export("01a217dd-8496-7b62-8d5d-417df5313a53")
            with pytest.raises(ConfigError, match="thread_id"):
                await codex.thread_export(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  the point
            with pytest.raises(ConfigError, match="data"):
                await codex.thread_import("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  the point


async def test_damaged_and_foreign_data_is_refused_and_nothing_is_written() -> None:
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            data = await codex.thread_export(await two_turns(codex, here))
        async with AsyncCodex(there.config) as codex:
            for bad in (b"", data[:-1], data[:100], data + b"\n", b"\x89PNG\r\n", data[:-9] + b"x" + data[-8:]):
                with pytest.raises(ThreadDataError):
                    await codex.thread_import(bad)
            assert files(there) == {}


async def test_what_the_runtime_refuses_to_resume_is_removed_again() -> None:
    thread_id = "01a217dd-8496-7b62-8d5d-417df5313a53"
    line = b'{"type":"session_meta","payload":{"id":"%b"}}\n' % thread_id.encode()
    data = Package((Rollout(thread_id, thread_id, "2026-11-26T12-00-00", line),), "0.163.0").to_bytes()
    with offline() as kit:
        async with AsyncCodex(kit.config) as codex:
            with pytest.raises(InternalRpcError):
                await codex.thread_import(data)
            assert files(kit) == {}


async def test_a_folder_keeps_threads_between_homes(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "threads")
    with offline() as here, offline() as there:
        async with AsyncCodex(here.config) as codex:
            thread_id = await two_turns(codex, here)
            store.put(thread_id, await codex.thread_export(thread_id))
        async with AsyncCodex(there.config) as codex:
            imported = [await codex.thread_import(store.get(each)) for each in store.list()]
        assert [thread.id for thread in imported] == [thread_id]
