"""Clients that stay open between jobs: one for each configuration, made when it is needed first.

It does not wait. A step is a generator, which yields what has to be called, and awaited in the async face.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeAlias

from openai_codex._config import AppServerConfig
from openai_codex._engine.once import Once
from openai_codex._engine.waiting import Latch
from openai_codex._jobs.budgets import Budgets

Steps: TypeAlias = Generator[Callable[[], Any], Any, Any]
"""Yields functions to be called, gets what they return, or raise, and returns an outcome."""

Ready: TypeAlias = Callable[..., Any]
"""How a face waits for a `Waitable`, at most some seconds."""


class Slot:
    """One client, from before it is made until it is closed."""

    def __init__(self, config: AppServerConfig, number: int) -> None:
        self.config, self.number = copy.copy(config), number  # the program may change its own
        self.process = os.getpid()
        self.making, self.closing = Once(), Once()
        self.made = Latch()
        self.client: Any = None
        self.budgets = Budgets()
        self.users: set[object] = set()
        self.is_retired = False
        self.failure: BaseException | None = None

    def is_usable(self) -> bool:
        """Return whether a job may use it: it is not made yet, or its runtime runs, or is replaced when it has died."""
        if self.is_retired or self.process != os.getpid():
            return False
        return self.client is None or self.client.health().state not in {"closed", "given_up"}


class Clients:
    """The clients of one process, for one face.

    There is no lock: a slot is added, and then looked for, and the first one that fits is the one that counts. Whoever
    takes the right to make its client makes it; others wait for that.
    """

    def __init__(self, connect: Callable[[AppServerConfig], Any], ready: Ready) -> None:
        self._connect, self._ready = connect, ready
        self._slots: list[Slot] = []

    def enter(self, config: AppServerConfig, number: int, user: object) -> Generator[Callable[[], Any], Any, Slot]:
        """Return the slot of a client that runs, with one more user.

        Args:
            config: Its configuration.
            number: Which of several clients of this configuration.
            user: What `leave` is called with.

        Raises what the constructor of the client raises.
        """
        while True:
            slot = self._slot(config, number)
            slot.users.add(user)
            try:
                if slot.making.take():
                    yield from self._make(slot)
                yield partial(self._ready, slot.made, None)
                _raise_of(slot)
            except BaseException:
                slot.users.discard(user)
                raise
            if not slot.is_retired:
                return slot
            # It was closed meanwhile, or whoever made its client was cancelled.
            yield from self.leave(slot, user)

    def leave(self, slot: Slot, user: object, *, retire: bool = False) -> Steps:
        """End the use of a client. One that is retired gets no further users, and is closed when the last one leaves."""
        if retire or slot not in self._slots:
            self._retire(slot)
        slot.users.discard(user)
        if slot.is_retired and not slot.users and slot.client is not None and slot.closing.take():
            yield slot.client.close

    def close(self) -> Steps:
        """Close all clients, whoever uses them."""
        for slot in self._slots[:]:
            self._retire(slot)
            if slot.process == os.getpid() and slot.client is not None and slot.closing.take():
                yield slot.client.close

    def _slot(self, config: AppServerConfig, number: int) -> Slot:
        for slot in self._slots[:]:
            if not slot.is_usable():
                self._retire(slot)
        new = Slot(config, number)
        self._slots.append(new)
        first = next(slot for slot in (*self._slots[:], new) if (slot.config, slot.number) == (config, number))
        if first is not new:
            self._discard(new)
        return first

    def _make(self, slot: Slot) -> Steps:
        try:
            client = yield partial(self._connect, slot.config)
            client._connection.listen(slot.budgets)  # noqa: SLF001  the client itself has no public way to
            slot.budgets.connection = client._connection  # noqa: SLF001  as above
            slot.client = client
        except BaseException as error:
            slot.failure = error
            self._retire(slot)
            raise
        finally:
            slot.made.set()

    def _retire(self, slot: Slot) -> None:
        slot.is_retired = True
        self._discard(slot)

    def _discard(self, slot: Slot) -> None:
        # By identity: two slots of one configuration differ.
        try:
            self._slots.remove(slot)
        except ValueError:  # another thread has done it
            return


def _raise_of(slot: Slot) -> None:
    """Raise why a client was not made. What interrupted its maker, such as Ctrl-C, does not concern others."""
    if isinstance(slot.failure, Exception):
        # One of its own for each who waits.
        raise copy.copy(slot.failure) from slot.failure
