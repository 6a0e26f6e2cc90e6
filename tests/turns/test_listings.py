"""The filters of listings, applied to a thread that the runtime does not list."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import _codec as codec
from openai_codex._turns.listings import (
    everything,
    is_filtered,
    is_whole,
    list_params,
    matches,
    search_params,
    stored_id,
)
from openai_codex.testing import frames
from openai_codex.types import Thread, ThreadListParams, ThreadSourceKind

ID = "01a21489-974a-72a0-8f3f-0000000001a2"


def thread(**fields: Any) -> Thread:
    result: Any = codec.structure_result("thread/read", {"thread": {**frames.thread("T"), **fields}})
    made: Thread = result.thread
    return made


SOURCES: dict[str, tuple[Any, set[str]]] = {
    "cli": ("cli", {"cli"}),
    "exec": ("exec", {"exec"}),
    "custom": ({"custom": "mine"}, {"unknown"}),
    "review": ({"subAgent": "review"}, {"subAgent", "subAgentReview"}),
    "spawned": (
        {"subAgent": {"thread_spawn": {"depth": 1, "parent_thread_id": ID}}},
        {"subAgent", "subAgentThreadSpawn"},
    ),
    "other": ({"subAgent": {"other": "x"}}, {"subAgent", "subAgentOther"}),
    "newer": ({"elsewhere": {}}, {"unknown"}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_has_the_kinds_that_the_runtime_gives_it(name: str) -> None:
    source, kinds = SOURCES[name]
    found = {
        kind.value
        for kind in ThreadSourceKind
        if matches(thread(source=source), list_params({"source_kinds": [kind]}), "")
    }
    assert found == kinds
    assert matches(thread(source=source), list_params({}), "")


@pytest.mark.parametrize(
    ("name", "id"),
    [
        (f"rollout-2026-11-25T21-08-11-{ID}.jsonl", ID),
        (f"rollout-2026-11-25T21-08-11-{ID}.jsonl.zst", ID),
        (f"{ID}.jsonl", None),
        ("rollout-2026-11-25T21-08-11.jsonl", None),
    ],
)
def test_a_file_name_has_the_id_of_its_thread(name: str, id: str | None) -> None:
    assert stored_id(name) == id


def test_an_empty_sequence_of_sources_means_all_and_one_of_directories_none() -> None:
    assert list_params({"source_kinds": []}).source_kinds == everything()["source_kinds"]
    assert not matches(thread(), list_params({"cwd": []}), "")


def test_only_what_the_runtime_leaves_out_is_looked_for() -> None:
    plain: dict[str, Any] = {}
    assert not is_whole(list_params(plain))
    assert not is_whole(ThreadListParams(**everything(), archived=False))
    for name, value in {"archived": True, "section_id": "s", "use_state_db_only": True}.items():
        assert is_whole(list_params({name: value}))
    assert is_whole(search_params("x", {"archived": True}))
    assert not is_filtered(list_params(plain))
    for name, given in {"cwd": [], "model_providers": ["a"], "search_term": "x", "source_kinds": ["cli"]}.items():
        assert is_filtered(list_params({name: given}))
