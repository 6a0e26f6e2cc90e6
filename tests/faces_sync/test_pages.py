# Derived from tests/faces_async/test_pages.py by `python -m tools.unasync`; do not edit.
"""A listing ends: with its last page, or with an error if the runtime's cursor leads nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from openai_codex import Codex, DecodeError
from openai_codex.testing import FakeAppServer, FakeRequest, frames
from openai_codex.types import ModelListResponse


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("fs/readDirectory", {"entries": []})
        yield server


def model(name: str) -> dict[str, Any]:
    texts = ("model", "displayName", "description", "defaultReasoningEffort")
    return {
        "id": name,
        "hidden": False,
        "isDefault": False,
        "supportedReasoningEfforts": [],
        **dict.fromkeys(texts, name),
    }


THREAD = {**frames.thread("T"), "recencyAt": 1}

LISTINGS: dict[str, tuple[Callable[[Codex], Any], str, Any]] = {
    "threads": (lambda codex: codex.threads(), "thread/list", THREAD),
    "threads, sorted": (lambda codex: codex.threads(sort_key="created_at"), "thread/list", THREAD),
    "search": (lambda codex: codex.thread_search("x"), "thread/search", {"thread": THREAD, "snippet": "x"}),
    "servers": (
        lambda codex: codex.mcp_servers(),
        "mcpServerStatus/list",
        {"name": "x", "authStatus": "unsupported", "tools": {}, "resources": [], "resourceTemplates": []},
    ),
    "turns": (lambda codex: codex.thread("T").turns(), "thread/turns/list", frames.turn("U")),
    "items": (
        lambda codex: codex.thread("T").items(),
        "thread/items/list",
        {"turnId": "U", "item": frames.agent_message("I", "x")},
    ),
}


def stuck(entry: Any) -> Callable[[FakeRequest], Any]:
    return lambda _: {"data": [entry], "nextCursor": "same"}


def circling(entry: Any) -> Callable[[FakeRequest], Any]:
    steps = count()
    return lambda _: {"data": [entry], "nextCursor": "xyz"[next(steps) % 3]}


@pytest.mark.parametrize("cursor", [stuck, circling])
@pytest.mark.parametrize("name", LISTINGS)
def test_a_cursor_that_does_not_move_is_an_error(
    server: FakeAppServer, name: str, cursor: Callable[[Any], Callable[[FakeRequest], Any]]
) -> None:
    listing, method, entry = LISTINGS[name]
    server.on(method, cursor(entry))
    with Codex(server.config()) as codex:
        with pytest.raises(DecodeError, match=f"page of {method}.*cursor does not move"):
            [each for each in listing(codex)]
    assert server.request_count(method) <= 4


def test_a_cursor_that_brings_nothing_new_is_an_error(server: FakeAppServer) -> None:
    steps = count()
    server.on("thread/list", lambda _: {"data": [THREAD], "nextCursor": str(next(steps))})
    found = []
    with Codex(server.config()) as codex:
        with pytest.raises(DecodeError, match="no new thread"):
            for thread in codex.threads():
                found.append(thread.id)  # noqa: PERF401  they are kept when the loop raises
    assert found == ["T"]


def test_all_models_are_returned_whatever_the_pages(server: FakeAppServer) -> None:
    pages: dict[Any, Any] = {
        None: {"data": [model("a"), model("b")], "nextCursor": "2"},
        "2": {"data": [], "nextCursor": "3"},
        "3": {"data": [model("c")], "nextCursor": None},
    }
    server.on("model/list", lambda request: pages[request.params.get("cursor")])
    with Codex(server.config()) as codex:
        models = codex.models(include_hidden=True)
        assert type(models) is ModelListResponse
        assert [each.id for each in models.data] == ["a", "b", "c"]
        assert models.next_cursor is None
        assert all(request.params["includeHidden"] for request in server.requests("model/list"))
        server.on("model/list", {"data": [], "nextCursor": "same"})
        with pytest.raises(DecodeError, match="cursor does not move"):
            codex.models()


def test_a_step_that_failed_is_repeated(server: FakeAppServer) -> None:
    server.on("thread/list", {"data": [THREAD], "nextCursor": None})
    server.refuse("thread/list", -32603, "not now", times=1)
    with Codex(server.config()) as codex:
        for pages in (codex.threads(), codex.threads(sort_key="updated_at")):
            with pytest.raises(Exception, match="not now"):
                [thread for thread in pages]
            assert [thread.id for thread in pages] == ["T"]
            server.refuse("thread/list", -32603, "not now", times=1)


def test_a_sorted_listing_that_is_closed_requests_no_further_page(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        pages = codex.threads(sort_key="updated_at")
        source = pages._source  # type: ignore[attr-defined]  # noqa: SLF001  # pyright: ignore  where a step waits
        pages.close()
        assert [thread for thread in source] == []
    assert server.request_count("thread/list") == 0
