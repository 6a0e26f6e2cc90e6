"""A listing has each thread once: for any page size and order, of any origin, and while others use the threads."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, AsyncThread, ConfigError, types
from openai_codex._engine.transport.installation import command_line
from openai_codex.testing import QuietHome, ScriptedModel, temporary_home
from openai_codex.types import ThreadSectionCreateParams, ThreadSectionMoveParams
from tests.support.bounds import PATIENCE

PAGE_SIZES = [None, 1, 3, 100]
# What a listing is asked for, and what it is then sorted by.
ORDERS: dict[str | None, Callable[[types.Thread], Any]] = {
    None: lambda thread: thread.recency_at,
    "recency_at": lambda thread: thread.recency_at,
    "created_at": lambda thread: (thread.created_at, thread.id),
    "updated_at": lambda thread: thread.updated_at,
}


async def made(codex: AsyncCodex, many: int) -> list[AsyncThread]:
    """Start threads quickly, so that several have the same second."""
    threads = [await codex.thread_start() for _ in range(many)]
    for number, thread in enumerate(threads):
        await thread.run(f"needle {number}")
    return threads


async def test_every_thread_is_listed_and_found_once(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        ids = sorted(thread.id for thread in await made(codex, 8))
        for size in PAGE_SIZES:
            hits = [hit async for hit in codex.thread_search("needle", page_size=size)]
            assert sorted(hit.thread.id for hit in hits) == ids, size
            for order, key in ORDERS.items():
                for direction in ("asc", "desc"):
                    pages = codex.threads(page_size=size, sort_key=order, sort_direction=direction)
                    listed = [thread async for thread in pages]
                    assert sorted(thread.id for thread in listed) == ids, (size, order, direction)
                    values = [key(thread) for thread in listed]
                    assert values == sorted(values, reverse=direction == "desc"), (size, order, direction)


async def test_a_loop_over_the_cursors_of_single_pages_has_every_thread(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        ids = sorted(thread.id for thread in await made(codex, 8))
        page = await codex.thread_list(limit=3)
        found = [thread.id for thread in page.data]
        while page.next_cursor is not None:
            page = await codex.thread_list(limit=3, cursor=page.next_cursor)
            found += [thread.id for thread in page.data]
    assert sorted(found) == ids


@pytest.mark.parametrize("direction", ["desc", "asc", "search"])
@pytest.mark.parametrize("size", [1, 2, 5])
async def test_no_thread_is_lost_while_others_use_archive_and_start_threads(
    codex_config: AppServerConfig, direction: str, size: int
) -> None:
    async with AsyncCodex(codex_config) as codex:
        threads = await made(codex, 6)
        away = threads.pop(1)  # the others are there all the time
        handles = {thread.id: thread for thread in threads}
        if direction == "search":
            pages: Any = codex.thread_search("needle", page_size=size)
        else:
            pages = codex.threads(page_size=size, sort_direction=direction)
        found: list[str] = []
        steps = count()
        async for entry in pages:
            found.append(getattr(entry, "thread", entry).id)
            step = next(steps)
            unseen = [thread for thread in threads if thread.id not in found]
            for thread in unseen[:: len(unseen) or 1]:  # the one that the listing would reach last
                await thread.run("needle again")
            if step == 0:
                await codex.thread_archive(away.id)
                await (await codex.thread_start()).run("needle, new")
            elif step == 1:
                await codex.thread_unarchive(away.id)
    assert len(found) == len(set(found))
    assert set(handles) <= set(found)


def run_exec(home: QuietHome) -> None:
    command = [command_line(home.config())[0], "exec", "--skip-git-repo-check", "of exec"]
    environment = {**os.environ, **home.env}
    subprocess.run(command, cwd=home.workspace, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=PATIENCE)


@pytest.fixture
def home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A home with two providers."""
    other = {"name": "other", "wire_api": "responses", "base_url": scripted_model.url}
    with temporary_home(scripted_model.url, config={"model_providers": {"other": other}}) as home:
        yield home


