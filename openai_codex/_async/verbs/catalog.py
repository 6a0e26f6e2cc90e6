"""The client's verbs on stored threads, models and MCP servers: list, search, archive, delete, update."""

from __future__ import annotations

from collections.abc import Sequence

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async.pages import AsyncPages
from openai_codex._async.verbs.base import AsyncClient
from openai_codex._turns.options import CwdFilter, SortDirectionLike, SortKeyLike, SourceKindLike
from openai_codex._turns.settings import fields, filter_fields


class AsyncCatalog(AsyncClient):
    """Verbs that list, search and manage.

    Each sends one request, or one per page, and raises what `request` raises; and `ConfigError` for an argument that is
    not accepted, before anything is sent.
    """

    async def thread_list(
        self,
        *,
        archived: bool | None = None,
        cursor: str | None = None,
        cwd: CwdFilter | None = None,
        limit: int | None = None,
        model_providers: Sequence[str] | None = None,
        search_term: str | None = None,
        section_id: str | None = None,
        sort_direction: SortDirectionLike | None = None,
        sort_key: SortKeyLike | None = None,
        source_kinds: Sequence[SourceKindLike] | None = None,
        use_state_db_only: bool | None = None,
    ) -> protocol.ThreadListResponse:
        """Return one page of the stored threads (`thread/list`); `threads` iterates over all of them.

        Args:
            archived: Only archived threads; by default only those that are not.
            cursor: Where to continue: ``next_cursor`` of the previous page.
            cwd: Only threads of this working directory, or of these.
            limit: How many threads at most.
            model_providers: Only threads of these providers.
            search_term: Only threads whose title or preview contains this text.
            section_id: Only threads of this section.
            sort_direction: ``"asc"`` or ``"desc"``.
            sort_key: ``"created_at"``, ``"updated_at"``, ``"recency_at"`` or ``"section_position"``.
            source_kinds: Only threads from these sources, for instance ``["cli", "vscode"]``.
            use_state_db_only: Read the index only, not the files.
        """
        return await self.request(protocol.ThreadListParams(**filter_fields(locals())))

    def threads(
        self,
        *,
        archived: bool | None = None,
        cwd: CwdFilter | None = None,
        model_providers: Sequence[str] | None = None,
        page_size: int | None = None,
        search_term: str | None = None,
        section_id: str | None = None,
        sort_direction: SortDirectionLike | None = None,
        sort_key: SortKeyLike | None = None,
        source_kinds: Sequence[SourceKindLike] | None = None,
        use_state_db_only: bool | None = None,
    ) -> AsyncPages[protocol.Thread]:
        """Iterate over all stored threads (`thread/list`). Pages are requested as they are needed.

        Takes the filters of `thread_list`, and:

        Args:
            page_size: How many threads to request at a time.
            sort_key: ``"updated_at"`` by default. The runtime's cursor for ``"created_at"`` counts seconds, so it skips
                threads that were created in the same second as the last one of a page.
        """
        arguments = {**locals(), "sort_key": "updated_at" if sort_key is None else sort_key}
        return AsyncPages(self._connection, protocol.ThreadListParams(**filter_fields(arguments)))

    def thread_search(
        self, search_term: str, *, archived: bool | None = None, page_size: int | None = None
    ) -> AsyncPages[protocol.ThreadSearchResult]:
        """Iterate over the threads whose content contains a text (`thread/search`, experimental).

        Args:
            search_term: The text.
            archived: Only archived threads; by default only those that are not.
            page_size: How many threads to request at a time.
        """
        params = protocol.ThreadSearchParams(
            search_term=checks.prose("search_term", search_term), **fields(archived=archived, page_size=page_size)
        )
        return AsyncPages(self._connection, params)

    async def thread_archive(self, thread_id: str) -> protocol.ThreadArchiveResponse:
        """Archive a thread: it is unloaded and no longer listed (`thread/archive`)."""
        return await self.request(protocol.ThreadArchiveParams(thread_id=checks.text("thread_id", thread_id)))

    async def thread_delete(self, thread_id: str) -> protocol.ThreadDeleteResponse:
        """Delete a thread (`thread/delete`). Raises `InvalidRequestError` if it does not exist."""
        return await self.request(protocol.ThreadDeleteParams(thread_id=checks.text("thread_id", thread_id)))

    async def thread_unsubscribe(self, thread_id: str) -> protocol.ThreadUnsubscribeResponse:
        """Stop receiving the events of a thread (`thread/unsubscribe`); resume it to receive them again.

        Call it between turns: a turn that is running sends nothing more, not even its end.
        """
        return await self.request(protocol.ThreadUnsubscribeParams(thread_id=checks.text("thread_id", thread_id)))

    async def thread_update_metadata(
        self,
        thread_id: str,
        *,
        git_info: protocol.ThreadMetadataGitInfoUpdateParams | None = None,
        project_id: str | None = None,
    ) -> protocol.ThreadMetadataUpdateResponse:
        """Change a thread's stored branch, commit and origin, or its project (`thread/metadata/update`).

        Args:
            thread_id: Id of the thread.
            git_info: The new branch, commit and origin; ``None`` leaves them.
            project_id: Id of the new project; ``None`` leaves it.
        """
        params = protocol.ThreadMetadataUpdateParams(
            thread_id=checks.text("thread_id", thread_id), **fields(git_info=git_info, project_id=project_id)
        )
        return await self.request(params)

    async def models(self, *, include_hidden: bool = False) -> protocol.ModelListResponse:
        """Return the models that the runtime knows (`model/list`); needs no network.

        Args:
            include_hidden: Include models that are not offered to users.
        """
        params = protocol.ModelListParams(include_hidden=checks.flag("include_hidden", include_hidden))
        return await self.request(params)

    def mcp_servers(self, *, thread_id: str | None = None) -> AsyncPages[protocol.McpServerStatus]:
        """Iterate over the configured MCP servers with their tools and state (`mcpServerStatus/list`).

        Args:
            thread_id: Use the configuration of this thread.
        """
        return AsyncPages(self._connection, protocol.ListMcpServerStatusParams(**fields(thread_id=thread_id)))
