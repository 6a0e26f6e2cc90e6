"""Any listing, with any page size, while any threads are used, archived and started between its pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openai_codex import Codex
from openai_codex.testing import FakeAppServer, FakeRequest, frames

Place = tuple[int, str]

START = 1_000_000


@attrs.define
class Runtime:
    """Threads and the times of their last turns in milliseconds; a page is cut as the runtime cuts it."""

    times: dict[str, int]
    moves: list[tuple[str, int]] = attrs.Factory(list)
    """What others do before each page: use a thread, which is stored so many milliseconds later, or remove it."""
    clock: int = START

    def page(self, request: FakeRequest) -> dict[str, Any]:
        if self.moves:
            self.move(*self.moves.pop())
        params = request.params
        upwards = params.get("sortDirection") == "asc"
        cursor, size = params.get("cursor"), min(params.get("limit", 25), 100)
        places = sorted(((time, id) for id, time in self.times.items()), reverse=not upwards)
        left = [place for place in places if cursor is None or after(place, cursor, upwards=upwards)]
        data = left[:size]
        return {
            "data": [{**frames.thread(id), "recencyAt": time // 1000} for time, id in data],
            "nextCursor": f"{data[-1][0]}|{data[-1][1]}" if len(left) > size else None,
            "backwardsCursor": str(data[0][0] + (1 if upwards else -1)) if data else None,
        }

    def move(self, id: str, lag: int) -> None:
        self.clock += 5
        if lag < 0:
            self.times.pop(id, None)
        else:
            self.times[id] = max(self.times.get(id, 0), self.clock - lag)


def after(place: Place, cursor: str, *, upwards: bool) -> bool:
    time, _, id = cursor.partition("|")
    if not id:
        return place[0] > int(time) if upwards else place[0] < int(time)
    return place > (int(time), id) if upwards else place < (int(time), id)


@pytest.fixture(scope="module")
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("fs/readDirectory", {"entries": []})
        yield server


@pytest.fixture(scope="module")
def codex(server: FakeAppServer) -> Iterator[Codex]:
    with Codex(server.config()) as codex:
        yield codex


names = st.sampled_from([f"T{number}" for number in range(14)])


@given(
    times=st.dictionaries(names, st.integers(START - 8_000, START) | st.just(START), min_size=1),
    moves=st.lists(st.tuples(names, st.integers(-1, 4_000)), max_size=30),
    size=st.sampled_from([None, 1, 2, 3, 7, 100]),
    direction=st.sampled_from(["asc", "desc", None]),
)
# A thread that is stored late appears below the newest one, when the only page was read.
@example(times={"T1": START - 8_000, "T2": START}, moves=[("T1", 6), ("T0", 0)], size=2, direction="desc")
def test_what_is_there_all_the_time_is_listed_once(
    server: FakeAppServer,
    codex: Codex,
    *,
    times: dict[str, int],
    moves: list[tuple[str, int]],
    size: Any,
    direction: Any,
) -> None:
    runtime = Runtime(dict(times), list(moves))
    removed = {id for id, lag in moves if lag < 0}
    server.forget("thread/list")
    server.on("thread/list", runtime.page)
    found = [thread.id for thread in codex.threads(page_size=size, sort_direction=direction)]
    assert len(found) == len(set(found))
    assert set(times) - removed <= set(found)
