"""Follows the sub-agents of one client: keeps those of each turn of the program, and logs the start and end of theirs."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.mailbox import Listener
from openai_codex._engine.once import Once
from openai_codex._engine.reply import CLIENT_CLOSED
from openai_codex._log import Log
from openai_codex._turns.agents import ACTIVITY, CALL, NOBODY, UNKNOWN, AgentTree, Identity, Origin, name_of, told_by
from openai_codex._turns.trees import UNLOADED

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.reply import CloseReason
    from openai_codex._engine.waiting import Waiter
    from openai_codex._notification import Notification
    from openai_codex._turns.agents import Told
    from openai_codex._turns.live import Live
    from openai_codex._turns.open_turns import OpenTurns
    from openai_codex._turns.trees import Trees

_STARTED, _COMPLETED, _ITEM = "turn/started", "turn/completed", "item/completed"
_BOUNDS = frozenset({_STARTED, _COMPLETED})

# Of how many agents to remember who they are, and of how many turns with agents to keep these: of those under way, and of
# those that are over, whose handles have taken theirs by then.
_KNOWN, _MOST, _OVER_KEPT = 4_096, 4_096, 64

_log = Log("turn")


class AgentEvents(Listener):
    """The agents of all turns of one client. The reader changes them, each time in one step of a table; any thread may look.

    It passes the events on to `Trees`. It notes the end of an agent first, because `Trees` wakes the callers that wait for it.
    """

    def __init__(self, trees: Trees, turns: OpenTurns) -> None:
        super().__init__("the agents of turns", trees.methods() | {_ITEM})
        self.post: Callable[[Callable[[], None]], object] | None = None
        """Has a function called soon, on a worker of the current runtime."""
        self._owner = os.getpid()
        self._trees = trees
        self._turns = turns
        self._known: dict[str, Identity] = {}
        # What agents were told whose next turn has not begun.
        self._told: dict[str, str] = {}
        self._work: dict[str, AgentTree] = {}
        self._over: dict[str, AgentTree] = {}
        self._open: dict[str, _OpenAgentTurn] = {}
        turns.find_agents, turns.origin_of = self.of, self.origin

    def of(self, root_turn_id: str) -> AgentTree | None:
        """Return the agents of a turn, if it has any."""
        return self._work.get(root_turn_id) or self._over.get(root_turn_id)

    def origin(self, thread_id: str | None, turn_id: str | None) -> Origin:
        """Return for whom a turn under way works, with nothing in it for a turn that the program has started."""
        opened = self._open.get(turn_id or "")
        if opened is None or opened.live.thread_id != thread_id:
            # Some requests name no turn, or one within the turn; a thread has one turn at a time.
            opened = next((each for each in self._open.copy().values() if each.live.thread_id == thread_id), None)
        if opened is None:
            return NOBODY
        known = self._known.get(opened.live.thread_id, UNKNOWN)
        return Origin(opened.live.root_thread_id, opened.live.root_turn_id, name_of(known), known.depth)

    def forget(self, thread_id: str) -> None:
        """Note that no more events will come of the turns that the program has started in a thread. On any thread."""
        self._trees.forget(thread_id)
        self._clear_all()

    # -- on the reader thread ----------------------------------------------------------------------------------------

    def on_event(self, event: Notification) -> None:
        """Note what an event tells about agents."""
        if event.method == _ITEM:
            self._note_item(event.params)
        elif event.method in _BOUNDS:
            self._note_turn(event)
        elif self._trees.loses(event):
            self._lose(event)

    def _note_item(self, params: Any) -> None:
        kind = params["item"]["type"]
        if kind in {ACTIVITY, CALL}:
            for told in told_by(params["threadId"], params["item"]):
                self._tell(told, params["threadId"], params["turnId"])
        elif kind == "agentMessage" and (opened := self._open.get(params["turnId"])) is not None:
            tree = self._tree(opened.live.root_turn_id, opened.live.root_thread_id)
            tree.say(params["threadId"], params["item"]["text"])

    def _note_turn(self, event: Notification) -> None:
        params = event.params
        turn: dict[str, Any] = params.get("turn") or {}
        turn_id, root = turn.get("id", ""), turn.get("rootTurnId")
        if event.method == _COMPLETED and (opened := self._open.pop(turn_id, None)) is not None:
            root = opened.live.root_turn_id
            self._end(opened, event)
        self._trees.on_event(event)
        if event.method == _COMPLETED:
            self._clear(root or turn_id)
        elif event.method == _STARTED:
            under = self._trees.root_of(params["threadId"], turn_id)
            if under is not None and under != turn_id:
                self._start(turn_id, self._trees.live(under))

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Note that the turns of agents are lost with their runtime."""
        log = _log.info if close_reason.reason == CLIENT_CLOSED else _log.warning
        # After a fork they still run in the parent.
        for opened in self._open.copy().values() if os.getpid() == self._owner else ():
            opened.end(log, status="lost", reason=close_reason.reason)
        for table in (self._open, self._told, self._work):
            table.clear()
        return self._trees.fail(close_reason)

    def _lose(self, event: Notification) -> None:
        """Note that a thread was unloaded, or is not seen and idle, with the ends of its turns if they have not come."""
        thread_id, is_unloaded = event.params["threadId"], event.method in UNLOADED
        for table in (self._known, self._told) if is_unloaded else ():
            table.pop(thread_id, None)
        reason = "its thread was unloaded" if is_unloaded else "its thread was unsubscribed"
        for turn_id, opened in self._open.copy().items():
            if opened.live.thread_id == thread_id:
                self._open.pop(turn_id, None)
                opened.end(_log.info, status="lost", reason=reason)
        for tree in self._work.copy().values():
            tree.unload(thread_id)
        self._trees.on_event(event)
        self._clear_all()

    def _tell(self, told: Told, thread_id: str, turn_id: str) -> None:
        root = self._trees.root_of(thread_id, turn_id)
        known = self._known.get(told.thread_id, UNKNOWN)
        if told.parent_thread_id is not None or told.path is not None:
            parent, path = told.parent_thread_id or known.parent_thread_id, told.path or known.path
            depth = known.depth if parent is None else self._depth_below(parent, is_root=root == turn_id)
            known = Identity(parent, depth if path is None else path.count("/") - 1, path)
            keep_newest(self._known, told.thread_id, known, _KNOWN)
        if root is not None and (told.begins or self.of(root) is not None):
            above = self._open.get(turn_id)
            root_thread = thread_id if above is None else above.live.root_thread_id
            tree = self._tree(root, root_thread)
            if tree.tell(told, known):
                if self._trees.is_unloaded(told.thread_id):
                    tree.unload(told.thread_id)
                elif told.begins and not tree.has_begun(told.thread_id):
                    self._trees.expect(told.thread_id, root, root_thread)
                return
        if told.prompt is not None:
            keep_newest(self._told, told.thread_id, told.prompt, _KNOWN)

    def _depth_below(self, parent: str, *, is_root: bool) -> int | None:
        above = 0 if is_root else self._known.get(parent, UNKNOWN).depth
        return None if above is None else above + 1

    def _start(self, turn_id: str, live: tuple[Live, ...]) -> None:
        for each in live:
            if each.turn_id == turn_id:
                known, prompt = self._known.get(each.thread_id, UNKNOWN), self._told.pop(each.thread_id, None)
                tokens = self._turns.usages.of(each.thread_id, turn_id)
                tree = self._tree(each.root_turn_id, each.root_thread_id)
                tree.start(each.thread_id, turn_id, tokens, known, prompt)
                self._open[turn_id] = _OpenAgentTurn(each, known, self.post)

    def _end(self, opened: _OpenAgentTurn, event: Notification) -> None:
        root_turn_id, root_thread_id = opened.live.root_turn_id, opened.live.root_thread_id
        self._tree(root_turn_id, root_thread_id).end(opened.live.thread_id, event)
        status = event.params["turn"].get("status")
        opened.end(_log.warning if status == "failed" else _log.info, status=status)

    def _tree(self, root_turn_id: str, root_thread_id: str | None) -> AgentTree:
        tree = self._work.get(root_turn_id)
        if tree is None:
            tree = self._over.pop(root_turn_id, None) or AgentTree()
            keep_newest(self._work, root_turn_id, tree, _MOST)
            self._turns.give_agents(root_thread_id, root_turn_id, tree)
        return tree

    def _clear_all(self) -> None:
        for root_turn_id in self._work.copy():
            self._clear(root_turn_id)

    def _clear(self, root_turn_id: str) -> None:
        """Keep the agents of a turn no longer if it is over, and they are."""
        tree = self._work.get(root_turn_id)
        if tree is not None and self._trees.is_quiet(root_turn_id):
            keep_newest(self._over, root_turn_id, tree, _OVER_KEPT)
            self._work.pop(root_turn_id, None)
            for thread_id in tree.threads():
                if not self._trees.is_at_work(thread_id):  # for another turn
                    self._turns.usages.forget(thread_id)


