"""How a client and its runtime are doing: a snapshot for people and for monitors."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Health:
    """What `health` returns. Counts of losses run from the start of the client, over all its runtimes."""

    alive: bool
    """Whether there is a runtime that has not died."""
    pid: int | None
    """The process id of the runtime, or of the last one; ``None`` before the first."""
    generation: int
    """How often a runtime was started; 0 before the first."""
    restarts: int
    """How often one was started because the one before had died."""
    uptime: float
    """How long the runtime has been there, in seconds; 0 if there is none."""
    rss: int | None
    """The memory of the runtime process that is in RAM, in bytes; ``None`` where the system does not tell."""
    threads: int
    """How many threads this client has started or resumed in the runtime and has not unsubscribed or deleted."""
    requests_in_flight: int
    """How many requests wait for their reply."""
    requests_queued: int
    """How many of them have not been sent yet, since ``max_in_flight`` others are under way."""
    requests_of_runtime: int
    """How many requests of the runtime (approvals, tools, …) wait for an answer."""
    mailboxes: int
    """How many subscribers there are: turns, logins, events."""
    unread: int
    """How many notifications wait for their consumers."""
    deepest: int
    """How many of them wait for the slowest one."""
    merged: int
    """How many text deltas were joined to an earlier one, because nobody took them; no text was lost."""
    outdated: int
    """How many repeated states were left out because a newer one was there."""
    dropped: int
    """How many notifications were lost to the limit of an `events` subscription."""
    skipped: int
    """How many lines of the runtime were no frames."""
    late: int
    """How many replies came that nobody waited for any more."""
