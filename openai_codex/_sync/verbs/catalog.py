# Derived from openai_codex/_async/verbs/catalog.py by `python -m tools.unasync`; do not edit.
"""The client's verbs on stored threads and on what there is: listings, search, archive, delete, models, servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import _protocol as protocol
from openai_codex._sync.pages import Pages
from openai_codex._sync.verbs.base import Client
from openai_codex._turns.options import or_unset, to_enum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from openai_codex._turns.options import ThreadFilters


class Catalog(Client):
    """Verbs that list, search and manage. Each is one request and raises what `request` raises."""

    def thread_list(
        self,
        *,
        archived: bool | None = None,
        cursor: str | None = None,
        cwd: protocol.ThreadListCwdFilter | None = None,
        limit: int | None = None,
        model_providers: list[str] | None = None,
        search_term: str | None = None,
        section_id: str | None = None,
        sort_direction: protocol.SortDirection | str | None = None,
        sort_key: protocol.ThreadSortKey | str | None = None,
        source_kinds: Sequence[protocol.ThreadSourceKind | str] | None = None,
        use_state_db_only: bool | None = None,
    ) -> protocol.ThreadListResponse:
        """Return one page of the stored threads (`thread/list`); `threads` iterates over all of them.

        Args:
            archived: the archived ones instead of the others.
            cursor: where to go on: ``next_cursor`` of the page before.
            cwd: only threads of this working directory, or of these.
            limit: how many at the most.
            model_providers: only threads of these providers.
            search_term: only threads whose title or preview has this text.
            section_id: only threads of this section.
            sort_direction: ``"asc"`` or ``"desc"``.
            sort_key: what to sort by, for instance ``"created_at"``.
            source_kinds: only threads from these sources.
            use_state_db_only: trust the index, do not look at the files.
        """
        return self.request(
            _list_params(
                archived=archived,
                cursor=cursor,
                cwd=cwd,
                limit=limit,
                model_providers=model_providers,
                search_term=search_term,
                section_id=section_id,
                sort_direction=sort_direction,
                sort_key=sort_key,
                source_kinds=source_kinds,
                use_state_db_only=use_state_db_only,
            )
        )

    def threads(self, *, page_size: int | None = None, **filters: Unpack[ThreadFilters]) -> Pages[protocol.Thread]:
        """Iterate over all stored threads, page by page as they are needed (`thread/list`).

        Sorted by ``"updated_at"`` unless told otherwise: the runtime's cursor for ``"created_at"`` counts seconds, and
        leaves threads out that were made in the same second as the last one of a page.

        Args:
            page_size: how many to ask for at a time.
            filters: those of `thread_list`: all its arguments but ``cursor`` and ``limit``.
        """
        filters.setdefault("sort_key", "updated_at")
        return Pages(self._connection, _list_params(limit=page_size, **filters))

    def thread_search(
        self, search_term: str, *, archived: bool | None = None, page_size: int | None = None
    ) -> Pages[protocol.ThreadSearchResult]:
        """Iterate over the threads whose content has a text (`thread/search`, experimental)."""
        params = protocol.ThreadSearchParams(
            search_term=search_term, archived=or_unset(archived), limit=or_unset(page_size)
        )
        return Pages(self._connection, params)

    def thread_archive(self, thread_id: str) -> protocol.ThreadArchiveResponse:
        """Put a thread away: it is unloaded and not listed any more (`thread/archive`)."""
        return self.request(protocol.ThreadArchiveParams(thread_id=thread_id))

    def thread_delete(self, thread_id: str) -> protocol.ThreadDeleteResponse:
        """Delete a thread for good (`thread/delete`). Raises `InvalidRequestError` if there is none."""
        return self.request(protocol.ThreadDeleteParams(thread_id=thread_id))

    def thread_unsubscribe(self, thread_id: str) -> protocol.ThreadUnsubscribeResponse:
        """Stop to receive a thread's items and turns (`thread/unsubscribe`); resume it to receive them again.

        Do it between turns: of one that is under way nothing comes any more, not even its end.
        """
        return self.request(protocol.ThreadUnsubscribeParams(thread_id=thread_id))

    def thread_update_metadata(
        self,
        thread_id: str,
        *,
        git_info: protocol.ThreadMetadataGitInfoUpdateParams | None = None,
        project_id: str | None = None,
    ) -> protocol.ThreadMetadataUpdateResponse:
        """Change a thread's stored branch, commit and origin, or its project (`thread/metadata/update`).

        What is ``None`` stays as it is.
        """
        return self.request(
            protocol.ThreadMetadataUpdateParams(
                thread_id=thread_id, git_info=or_unset(git_info), project_id=or_unset(project_id)
            )
        )

    def models(self, *, include_hidden: bool = False) -> protocol.ModelListResponse:
        """Return the models that the runtime knows (`model/list`); needs no network.

        Args:
            include_hidden: also those that are not offered to users.
        """
        return self.request(protocol.ModelListParams(include_hidden=include_hidden))

    def mcp_servers(self, *, thread_id: str | None = None) -> Pages[protocol.McpServerStatus]:
        """Iterate over the configured MCP servers with their tools and state (`mcpServerStatus/list`).

        Args:
            thread_id: as this thread sees them, with its own configuration.
        """
        return Pages(self._connection, protocol.ListMcpServerStatusParams(thread_id=or_unset(thread_id)))


def _list_params(
    *, cursor: str | None = None, limit: int | None = None, **filters: Unpack[ThreadFilters]
) -> protocol.ThreadListParams:
    kinds = filters.get("source_kinds")
    state_only = filters.get("use_state_db_only")
    return protocol.ThreadListParams(
        archived=or_unset(filters.get("archived")),
        cursor=or_unset(cursor),
        cwd=or_unset(filters.get("cwd")),
        limit=or_unset(limit),
        model_providers=or_unset(filters.get("model_providers")),
        search_term=or_unset(filters.get("search_term")),
        section_id=or_unset(filters.get("section_id")),
        sort_direction=to_enum(protocol.SortDirection, filters.get("sort_direction")),
        sort_key=to_enum(protocol.ThreadSortKey, filters.get("sort_key")),
        source_kinds=or_unset(None if kinds is None else [protocol.ThreadSourceKind(kind) for kind in kinds]),
        use_state_db_only=or_unset(state_only),
    )
