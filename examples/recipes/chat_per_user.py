"""A chat per user: each has a thread, which is resumed by its id, also after a restart of this program."""

import sqlite3
import threading
from pathlib import Path

from openai_codex import Codex, Thread


class Chats:
    """The threads of users. The runtime keeps the history; here is only which thread is whose."""

    def __init__(self, codex: Codex, path: str | Path) -> None:
        self._codex = codex
        self._lock = threading.Lock()
        self._open: dict[str, Thread] = {}
        self._table = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._table.execute("create table if not exists chats (user text primary key, thread text not null)")

    def say(self, user: str, text: str) -> str | None:
        """Return the answer. Callable from any thread: texts of one user are answered one after another."""
        with self._lock:
            thread = self._open[user] = self._open.get(user) or self._thread(user)
        return thread.run(text, timeout=300).final_response

    def _thread(self, user: str) -> Thread:
        row = self._table.execute("select thread from chats where user = ?", (user,)).fetchone()
        if row is not None:
            return self._codex.thread_resume(row[0])
        thread = self._codex.thread_start(sandbox="read-only", approval_policy="never")
        self._table.execute("insert into chats values (?, ?)", (user, thread.id))
        return thread
