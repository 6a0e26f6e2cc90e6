"""What a client takes up again when the connection to a runtime elsewhere was lost and made again.

Both sides kept their state: the runtime its threads, turns and questions, the client its handles, mailboxes and handlers.
Only what was on the way is lost: replies, which end with an error, and events, which are read from the history.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.mailbox import Listener
from openai_codex._engine.reply import CloseReason
from openai_codex._engine.subscriptions import EVERYTHING
from openai_codex._engine.transport.lasting import LastingWebSocket
from openai_codex._engine.waiting import wake_all
from openai_codex._log import Log
from openai_codex._runtime.handshake import INITIALIZE, initialize_params

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterator

    from openai_codex._config import AppServerConfig
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.transport.lasting import Ask
    from openai_codex._notification import Notification

_ITEM, _TURN, _RUNNING = "item/completed", "turn/completed", "inProgress"

# Of how many turns to keep which items have come.
_TURNS_KEPT = 1_024

# How the history of a running turn calls messages. Only that history has all that was sent before the resume: the stored one
# lags behind. Messages of one type come one after another, so they are told by their number.
_NO_ID = re.compile(r"item-\d+")

_log = Log("connection")


def keep_session(actor: Actor, config: AppServerConfig, client: weakref.ref[Any]) -> None:
    """Have the transport of an actor, whose first handshake is over, connect again after a loss.

    ``client`` has ``on_reconnect``, which returns what is to be called then, with the threads that run. It owns the actor, and not the reverse.
    """
    assert isinstance(actor.transport, LastingWebSocket), "made for a runtime elsewhere that may be connected to again"
    actor.transport.session = session = Rejoin(actor, config, client)
    actor.subscribe(EVERYTHING, session)


class Rejoin(Listener):
    """The `Session` of one actor. It notes which items have come, so that none is delivered twice."""

    def __init__(self, actor: Actor, config: AppServerConfig, client: weakref.ref[Any]) -> None:
        super().__init__("the items of turns", frozenset({_ITEM, _TURN}))
        self._actor = actor
        self._config = config
        self._client = client
        self._seen: dict[tuple[str, str], dict[str, str]] = {}
        self._reason = ""

    def on_event(self, event: Notification) -> None:
        """Note an item, or forget the turn."""
        params = event.params
        if event.method == _TURN:
            self._seen.pop((params["threadId"], params["turn"]["id"]), None)
            return
        turn = params["threadId"], params["turnId"]
        (items := self._seen.get(turn, {}))[params["item"]["id"]] = params["item"]["type"]
        keep_newest(self._seen, turn, items, _TURNS_KEPT)

    def lose(self, reason: str) -> None:
        """End the requests that were sent. Turns and open questions go on."""
        self._reason = reason
        self._actor.server_requests.keep()
        self._fail_sent()
        self._report(_log.warning, "codex.connection_lost", reason=reason)

    def restore(self, ask: Ask, others: list[bytes]) -> list[bytes]:
        """Introduce the client, resume the threads whose events it waits for, and read what it has missed."""
        reply = ask(INITIALIZE, initialize_params(self._config))
        if "error" in reply:
            raise ConnectionError(f"it refused {INITIALIZE}: {reply['error'].get('message')}")
        ask("initialized", None)
        self._actor.router.catch_up()  # of what was subscribed meanwhile
        awaited = self._actor.router.subscriptions.awaited()
        threads = {thread_id for topic, _ in awaited if (thread_id := topic[0]) is not None}
        missed: list[bytes] = []
        running: set[str] = set()
        for thread_id in threads:
            turns = {topic[1] for topic, _ in awaited if topic[0] == thread_id}
            reply = ask("thread/resume", {"threadId": thread_id, "excludeTurns": turns == {None}})
            if "error" in reply:
                self._give_up(thread_id, str(reply["error"].get("message")))
                continue
            thread = reply["result"]["thread"]
            if thread.get("status", {}).get("type") == "active":
                running.add(thread_id)
            for turn in thread["turns"]:
                if turn["id"] in turns:
                    missed += self._missed(thread_id, turn, others)
        if (client := self._client()) is not None and (on_reconnect := client.on_reconnect()) is not None:
            on_reconnect(running)
        self._fail_sent()  # those that the writer had in its hand
        self._report(_log.info, "codex.connection_restored", threads=len(threads), events=len(missed))
        return missed

    def _missed(self, thread_id: str, turn: dict[str, Any], others: list[bytes]) -> Iterator[bytes]:
        """Yield the events of a turn that have not come, nor have just come."""
        lines = [line["params"] for line in map(orjson.loads, others) if line.get("method") in {_ITEM, _TURN}]
        came = [_without_id(params["item"]) for params in lines if params.get("turnId") == turn["id"]]
        seen = self._seen.get((thread_id, turn["id"]), {})
        counts = Counter(seen.values())
        for item in turn["items"]:
            is_seen = item["id"] in seen or (_NO_ID.fullmatch(item["id"]) and counts[item["type"]] > 0)
            counts[item["type"]] -= 1
            if not is_seen and item.get("status") != _RUNNING and _without_id(item) not in came:
                yield _line(_ITEM, threadId=thread_id, turnId=turn["id"], item=item, completedAtMs=0)
        if turn["status"] != _RUNNING and all(params.get("turn", {}).get("id") != turn["id"] for params in lines):
            yield _line(_TURN, threadId=thread_id, turn={**turn, "items": []})

    def _give_up(self, thread_id: str, reason: str) -> None:
        """End what waits for a thread that cannot be resumed."""
        subscriptions = self._actor.router.subscriptions
        closing = self._closing(f"{self._reason}; thread {thread_id} could not be resumed: {reason}")
        for topic, mailbox in subscriptions.awaited():
            if topic[0] == thread_id and not mailbox.outlives_runtimes:
                subscriptions.remove(topic, mailbox)
                wake_all(mailbox.fail(closing))
        self._report(_log.warning, "codex.thread_not_rejoined", thread_id=thread_id, reason=reason)

    def _fail_sent(self) -> None:
        self._actor.router.fail_sent(self._closing(self._reason))

    def _closing(self, reason: str) -> CloseReason:
        actor = self._actor
        return CloseReason(reason, actor.transport.process_info(), generation=actor.generation, restarts=True)

    def _report(self, log: Callable[..., None], event: str, **fields: Any) -> None:
        """Note an event, and log it on a worker: this is the reader, and a log handler of the program may block."""
        self._actor.recent.note(event.partition(".")[2], **fields)
        self._actor.server_requests.workers.handlers.post(partial(log, event, **fields))


def _without_id(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "id": None}


def _line(method: str, **params: Any) -> bytes:
    return orjson.dumps({"method": method, "params": params}, option=orjson.OPT_APPEND_NEWLINE)
