"""Listings of a runtime before 0.144, which does not have the order by the time of the last turn."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import AsyncCodex, InvalidRequestError
from openai_codex.testing import FakeAppServer, FakeRequest, frames

# As 0.133.0 says it.
REFUSAL = "Invalid request: unknown variant `recency_at`, expected `created_at` or `updated_at`"
THREADS = [{**frames.thread(f"t{number}"), "updatedAt": 9 - number} for number in range(5)]


def listed(request: FakeRequest) -> Any:
    """Answer as that runtime does, whose threads have no project either."""
    if request.params.get("sortKey") == "recency_at":
        request.refuse(-32600, REFUSAL)
        return None
    threads = THREADS if request.params.get("sortDirection") != "asc" else THREADS[::-1]
    begin, limit = int(request.params.get("cursor") or 0), request.params.get("limit") or 2
    data = [{name: value for name, value in each.items() if name != "projectId"} for each in threads]
    following = str(begin + limit) if begin + limit < len(data) else None
    return {"data": data[begin : begin + limit], "nextCursor": following, "backwardsCursor": None}


async def test_threads_are_listed_in_the_order_that_an_older_runtime_has() -> None:
    with FakeAppServer() as server:
        server.on("thread/list", listed)
        server.on("fs/readDirectory", {"entries": []})
        async with AsyncCodex(server.config()) as codex:
            assert [thread.id async for thread in codex.threads(page_size=2)] == [f"t{n}" for n in range(5)]
            assert [thread.id async for thread in codex.threads(sort_key="updated_at")] == [f"t{n}" for n in range(5)]
            page = await codex.thread_list(limit=3)
    assert [(thread.id, thread.project_id) for thread in page.data] == [(f"t{n}", None) for n in range(3)]


@pytest.mark.parametrize("message", ["Invalid request: unknown variant `zork`, expected `created_at`", "no"])
async def test_another_refusal_is_raised(message: str) -> None:
    with FakeAppServer() as server:
        server.refuse("thread/list", -32600, message)
        async with AsyncCodex(server.config()) as codex:
            with pytest.raises(InvalidRequestError, match=message.partition("`")[0]):
                await codex.thread_list()
            with pytest.raises(InvalidRequestError, match=message.partition("`")[0]):
                [thread async for thread in codex.threads()]
        assert server.request_count("thread/list") == 2
