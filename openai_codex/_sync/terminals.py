# Derived from openai_codex/_async/terminals.py by `python -m tools.unasync`; do not edit.
"""The commands that the turns of a thread have left running: list them and stop them."""

from __future__ import annotations

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync.closing import Closable
from openai_codex._sync.pages import Pages


class Terminals(Closable):
    """A handle of a thread whose commands may outlive their turn.

    The model may leave a command running, and an interrupted turn does not end its command. Such a command is in
    ``result.unfinished`` of its turn. When it ends, its ``item/completed`` comes with the id of that turn, after the end of
    the turn: ``codex.events(ItemCompletedNotification, thread_id=thread.id)`` receives it. `Thread.items` has it, with
    its output, if the thread is stored.
    """

    def background_terminals(self) -> Pages[protocol.ThreadBackgroundTerminal]:
        """Iterate over the commands that run in the background of the thread (`thread/backgroundTerminals/list`).

        Each entry has the command, its directory, the id of its item and its ``process_id``, which is an id of the
        runtime and not of the system. Pages are requested as they are needed.
        """
        return Pages(self._connection, protocol.ThreadBackgroundTerminalsListParams(thread_id=self.id))

    def terminate_background_terminal(self, process_id: str) -> bool:
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
        return (self._connection.request(params)).terminated

    def clean_background_terminals(self) -> protocol.ThreadBackgroundTerminalsCleanResponse:
        """Stop all of these commands (`thread/backgroundTerminals/clean`).

        Raises what `request` raises.
        """
        return self._connection.request(protocol.ThreadBackgroundTerminalsCleanParams(thread_id=self.id))
