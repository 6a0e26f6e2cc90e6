"""What the runtime reports: the newest rate limits and settings of each thread, and its warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import _protocol as protocol
from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.mailbox import Listener
from openai_codex._engine.subscriptions import EVERYTHING
from openai_codex._turns.effective import EffectiveSettings, from_notification, is_same
from openai_codex._turns.notices import METHODS, Notices

if TYPE_CHECKING:
    from openai_codex._engine.actor import Actor
    from openai_codex._notification import Notification

# Size of the table of settings; the threads that were noted first are dropped first.
_MOST_THREADS = 65_536


class Reported(Listener):
    """Keeps the newest rate limits, the newest settings of each thread, and the warnings. Each change is one step of a table.

    One listener for all, because the reader asks each listener about every event.
    """

    def __init__(self) -> None:
        super().__init__(
            "what the runtime reports", METHODS | {"account/rateLimits/updated", "thread/settings/updated"}
        )
        self.notices: Notices = Notices()
        self.limits: Notification | None = None
        # An event as it came: it is decoded by who reads it.
        self._settings: dict[str, EffectiveSettings | Notification] = {}
        self._newest: EffectiveSettings | None = None

    def on_event(self, event: Notification) -> None:
        """Replace what was reported before, or note a warning."""
        if event.method == "thread/settings/updated":
            self._keep(event.thread_id or "", event)
        elif event.method in METHODS:
            self.notices.note(event)
        else:
            self.limits = event

    def follow(self, actor: Actor) -> None:
        """Listen to a runtime from its start: it warns of its configuration before a client is connected."""
        actor.subscribe(EVERYTHING, self)

    def log(self, actor: Actor) -> None:
        """Log the warnings of a runtime from now on, and those that came before.

        Not before its start is over, which the first log line would make longer by a third: it imports the library.
        """
        self.notices.log_with(actor.server_requests.workers.handlers.post)

    def put_settings(self, thread_id: str, settings: EffectiveSettings) -> EffectiveSettings:
        """Note the settings that the reply to a request has reported; return the object that is kept.

        Threads that are started one after another share one if theirs are equal, as they usually are: it has most of the
        bytes that a thread costs.
        """
        newest = self._newest
        settings = newest if newest is not None and is_same(newest, settings) else settings
        self._newest = settings
        self._keep(thread_id, settings)
        return settings

    def _keep(self, thread_id: str, settings: EffectiveSettings | Notification) -> None:
        if thread_id in self._settings:
            self._settings[thread_id] = settings  # in one step: another thread may look at it
        else:
            keep_newest(self._settings, thread_id, settings, _MOST_THREADS)

    def forget(self, thread_id: str) -> None:
        """Release the settings of a thread."""
        self._settings.pop(thread_id, None)

    def settings_of(self, thread_id: str) -> EffectiveSettings | None:
        """Return the newest settings of a thread, ``None`` if none were reported to this client."""
        newest = self._settings.get(thread_id)
        if newest is None or isinstance(newest, EffectiveSettings):
            return newest
        payload = newest.payload
        if not isinstance(payload, protocol.ThreadSettingsUpdatedNotification):
            return None
        return from_notification(payload.thread_settings)