async def test_threads_of_any_provider_program_and_text_are_listed(home: QuietHome) -> None:
    run_exec(home)
    async with AsyncCodex(home.config()) as codex:
        own = await codex.thread_start()
        await own.run("own")
        foreign = await codex.thread_start(model_provider="other")
        await foreign.run("foreign")
        fork = await codex.thread_fork(own.id)
        await fork.run("fork")
        blank = await codex.thread_start()
        await blank.run(" \n")
        await blank.set_name("nothing said")
        every = [thread async for thread in codex.threads()]
        ids = {thread.id for thread in every}
        exec_id = next(thread.id for thread in every if thread.source == "exec")
        assert ids == {own.id, foreign.id, fork.id, blank.id, exec_id}
        assert len(every) == len(ids)

        async def listed(**filters: Any) -> set[str]:
            return {thread.id async for thread in codex.threads(**filters)}

        assert {thread.id for thread in (await codex.thread_list()).data} == ids - {blank.id}
        assert await listed(source_kinds=["exec"]) == {exec_id}
        assert await listed(source_kinds=["vscode", "exec"]) == ids
        assert await listed(source_kinds=["subAgent"]) == set()
        assert await listed(model_providers=["other"]) == {foreign.id}
        assert await listed(model_providers=["mock"]) == ids - {foreign.id}
        assert await listed(cwd=home.workspace) == ids
        assert await listed(cwd=".") == ids
        assert await listed(cwd=["/nowhere", f"{home.workspace}/../workspace/"]) == ids
        assert await listed(cwd="/nowhere") == await listed(cwd=[]) == set()
        assert await listed(search_term="own") == {own.id}
        assert await listed(search_term="nothing said") == {blank.id}
        assert await listed(use_state_db_only=True) == ids - {blank.id}
        assert await listed(sort_key="created_at") == ids
        # What was asked is blank, what was answered is not.
        assert {hit.thread.id async for hit in codex.thread_search("ok")} == ids
        await codex.thread_archive(blank.id)
        assert await listed() == ids - {blank.id}
        assert await listed(archived=True) == {blank.id}
        await codex.thread_delete(fork.id)
        assert fork.id not in await listed()


async def test_every_thread_of_a_section_is_listed_in_its_order(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        threads = await made(codex, 4)
        section = (await codex.request(ThreadSectionCreateParams(name="some"))).section.id
        for thread in threads[:3]:
            await codex.request(ThreadSectionMoveParams(section_id=section, thread_id=thread.id))
        for key in ("section_position", None):
            pages = codex.threads(section_id=section, sort_key=key, sort_direction="asc", page_size=1)
            assert [thread.id async for thread in pages] == [thread.id for thread in threads[:3]]
        assert [thread.id async for thread in codex.threads(section_id="none of them")] == []


async def test_a_misspelled_filter_is_refused(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        for verb in (codex.threads, codex.thread_list):
            misspelled: Any = {"search_tern": "no such text"}
            with pytest.raises(TypeError, match="search_tern"):
                verb(**misspelled)
        wrong: dict[str, Any] = {
            "sort_key": "created",
            "sort_direction": "up",
            "source_kinds": ["clii"],
            "cwd": 3,
            "archived": "no",
        }
        for name, value in wrong.items():
            with pytest.raises(ConfigError, match=f"^{name}"):
                codex.threads(**{name: value})


async def test_every_turn_and_item_is_listed_once_while_turns_are_added(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        ids = [(await thread.run(f"turn {number}")).id for number in range(12)]
        for size in (1, 5):
            for newest_first in (False, True):
                turns = [turn.id async for turn in thread.turns(page_size=size, newest_first=newest_first)]
                assert turns == (ids[::-1] if newest_first else ids)
                items = [entry.turn_id async for entry in thread.items(page_size=size, newest_first=newest_first)]
                assert items == [id for id in turns for _ in range(2)]
        for pages in (thread.turns(page_size=2), thread.turns(page_size=2, newest_first=True)):
            found = []
            async for turn in pages:
                found.append(turn.id)
                if len(found) in {1, 5}:
                    ids.append((await thread.run("one more")).id)
            assert len(found) == len(set(found))
            assert set(ids[:12]) <= set(found)