class _OpenAgentTurn:
    """One turn of an agent, until its end is logged. Workers log both its start and its end, in this order."""

    __slots__ = ("_end", "_fields", "_is_started", "_post", "_right", "live")

    def __init__(self, live: Live, known: Identity, post: Callable[[Callable[[], None]], object] | None) -> None:
        self.live = live
        self._fields = {
            "thread_id": live.thread_id,
            "turn_id": live.turn_id,
            "root_thread_id": live.root_thread_id,
            "root_turn_id": live.root_turn_id,
            "agent_name": name_of(known),
            "agent_depth": known.depth,
        }
        self._post = post
        self._end: Callable[[], object] | None = None
        self._is_started = False
        self._right = Once()
        if post is not None:
            post(self._log_start)

    def end(self, log: Callable[..., None], **fields: Any) -> None:
        """Note how it ended. Called where nothing must be logged, as on the reader thread."""
        self._end = partial(log, "codex.agent_completed", **self._fields, **fields)
        # The reader stores the end, then looks for the start; a worker does it the other way round.
        if self._is_started and self._post is not None:
            self._post(self._log_end)

    def _log_start(self) -> None:
        _log.info("codex.agent_started", **self._fields)
        self._is_started = True
        self._log_end()

    def _log_end(self) -> None:
        if self._end is not None and self._right.take():
            self._end()
