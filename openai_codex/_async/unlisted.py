"""The threads that are stored and that the runtime leaves out of its listings: those whose messages are all blank.

No filter of the runtime brings them. So they are found by their files, and the filters are applied here.
"""

from __future__ import annotations

from typing import Any

from openai_codex import _protocol as protocol
from openai_codex._async import lazy
from openai_codex._async.pages import AsyncPages
from openai_codex._log import Log
from openai_codex._turns.listings import LARGEST_PAGE, everything, is_filtered, is_whole, matches, stored_id
from openai_codex.errors import InvalidRequestError, JsonRpcError, MethodNotFoundError

_log = Log("connection")


class AsyncUnlisted:
    """Finds the threads that a listing, or a search, is about and that its pages do not have."""

    def __init__(self, connection: lazy.AsyncConnection, params: Any) -> None:
        self._connection = connection
        self._params = params

    async def find(self, listed: set[str]) -> list[str]:
        """Return the ids of all threads that are stored and not ``listed``, the newest first."""
        if is_whole(self._params):
            return []
        home = self._connection.metadata.codex_home
        unlisted = await self._stored(home) - listed
        if unlisted and is_filtered(self._params):
            index = protocol.ThreadListParams(**everything(), limit=LARGEST_PAGE, use_state_db_only=True)
            pages: AsyncPages[protocol.Thread] = AsyncPages(self._connection, index)
            unlisted -= {thread.id async for thread in pages}
        return sorted(unlisted, reverse=True)

    async def read(self, thread_id: str) -> list[Any]:
        """Return the entry of a thread, or none if it does not pass the filters."""
        try:
            thread = (await self._connection.request(protocol.ThreadReadParams(thread_id=thread_id))).thread
            if not matches(thread, self._params, self._connection.config.cwd or ""):
                return []
            if isinstance(self._params, protocol.ThreadListParams):
                return [thread]
            return await self._search(thread)
        # It was deleted meanwhile, or is not whole, or an older runtime cannot search one thread.
        except (InvalidRequestError, MethodNotFoundError):
            return []

    async def _search(self, thread: protocol.Thread) -> list[protocol.ThreadSearchResult]:
        params = protocol.ThreadSearchOccurrencesParams(
            thread_id=thread.id, search_term=self._params.search_term, limit=1
        )
        found = (await self._connection.request(params)).data
        return [protocol.ThreadSearchResult(thread=thread, snippet=each.snippet) for each in found]

    async def _stored(self, home: str) -> set[str]:
        """Return the ids of the threads that have a file in a home."""
        found: set[str] = set()
        directories = [home]
        try:
            while directories:
                directory = directories.pop()
                entries = (await self._connection.request(protocol.FsReadDirectoryParams(path=directory))).entries
                for entry in entries:
                    if entry.is_directory and (directory != home or entry.file_name == "sessions"):
                        directories.append(f"{directory}/{entry.file_name}")
                    elif thread_id := stored_id(entry.file_name):
                        found.add(thread_id)
        except JsonRpcError as error:  # an older runtime has no such request
            _log.warning("codex.listing_incomplete", reason=str(error))
        return found
