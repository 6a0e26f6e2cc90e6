"""Which threads a listing is about: what "all" means in a request, and the same filters for a thread that was read.

Values only; what walks through the pages is in the faces.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from openai_codex import _protocol as protocol
from openai_codex._turns.settings import filter_fields
from openai_codex.errors import InvalidRequestError

LARGEST_PAGE = 100
"""The most threads that the runtime sends in a page, whatever was asked for."""

# The file in which the runtime stores a thread.
_FILE = re.compile(r"rollout-.*?-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl")

TIMES: dict[str, Callable[[protocol.Thread], Any]] = {
    "created_at": lambda thread: (thread.created_at, thread.id),
    "updated_at": lambda thread: (thread.updated_at, thread.recency_at or 0, thread.id),
}
"""The orders for which the cursor of the runtime has no id: of threads with one time, a page border loses some."""


def everything() -> dict[str, Any]:
    """Return the fields of a listing without a filter.

    If they are left out, the runtime lists the threads of the configured provider that interactive programs have
    started, and its cursor counts seconds. Only that for ``recency_at``, the time of the last turn, has an id, too.
    """
    return {
        "model_providers": [],
        "source_kinds": list(protocol.ThreadSourceKind),
        "sort_key": protocol.ThreadSortKey.recency_at,
    }


def upwards() -> dict[str, Any]:
    """Return the fields of the order in which no thread that moves is missed: it moves to where the listing will come."""
    return {"sort_key": protocol.ThreadSortKey.recency_at, "sort_direction": protocol.SortDirection.asc}


def in_older_order(params: Any, error: InvalidRequestError) -> Any:
    """Return a listing in the order that a runtime before 0.144 has, if it was refused for the newer; else raise the error.

    Threads that its cursor skips are found by their files.
    """
    newer = protocol.ThreadSortKey.recency_at
    if getattr(params, "sort_key", None) != newer or f"unknown variant `{newer}`" not in error.message:
        raise error
    return attrs.evolve(params, sort_key=protocol.ThreadSortKey.updated_at)


def list_params(arguments: Mapping[str, Any]) -> protocol.ThreadListParams:
    """Return the request for a listing, from the arguments of the call. Raises `ConfigError`."""
    made = everything()
    given = filter_fields(arguments)
    return protocol.ThreadListParams(
        **{**made, **given, "source_kinds": given.get("source_kinds") or made["source_kinds"]}
    )


def search_params(search_term: str, given: Mapping[str, Any]) -> protocol.ThreadSearchParams:
    """Return the request for a search."""
    made: dict[str, Any] = {**everything(), "sort_key": protocol.ThreadSearchSortKey.recency_at, **given}
    made.pop("model_providers")  # it has no such filter
    return protocol.ThreadSearchParams(search_term=search_term, **made)


def thread_of(entry: Any) -> protocol.Thread:
    """Return the thread of an entry of a listing or a search."""
    thread: protocol.Thread = getattr(entry, "thread", entry)
    return thread


def stored_id(file_name: str) -> str | None:
    """Return the id of the thread that is stored in a file of this name, if one is."""
    found = _FILE.match(file_name)
    return found and found[1]


def is_whole(params: Any) -> bool:
    """Return whether a listing has every thread, as those of the archive, a section or agents do, or is meant not to."""
    if not _is_list(params):
        return params.archived is True
    has_some = params.section_id is not protocol.UNSET or params.ancestor_thread_id is not protocol.UNSET
    return has_some or params.archived is True or params.use_state_db_only is True


def is_filtered(params: Any) -> bool:
    """Return whether a listing leaves out threads that the runtime would list."""
    if not isinstance(params, protocol.ThreadListParams):
        return True
    return bool(
        params.model_providers or params.search_term or params.cwd is not protocol.UNSET or not _has_all(params)
    )


def matches(thread: protocol.Thread, params: Any, directory: str) -> bool:
    """Return whether a thread passes the filters of a listing; relative paths start at ``directory``."""
    kinds: list[protocol.ThreadSourceKind] = params.source_kinds
    if not (_has_all(params) or _kinds_of(thread) & {kind.value for kind in kinds}):
        return False
    if not _is_list(params):
        return True
    providers, text, cwd = params.model_providers or [], params.search_term or "", params.cwd
    paths = [cwd] if isinstance(cwd, str) else cwd or []
    return (
        (not providers or thread.model_provider in providers)
        and text in (thread.name or "")
        and (cwd is protocol.UNSET or _real(directory, thread.cwd) in [_real(directory, path) for path in paths])
    )


def _is_list(params: Any) -> bool:
    return isinstance(params, protocol.ThreadListParams)


def _has_all(params: Any) -> bool:
    return set(protocol.ThreadSourceKind) <= set(params.source_kinds)


def _kinds_of(thread: protocol.Thread) -> set[str]:
    """Return the words that `ThreadSourceKind` has for the source of a thread."""
    source: Any = (thread.raw or {}).get("source")
    if not isinstance(source, dict):
        return {str(source)}
    detail = source.get("subAgent")
    if detail is None:
        return {"unknown"}
    word = detail if isinstance(detail, str) else next(iter(detail))
    return {"subAgent", "subAgent" + word.title().replace("_", "")}


def _real(directory: str, path: str) -> str:
    return os.path.realpath(Path(directory, path))
