"""What is in a thread: its stored turns and items, and the commands that its turns have left running."""

from __future__ import annotations

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async.closing import AsyncClosable
from openai_codex._async.pages import AsyncPages
from openai_codex._async.thread_pages import AsyncThreadPages
from openai_codex._turns.listings import everything
from openai_codex._turns.options import ItemsViewLike
from openai_codex._turns.settings import fields


class AsyncThreadContents(AsyncClosable):
    """A handle of a thread that lists what is in it."""

    def turns(
        self, *, items_view: ItemsViewLike | None = None, newest_first: bool = False, page_size: int | None = None
    ) -> AsyncPages[protocol.Turn]:
        """Iterate over all stored turns of the thread (`thread/turns/list`). Pages are requested as they are needed.

        Args:
            items_view: How much of each turn's items to send: ``"summary"`` (the default), ``"full"``, ``"notLoaded"``.
            newest_first: Start with the newest turn instead of the oldest.
            page_size: How many turns to request at a time.

        Raises:
            ConfigError: An argument is not accepted.
        """
        params = protocol.ThreadTurnsListParams(
            thread_id=self.id,
            sort_direction=_direction(newest_first),
            **fields(items_view=items_view, page_size=page_size),
        )
        return AsyncPages(self._connection, params)

    def items(
        self, *, turn_id: str | None = None, newest_first: bool = False, page_size: int | None = None
    ) -> AsyncPages[protocol.ThreadItemEntry]:
        """Iterate over all stored items of the thread (`thread/items/list`). Pages are requested as they are needed.

        Each entry has the item and the id of its turn.

        Args:
            turn_id: Only the items of this turn.
            newest_first: Start with the newest item instead of the oldest.
            page_size: How many items to request at a time.

        Raises:
            ConfigError: An argument is not accepted.
        """
        params = protocol.ThreadItemsListParams(
            thread_id=self.id, sort_direction=_direction(newest_first), **fields(turn_id=turn_id, page_size=page_size)
        )
        return AsyncPages(self._connection, params)

    def agents(self, *, page_size: int | None = None) -> AsyncPages[protocol.Thread]:
        """Iterate over the stored threads of all sub-agents below this thread, each once (`thread/list`, experimental).

        At any depth, of all turns; archived ones are not among them. Each entry has ``parent_thread_id``, the nickname
        ``agent_nickname`` and what else the runtime stores of it. An ephemeral thread has none: its sub-agents are not
        stored. `AsyncTurnHandle.agents` has those of one turn.

        Args:
            page_size: How many threads to request at a time; the runtime sends no more than 100.

        Raises:
            ConfigError: The argument is not accepted.
        """
        params = protocol.ThreadListParams(ancestor_thread_id=self.id, **everything(), **fields(page_size=page_size))
        return AsyncThreadPages(self._connection, params)

    def background_terminals(self) -> AsyncPages[protocol.ThreadBackgroundTerminal]:
        """Iterate over the commands that run in the background of the thread (`thread/backgroundTerminals/list`).

        The model may leave a command running, and an interrupted turn does not end its command. Such a command is in
        ``result.unfinished`` of its turn, too. When it ends, its ``item/completed`` comes with the id of that turn:
        ``codex.events(ItemCompletedNotification, thread_id=thread.id)`` receives it. `items` has it, with its output, if
        the thread is stored.

        Each entry has the command, its directory, the id of its item and its ``process_id``, which is an id of the
        runtime and not of the system. Pages are requested as they are needed.
        """
        return AsyncPages(self._connection, protocol.ThreadBackgroundTerminalsListParams(thread_id=self.id))

    async def terminate_background_terminal(self, process_id: str) -> bool:
        """Stop one of these commands (`thread/backgroundTerminals/terminate`).

        Args:
            process_id: The id of the entry in `background_terminals`.

        Returns:
            Whether it was running.

        Raises:
            ConfigError: The argument is not accepted. Nothing was sent.

        Also raises what `request` raises.
        """
        params = protocol.ThreadBackgroundTerminalsTerminateParams(
            thread_id=self.id, process_id=checks.text("process_id", process_id)
        )
        return (await self._connection.request(params)).terminated

    async def clean_background_terminals(self) -> protocol.ThreadBackgroundTerminalsCleanResponse:
        """Stop all of these commands (`thread/backgroundTerminals/clean`).

        Raises what `request` raises.
        """
        return await self._connection.request(protocol.ThreadBackgroundTerminalsCleanParams(thread_id=self.id))


def _direction(newest_first: bool) -> protocol.SortDirection:
    return protocol.SortDirection.desc if checks.flag("newest_first", newest_first) else protocol.SortDirection.asc
