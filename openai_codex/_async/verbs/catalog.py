"""The client's verbs on stored threads, models and MCP servers: list, search, archive, delete, update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async.pages import AsyncPages
from openai_codex._async.thread_pages import AsyncOrderedThreads, AsyncThreadPages
from openai_codex._async.verbs.base import AsyncClient
from openai_codex._turns.listings import TIMES, in_older_order, list_params, search_params
from openai_codex._turns.options import CwdFilter, SortDirectionLike, SortKeyLike, SourceKindLike
from openai_codex._turns.settings import fields
from openai_codex.errors import InvalidRequestError


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

        By default it is about the threads of all providers and all sources, those of ``codex exec`` and of sub-agents,
        too. The runtime does not list threads whose messages are all blank; `threads` does.

        Args:
            archived: Only archived threads; by default only those that are not.
            cursor: Where to continue: ``next_cursor`` of the previous page.
            cwd: Only threads of this working directory, or of these.
            limit: How many threads at most; the runtime sends no more than 100.
            model_providers: Only threads of these providers.
            search_term: Only threads whose title or preview contains this text.
            section_id: Only threads of this section.
            sort_direction: ``"asc"`` or ``"desc"`` (the default).
            sort_key: ``"recency_at"`` (the default: the time of the last turn), ``"created_at"``, ``"updated_at"``, or
                ``"section_position"``, which takes a ``section_id``. With ``"created_at"`` and ``"updated_at"`` the
                runtime's cursor skips threads that have the same time as the last one of a page.
            source_kinds: Only threads from these sources, for instance ``["cli", "vscode"]``.
            use_state_db_only: Read the index only, not the files.
        """
        params = list_params(locals())
        try:
            return await self.request(params)
        except InvalidRequestError as error:
            return await self.request(cast("protocol.ThreadListParams", in_older_order(params, error)))

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
        """Iterate over all stored threads, each once (`thread/list`). Pages are requested as they are needed.

        It has every thread that passes the filters from the first step to the last, although threads are used, created
        and archived meanwhile. Those that were used meanwhile come last, followed by those whose messages are all blank,
        which the runtime does not list: they are found by their files.

        Takes the filters of `thread_list`, and:

        Args:
            page_size: How many threads to request at a time; the runtime sends no more than 100.
            sort_key: With ``"created_at"`` and ``"updated_at"`` all threads are read before the first is returned.
            use_state_db_only: Read the index only. Without the files, threads whose messages are all blank are not found.
        """
        params = list_params(locals())
        kind = AsyncOrderedThreads if params.sort_key in TIMES else AsyncThreadPages[protocol.Thread]
        return kind(self._connection, params)

    def thread_search(
        self, search_term: str, *, archived: bool | None = None, page_size: int | None = None
    ) -> AsyncPages[protocol.ThreadSearchResult]:
        """Iterate over all threads whose content contains a text, each once (`thread/search`, experimental).

        It is about the same threads as `threads`, the last used first, and has each although threads are used meanwhile.

        Args:
            search_term: The text; blanks alone are refused by the runtime.
            archived: Only archived threads; by default only those that are not.
            page_size: How many threads to request at a time.
        """
        given = fields(archived=archived, page_size=page_size)
        params = search_params(checks.prose("search_term", search_term), given)
        return AsyncThreadPages(self._connection, params)

    async def thread_archive(self, thread_id: str) -> protocol.ThreadArchiveResponse:
        """Archive a thread: it is unloaded and no longer listed (`thread/archive`)."""
        return await self.request(protocol.ThreadArchiveParams(thread_id=checks.text("thread_id", thread_id)))

    async def thread_delete(self, thread_id: str) -> protocol.ThreadDeleteResponse:
        """Delete a thread (`thread/delete`). Raises `ThreadNotFoundError` if it does not exist."""
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
        """Return all models that the runtime knows, on one page (`model/list`); needs no network.

        Args:
            include_hidden: Include models that are not offered to users.
        """
        params = protocol.ModelListParams(include_hidden=checks.flag("include_hidden", include_hidden))
        pages: AsyncPages[protocol.Model] = AsyncPages(self._connection, params)
        models = {model.id: model async for model in pages}
        return protocol.ModelListResponse(data=list(models.values()))

    def mcp_servers(self, *, thread_id: str | None = None) -> AsyncPages[protocol.McpServerStatus]:
        """Iterate over the configured MCP servers with their tools and state (`mcpServerStatus/list`).

        Args:
            thread_id: Use the configuration of this thread.
        """
        return AsyncPages(self._connection, protocol.ListMcpServerStatusParams(**fields(thread_id=thread_id)))
