"""What of a request to the model is the same in every run: the conversation, without what the runtime makes anew."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import attrs
import orjson

from openai_codex._journal.redact import Redactor
from openai_codex.testing._recorded import JsonObject, RecordedRequest, parts_of

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Messages that the runtime adds, whole: about the machine and the project, before a prompt; about what has happened.
_CONTEXT = re.compile(
    r"\s*(?:(?:<(environment_context|user_instructions|permissions)\b[^>]*>.*?</\1>"
    r"|# AGENTS\.md instructions.*?<INSTRUCTIONS>.*?</INSTRUCTIONS>)\s*)+",
    re.DOTALL,
)
_NOTICE = re.compile(r"\s*<(subagent_notification|turn_aborted)>.*?</\1>\s*", re.DOTALL)

# Where the runtime says who asks; a sub-agent has the thread of its parent there.
_METADATA, _PARENT = "x-codex-turn-metadata", "parent_thread_id"

# What a prompt with a secret is compared by. Made slowly, so that a short secret is not found by trying.
_DIGEST, _ROUNDS = "sha256", 100_000

# Of a call, what the model has said. Of its output only that it is there: it may have times, paths and numbers of processes.
_OF_CALLS = ("type", "name", "arguments", "input", "call_id")


def _tuples(ids: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, ids))


@attrs.frozen
class Question:
    """What a request asks.

    Attributes:
        method: The HTTP method.
        path: The path below the URL of the provider, without its query.
        model: The model.
        items: The conversation: messages of the user and the model, calls of tools, and that these have outputs. Ids that
            the runtime makes are left out, as are messages of developers, reasoning, and messages of the runtime. Secrets are
            masked, and a message of the user that has one is told from others by a digest.
        ids: The ids of the runtime in each of the items, in their order.
    """

    method: str
    path: str
    model: str | None = None
    items: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    ids: tuple[tuple[str, ...], ...] = attrs.field(default=(), eq=False, converter=_tuples)

    def new_ids(self, now: Question) -> dict[str, str]:
        """Return the ids of an equal question by those of this one."""
        pairs = zip(self.ids, now.ids, strict=True)
        same = [(mine, its) for mine, its in pairs if len(mine) == len(its)]
        return {old: new for mine, its in same for old, new in zip(mine, its, strict=True) if old != new}

    def __str__(self) -> str:
        newest = self.items[-1] if self.items else ""
        return f"{self.method} {self.path} with {len(self.items)} item(s), the last of which is {newest}"


def question_of(request: RecordedRequest, path: str) -> Question:
    """Return what a request asks."""
    try:
        body = request.json
    except orjson.JSONDecodeError:
        body = {}
    raw = [each for each in body.get("input") or [] if isinstance(each, dict)]
    # A redactor of its own: what it knows of earlier requests would depend on their order.
    shown = Redactor().frame("<", {"input": raw})["input"]
    prompts = Prompts(request)
    kept = [
        (at, said) for at, it in enumerate(shown) if (said := _said(it)) is not None and not prompts.is_added(raw, at)
    ]
    items = [prompts.text(said, raw[at]) for at, said in kept]
    ids: list[list[str]] = [_IDS.findall(orjson.dumps({**shown[at], "id": None}).decode()) for at, _ in kept]
    return Question(request.method, path, body.get("model"), items, ids)


class Prompts:
    """Writes the items of one conversation, in their order, as they are compared: what the user wrote, to the letter.

    An id is one of the runtime if the request has it elsewhere before. The messages of a sub-agent's conversation are those
    of another model, which may have any id of the runtime.
    """

    def __init__(self, request: RecordedRequest) -> None:
        facts = request.headers.get(_METADATA, "")
        self._is_exact = _PARENT not in facts
        self._known = set(_IDS.findall(facts))
        self._own = set[str]()

    def text(self, said: JsonObject, raw: JsonObject) -> str:
        """Return an item as it is compared: ``said`` of it, which has no secrets. ``raw`` may have them."""
        text = orjson.dumps(said).decode()
        if not self._is_exact or said.get("role") != "user":
            self._known.update(set(_IDS.findall(text)) - self._own)
            return _IDS.sub("<id>", text)
        whole = orjson.dumps(_said(raw)).decode()
        self._own.update(set(_IDS.findall(whole)) - self._known)
        exact, text = self._without_ids(whole), self._without_ids(text)
        return text if exact == text else orjson.dumps({**orjson.loads(text), "digest": _digest(exact)}).decode()

    def is_added(self, items: list[JsonObject], at: int) -> bool:
        """Return whether a message is one of the runtime. What it says of the machine stands before a prompt of the user."""
        item, following = items[at], items[at + 1 : at + 2]
        text = "".join(str(part["text"]) for part in parts_of(item) if "text" in part)
        if item.get("role") != "user" or not all("text" in part for part in parts_of(item)):
            return False
        is_before = not self._is_exact or (bool(following) and following[0].get("role") == "user")
        return bool(_NOTICE.fullmatch(text) or (is_before and _CONTEXT.fullmatch(text)))

    def _without_ids(self, text: str) -> str:
        return _IDS.sub(lambda found: "<id>" if found[0] in self._known else found[0], text)


@lru_cache(maxsize=256)
def _digest(text: str) -> str:
    return hashlib.pbkdf2_hmac(_DIGEST, text.encode(), b"openai_codex cassette", _ROUNDS).hex()


def _said(item: JsonObject) -> Any:
    type_ = str(item.get("type", "message"))
    if type_.endswith("_output"):
        return {"type": type_, "call_id": item.get("call_id")}
    if type_.endswith("_call"):
        return {name: item[name] for name in _OF_CALLS if name in item}
    if type_ != "message" or item.get("role") == "developer":
        return None
    return {"role": item.get("role"), "content": _parts(item)}


def _parts(item: JsonObject) -> list[Any]:
    return [{name: value for name, value in part.items() if name != "annotations"} for part in parts_of(item)]
