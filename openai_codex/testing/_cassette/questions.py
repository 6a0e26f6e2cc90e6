"""What of a request to the model is the same in every run: the conversation, without what the runtime makes anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import attrs
import orjson

from openai_codex._journal.redact import Redactor
from openai_codex.testing._recorded import JsonObject, RecordedRequest, parts_of

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Messages that the runtime adds: about the machine, the time, and what happens beside the conversation.
_OF_RUNTIME = re.compile(
    r"\s*(?:<(?:environment_context|user_instructions|subagent_notification|turn_aborted|permissions)\b|# AGENTS\.md)"
)

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
            the runtime makes are left out, as are secrets, messages of developers, reasoning, and messages of the runtime.
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
    # A redactor of its own: what it knows of earlier requests would depend on their order.
    shown = Redactor().frame("<", {"input": body.get("input") or []})["input"]
    kept = [(said, item) for item in shown if isinstance(item, dict) if (said := _said(item)) is not None]
    items = [_IDS.sub("<id>", orjson.dumps(said).decode()) for said, _ in kept]
    ids: list[list[str]] = [_IDS.findall(orjson.dumps({**item, "id": None}).decode()) for _, item in kept]
    return Question(request.method, path, body.get("model"), items, ids)


def _said(item: JsonObject) -> Any:
    type_ = str(item.get("type", "message"))
    if type_.endswith("_output"):
        return {"type": type_, "call_id": item.get("call_id")}
    if type_.endswith("_call"):
        return {name: item[name] for name in _OF_CALLS if name in item}
    if type_ != "message" or item.get("role") == "developer":
        return None
    text = "".join(str(part["text"]) for part in parts_of(item) if "text" in part)
    return None if _OF_RUNTIME.match(text) else {"role": item.get("role"), "content": _parts(item)}


def _parts(item: JsonObject) -> list[Any]:
    return [{name: value for name, value in part.items() if name != "annotations"} for part in parts_of(item)]
